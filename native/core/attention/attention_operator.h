#pragma once

namespace causal_tracer {

/// Qualified name of the operator `attention(Tensor query, Tensor key, Tensor value, Tensor? mask, float?
/// scale, float softcap, bool causal) -> Tensor`, which stands in a rewritten graph for one attention.
///
/// `query` is `[batch, heads, position, size]`, `key` and `value` have as many heads or a divisor of them
/// (grouped queries share one). `mask` broadcasts to `[batch, heads, query, key]`: true or added to the
/// logits. The logits are `softcap * tanh(logit / softcap)` where `softcap` is above 0; `scale` defaults to
/// `1 / sqrt(size)`.
inline constexpr const char* kAttentionOperator = "causal_tracer::attention";

/// The operator's arguments by position.
enum class AttentionArgument { kQuery, kKey, kValue, kMask, kScale, kSoftcap, kCausal };

}  // namespace causal_tracer
