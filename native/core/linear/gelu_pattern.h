#pragma once

#include <torch/csrc/jit/ir/ir.h>

namespace causal_tracer {

/// Replaces each `0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))` that is written out in single operators
/// by `gelu(x, approximate='tanh')` (Hendrycks and Gimpel, arXiv:1606.08415).
void FuseTanhGelu(torch::jit::Graph& graph);

}  // namespace causal_tracer
