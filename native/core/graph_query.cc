#include "graph_query.h"

#include <torch/csrc/jit/ir/constants.h>

#include <stdexcept>

namespace causal_tracer {

std::optional<double> ConstantNumber(torch::jit::Value* value) {
  const auto constant = torch::jit::toIValue(value);
  if (!constant) return std::nullopt;
  if (constant->isDouble()) return constant->toDouble();
  if (constant->isInt()) return static_cast<double>(constant->toInt());
  if (constant->isTensor() && constant->toTensor().numel() == 1) return constant->toTensor().item<double>();
  return std::nullopt;
}

int64_t ConstantInteger(const torch::jit::Value* value) {
  const auto number = torch::jit::constant_as<int64_t>(value);
  if (number) return *number;
  throw std::logic_error("a value that should be a constant is none: " + value->debugName());
}

}  // namespace causal_tracer
