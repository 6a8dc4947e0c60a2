#pragma once

#include <torch/csrc/jit/ir/ir.h>

namespace causal_tracer {

/// Replaces every attention of a flat graph by the attention operator: the fused
/// `aten::scaled_dot_product_attention`, and attention written out in single operators (see
/// eager_attention.h). Key and value heads that were repeated for grouped queries are taken as they were
/// before. What is not recognised is left as it is.
void UseAttentionOperators(torch::jit::Graph& graph);

}  // namespace causal_tracer
