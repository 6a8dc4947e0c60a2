#include "forward_hooks.h"

namespace causal_tracer {

at::Tensor ForwardHooks::Observe(int64_t site, const at::Tensor& tensor) {
  control_.ThrowIfStopped();
  const HookPoint& point = points_by_site_.at(static_cast<size_t>(site));
  at::Tensor edited = tensor;
  if (const auto edits = edits_.find(point); edits != edits_.end()) {
    for (const Edit& edit : edits->second) edited = edit(edited);
  }
  if (const auto captured = captured_.find(point); captured != captured_.end()) captured->second = edited;
  return edited;
}

}  // namespace causal_tracer
