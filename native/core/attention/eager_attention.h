#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <optional>

namespace causal_tracer {

/// One attention as it stands in a graph. The values' shapes are those of the attention operator.
struct AttentionPattern {
  torch::jit::Value* query = nullptr;
  torch::jit::Value* key = nullptr;
  torch::jit::Value* value = nullptr;
  /// Null where there is none.
  torch::jit::Value* mask = nullptr;
  torch::jit::Value* output = nullptr;
  std::optional<double> scale;
  double softcap = 0.0;
  bool causal = false;
};

/// The attention around a softmax that is written out in single operators: a product of queries and
/// transposed keys; scaled, soft-capped, biased and masked in any of the usual ways; softmax over the keys; a
/// product with the values. nullopt for every other node and for what does not match.
std::optional<AttentionPattern> ReadEagerAttention(torch::jit::Node* node);

}  // namespace causal_tracer
