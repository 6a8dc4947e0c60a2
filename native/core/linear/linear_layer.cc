#include "linear_layer.h"

#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/stack.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/silu.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace causal_tracer {
namespace {

/// libtorch's own operators for prepacked weights; they have no C++ declaration, so they are looked up.
struct PackedOperators {
  std::optional<c10::OperatorHandle> reorder;
  std::optional<c10::OperatorHandle> linear;
};

const PackedOperators& Operators() {
  static const PackedOperators operators{
      .reorder = c10::Dispatcher::singleton().findSchema({"mkldnn::_reorder_linear_weight", ""}),
      .linear = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""})};
  return operators;
}

void Call(const std::optional<c10::OperatorHandle>& operation, torch::jit::Stack& stack) {
  if (!operation) throw std::logic_error("this libtorch has no kernel for prepacked weights");
  operation->callBoxed(stack);
}

/// The activation in the words of `mkldnn::_linear_pointwise`.
std::pair<std::string, std::string> PackedActivation(Activation activation) {
  switch (activation) {
    case Activation::kGelu:
      return {"gelu", "none"};
    case Activation::kGeluTanh:
      return {"gelu", "tanh"};
    case Activation::kRelu:
      return {"relu", ""};
    case Activation::kSilu:
      return {"swish", ""};
    case Activation::kNone:
      break;
  }
  return {"none", ""};
}

}  // namespace

LinearLayer::LinearLayer(at::Tensor weight, at::Tensor bias)
    : weight_(std::move(weight)), bias_(std::move(bias)), in_(weight_.size(1)), out_(weight_.size(0)) {}

bool LinearLayer::CanPack() const {
  return weight_.defined() && weight_.device().is_cpu() && weight_.scalar_type() == at::kFloat &&
         at::Context::hasMKLDNN() && at::globalContext().userEnabledMkldnn() && Operators().reorder &&
         Operators().linear;
}

void LinearLayer::Pack(int64_t rows) {
  packed_ = Reordered(rows);
  weight_.reset();
}

at::Tensor LinearLayer::Run(const at::Tensor& x, Activation activation) const {
  const at::Tensor rows = x.reshape({-1, in_});
  const at::Tensor product =
      packed_.defined() ? RunPacked(rows, packed_, activation) : RunDefault(rows, activation);
  std::vector<int64_t> sizes = x.sizes().vec();
  sizes.back() = out_;
  return product.view(sizes);
}

double LinearLayer::MeasureSeconds(LinearKernel kernel, int64_t rows) const {
  const at::Tensor x = at::randn({rows, in_}, bias_.defined() ? bias_.options() : weight_.options());
  const at::Tensor packed = kernel == LinearKernel::kPrepacked ? Reordered(rows) : at::Tensor();
  double best = std::numeric_limits<double>::infinity();
  constexpr int kRuns = 4;
  for (int run = 0; run < kRuns; ++run) {
    const auto start = std::chrono::steady_clock::now();
    const at::Tensor y =
        packed.defined() ? RunPacked(x, packed, Activation::kNone) : RunDefault(x, Activation::kNone);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    best = std::min(best, elapsed.count());
  }
  return best;
}

at::Tensor LinearLayer::RunDefault(const at::Tensor& rows, Activation activation) const {
  at::Tensor product = bias_.defined() ? at::linear(rows, weight_, bias_) : at::linear(rows, weight_);
  switch (activation) {
    case Activation::kGelu:
      return at::gelu(product, "none");
    case Activation::kGeluTanh:
      return at::gelu(product, "tanh");
    case Activation::kRelu:
      return at::relu(product);
    case Activation::kSilu:
      return at::silu(product);
    case Activation::kNone:
      break;
  }
  return product;
}

at::Tensor LinearLayer::RunPacked(const at::Tensor& rows, const at::Tensor& packed,
                                  Activation activation) const {
  const auto [name, algorithm] = PackedActivation(activation);
  torch::jit::Stack stack = {rows.contiguous(),
                             packed,
                             bias_.defined() ? c10::IValue(bias_) : c10::IValue(),
                             name,
                             c10::List<std::optional<at::Scalar>>(),
                             algorithm};
  Call(Operators().linear, stack);
  return stack.at(0).toTensor();
}

at::Tensor LinearLayer::Reordered(int64_t rows) const {
  torch::jit::Stack stack = {weight_.contiguous(), rows};
  Call(Operators().reorder, stack);
  return stack.at(0).toTensor();
}

}  // namespace causal_tracer
