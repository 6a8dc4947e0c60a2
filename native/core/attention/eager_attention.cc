#include "eager_attention.h"

#include <torch/csrc/jit/ir/constants.h>

namespace causal_tracer {

std::optional<AttentionPattern> ReadEagerAttention(torch::jit::Node* /*node*/) { return std::nullopt; }

}  // namespace causal_tracer
