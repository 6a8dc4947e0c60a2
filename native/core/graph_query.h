#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <cstdint>
#include <optional>

namespace causal_tracer {

/// Small questions that the passes over a graph have in common.

inline c10::Symbol Kind(const char* name) { return c10::Symbol::fromQualString(name); }

inline bool IsKind(const torch::jit::Node* node, const char* name) { return node->kind() == Kind(name); }
inline bool IsKind(const torch::jit::Value* value, const char* name) { return IsKind(value->node(), name); }

inline bool IsTensor(const torch::jit::Value* value) {
  return value->type()->isSubtypeOf(*c10::TensorType::get());
}

/// The number that a value always is: an int, a float, or a tensor with one element.
std::optional<double> ConstantNumber(torch::jit::Value* value);

/// The whole number that a value of our own operators always is; throws std::logic_error where it is none.
int64_t ConstantInteger(const torch::jit::Value* value);

}  // namespace causal_tracer
