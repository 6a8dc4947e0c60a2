#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace causal_tracer {

/// Which keys each query sees, and what is added to their logits.
struct AttentionMask {
  /// For each query position the key positions that it sees, none behind itself.
  std::vector<std::vector<int32_t>> visible = {};
  /// float32 `[heads or 1, query, key]`, or undefined.
  at::Tensor bias;
};

/// Reads a traced mask that broadcasts to `[1, heads, length, length]`, true or added; a missing one is
/// causal. nullopt if a query sees a key behind itself, or none.
std::optional<AttentionMask> ReadAttentionMask(const std::optional<at::Tensor>& mask, int64_t length);

struct AttentionSizes {
  int64_t heads = 0;
  /// Divides `heads`: that many query heads share one key and value head.
  int64_t key_heads = 0;
  int64_t key_size = 0;
  int64_t value_size = 0;
  float scale = 1.0F;
  /// 0 for none; see attention_operator.h.
  float softcap = 0.0F;
};

/// One query token with what it sees.
struct AttentionQuery {
  /// `[heads, key_size]`
  const std::byte* query = nullptr;
  /// By position: `[key_heads, key_size]` and `[key_heads, value_size]` each.
  const std::byte* const* keys = nullptr;
  const std::byte* const* values = nullptr;
  int32_t position = 0;
};

/// Attention of single queries over keys and values that lie anywhere. All data are of `output`'s dtype
/// (float32, bfloat16 or float16), all sums are float32. `output` is `[query, heads, value_size]`,
/// contiguous.
void AttendTokens(const AttentionSizes& sizes, const AttentionMask& mask,
                  const std::vector<AttentionQuery>& queries, const at::Tensor& output);

}  // namespace causal_tracer
