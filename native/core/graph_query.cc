#include "graph_query.h"

#include <torch/csrc/jit/ir/constants.h>

namespace causal_tracer {

std::optional<double> ConstantNumber(torch::jit::Value* value) {
  const auto constant = torch::jit::toIValue(value);
  if (!constant) return std::nullopt;
  if (constant->isDouble()) return constant->toDouble();
  if (constant->isInt()) return static_cast<double>(constant->toInt());
  if (constant->isTensor() && constant->toTensor().numel() == 1) return constant->toTensor().item<double>();
  return std::nullopt;
}

}  // namespace causal_tracer
