#include "../../native/core/attention/attention_kernel.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include "checks.h"

namespace causal_tracer::test {
namespace {

struct Case {
  int64_t heads;
  int64_t key_heads;
  double softcap;
  bool biased;
  at::ScalarType dtype;
  double tolerance;
};

/// Attention of `[heads, length, size]` tensors in float64, written as in the literature.
at::Tensor Reference(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                     const at::Tensor& added, double scale, double softcap) {
  const int64_t groups = query.size(0) / key.size(0);
  const at::Tensor keys = key.repeat_interleave(groups, 0);
  at::Tensor logits = at::matmul(query, keys.transpose(1, 2)) * scale;
  if (softcap > 0.0) logits = (logits / softcap).tanh() * softcap;
  return at::matmul(at::softmax(logits + added, -1), value.repeat_interleave(groups, 0));
}

void RequireReference(const Case& tested) {
  constexpr int64_t kLength = 9;
  constexpr int64_t kSize = 20;
  constexpr int64_t kWindow = 4;
  at::manual_seed(3);
  const auto random = [&](int64_t heads) { return at::randn({heads, kLength, kSize}).to(tested.dtype); };
  const at::Tensor query = random(tested.heads);
  const at::Tensor key = random(tested.key_heads);
  const at::Tensor value = random(tested.key_heads);
  const at::Tensor positions = at::arange(kLength);
  const at::Tensor distance = positions.unsqueeze(1) - positions.unsqueeze(0);
  const at::Tensor seen = distance.ge(0).logical_and(distance.lt(kWindow));
  at::Tensor added = at::zeros({tested.biased ? tested.heads : 1, kLength, kLength});
  if (tested.biased) added = added + at::rand_like(added);
  added = added.masked_fill(seen.logical_not(), -1e9);

  const auto mask = ReadAttentionMask(tested.biased ? added.unsqueeze(0) : seen, kLength);
  if (!mask) throw std::runtime_error("a causal mask is refused");
  const at::Tensor queries = query.transpose(0, 1).contiguous();
  const at::Tensor keys = key.transpose(0, 1).contiguous();
  const at::Tensor values = value.transpose(0, 1).contiguous();
  const auto pointers = [](const at::Tensor& tokens) {
    std::vector<const std::byte*> result;
    for (int64_t i = 0; i < tokens.size(0); ++i) {
      result.push_back(static_cast<const std::byte*>(tokens[i].const_data_ptr()));
    }
    return result;
  };
  const auto query_pointers = pointers(queries);
  const auto key_pointers = pointers(keys);
  const auto value_pointers = pointers(values);
  std::vector<AttentionQuery> tokens;
  for (int32_t position = 0; position < kLength; ++position) {
    tokens.push_back({.query = query_pointers[static_cast<size_t>(position)],
                      .keys = key_pointers.data(),
                      .values = value_pointers.data(),
                      .position = position});
  }
  const at::Tensor output = at::empty({kLength, tested.heads, kSize}, tested.dtype);
  AttendTokens({.heads = tested.heads,
                .key_heads = tested.key_heads,
                .key_size = kSize,
                .value_size = kSize,
                .scale = 0.3F,
                .softcap = static_cast<float>(tested.softcap)},
               *mask, tokens, output);
  const at::Tensor expected = Reference(query.to(at::kDouble), key.to(at::kDouble), value.to(at::kDouble),
                                        added.to(at::kDouble), 0.3, tested.softcap);
  const double difference = (output.to(at::kDouble) - expected.transpose(0, 1)).abs().max().item<double>();
  Require(difference <= tested.tolerance, "attention differs by " + std::to_string(difference));
}

const Registration kernel("the attention kernel equals attention in float64", [] {
  const c10::InferenceMode inference_mode;
  RequireReference(
      {.heads = 4, .key_heads = 4, .softcap = 0.0, .biased = false, .dtype = at::kFloat, .tolerance = 2e-6});
  RequireReference(
      {.heads = 6, .key_heads = 2, .softcap = 0.0, .biased = true, .dtype = at::kFloat, .tolerance = 2e-6});
  RequireReference(
      {.heads = 4, .key_heads = 1, .softcap = 2.0, .biased = true, .dtype = at::kFloat, .tolerance = 2e-6});
  RequireReference({.heads = 4,
                    .key_heads = 2,
                    .softcap = 0.0,
                    .biased = false,
                    .dtype = at::kBFloat16,
                    .tolerance = 2e-2});
  RequireReference(
      {.heads = 4, .key_heads = 2, .softcap = 0.0, .biased = false, .dtype = at::kHalf, .tolerance = 2e-3});
});

const Registration masks("a mask that shows later keys, or none, is refused", [] {
  const c10::InferenceMode inference_mode;
  Require(!ReadAttentionMask(at::ones({3, 3}, at::kBool), 3).has_value(), "later keys");
  Require(!ReadAttentionMask(at::zeros({3, 3}, at::kBool), 3).has_value(), "no keys");
  const auto causal = ReadAttentionMask(std::nullopt, 3);
  Require(causal && causal->visible[2].size() == 3, "a missing mask is causal");
});

}  // namespace
}  // namespace causal_tracer::test
