#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <optional>
#include <vector>

namespace causal_tracer {

/// One of the things that decide which keys a query sees.
struct MaskTerm {
  enum class Meaning {
    /// Added to the logits.
    kAdded,
    /// Truth values: keys that are seen, or that are not.
    kSeen,
    kHidden,
  };
  torch::jit::Value* value = nullptr;
  Meaning meaning = Meaning::kAdded;
};

/// One attention as it stands in a graph. The values' shapes are those of the attention operator.
struct AttentionPattern {
  torch::jit::Value* query = nullptr;
  torch::jit::Value* key = nullptr;
  torch::jit::Value* value = nullptr;
  std::vector<MaskTerm> masks = {};
  torch::jit::Value* output = nullptr;
  std::optional<double> scale = {};
  double softcap = 0.0;
  bool causal = false;
};

/// The attention around a softmax that is written out in single operators: a product of queries and
/// transposed keys; scaled, soft-capped, biased and masked in any of the usual ways; softmax over the keys; a
/// product with the values. nullopt for every other node and for what does not match.
std::optional<AttentionPattern> ReadEagerAttention(torch::jit::Node* node);

}  // namespace causal_tracer
