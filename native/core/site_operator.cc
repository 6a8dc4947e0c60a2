#include "site_operator.h"

#include <torch/library.h>

namespace causal_tracer {
namespace {

thread_local SiteObserver* current_observer = nullptr;

at::Tensor ObserveSite(const at::Tensor& output, int64_t site) {
  return current_observer == nullptr ? output : current_observer->Observe(site, output);
}

}  // namespace

ScopedSiteObserver::ScopedSiteObserver(SiteObserver& observer) : previous_(current_observer) {
  current_observer = &observer;
}

ScopedSiteObserver::~ScopedSiteObserver() { current_observer = previous_; }

}  // namespace causal_tracer

// The output may be the input itself, hence the alias annotation. One kernel serves every device.
TORCH_LIBRARY(causal_tracer, library) { library.def("site(Tensor(a) x, int id) -> Tensor(a)"); }

TORCH_LIBRARY_IMPL(causal_tracer, CompositeExplicitAutograd, library) {
  library.impl("site", TORCH_FN(causal_tracer::ObserveSite));
}
