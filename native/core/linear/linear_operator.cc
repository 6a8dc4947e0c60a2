#include "linear_operator.h"

#include <ATen/Tensor.h>
#include <ATen/ops/arange.h>
#include <c10/util/accumulate.h>
#include <torch/library.h>

#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace causal_tracer {
namespace {

thread_local int64_t multiplications = 0;

struct Registry {
  std::shared_mutex mutex;
  std::unordered_map<int64_t, std::unique_ptr<LinearLayer>> layers;
  int64_t next_number = 0;
};

Registry& TheRegistry() {
  static Registry registry;
  return registry;
}

at::Tensor Linear(const at::Tensor& x, int64_t number, int64_t activation) {
  const LinearLayer& layer = LinearLayers::Get(number);
  multiplications += x.numel() * layer.out();
  return layer.Run(x, static_cast<Activation>(activation));
}

std::vector<int64_t> OutputSizes(const at::Tensor& x, int64_t number) {
  std::vector<int64_t> sizes = x.sizes().vec();
  sizes.back() = LinearLayers::Get(number).out();
  return sizes;
}

/// Shapes without numbers.
at::Tensor LinearOnMeta(const at::Tensor& x, int64_t number, int64_t /*activation*/) {
  return x.new_empty(OutputSizes(x, number));
}

/// The numbers differ from each other, lest what depends on numbers looks as if it did not.
at::Tensor LinearStandIn(const at::Tensor& x, int64_t number) {
  const std::vector<int64_t> sizes = OutputSizes(x, number);
  const int64_t count = c10::multiply_integers(sizes);
  return at::arange(count, x.options()).sin_().view(sizes);
}

}  // namespace

LinearLayers::~LinearLayers() {
  Registry& registry = TheRegistry();
  const std::unique_lock lock(registry.mutex);
  for (const int64_t number : numbers_) registry.layers.erase(number);
}

int64_t LinearLayers::Add(std::unique_ptr<LinearLayer> layer) {
  Registry& registry = TheRegistry();
  const std::unique_lock lock(registry.mutex);
  const int64_t number = registry.next_number++;
  registry.layers.emplace(number, std::move(layer));
  numbers_.push_back(number);
  return number;
}

LinearLayer& LinearLayers::Get(int64_t number) {
  Registry& registry = TheRegistry();
  const std::shared_lock lock(registry.mutex);
  return *registry.layers.at(number);
}

int64_t LinearMultiplications() { return multiplications; }

}  // namespace causal_tracer

TORCH_LIBRARY_FRAGMENT(causal_tracer, library) {
  library.def("linear(Tensor x, int layer, int activation) -> Tensor");
  library.def("linear_stand_in(Tensor x, int layer) -> Tensor");
}

TORCH_LIBRARY_IMPL(causal_tracer, CompositeExplicitAutograd, library) {
  library.impl("linear", TORCH_FN(causal_tracer::Linear));
  library.impl("linear_stand_in", TORCH_FN(causal_tracer::LinearStandIn));
}

TORCH_LIBRARY_IMPL(causal_tracer, Meta, library) {
  library.impl("linear", TORCH_FN(causal_tracer::LinearOnMeta));
}
