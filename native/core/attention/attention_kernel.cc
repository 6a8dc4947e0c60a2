#include "attention_kernel.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <stdexcept>
#include <utility>

// The same function compiled for several processors, chosen when the addon is loaded.
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define CAUSAL_TRACER_EACH_PROCESSOR \
  __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define CAUSAL_TRACER_EACH_PROCESSOR
#endif

namespace causal_tracer {
namespace {

/// Below this an additive mask hides a key: its weight is exactly 0 in every floating dtype.
constexpr float kHidden = -1e4F;

// Inlined into each processor's copy of the caller.
template <typename T>
[[gnu::always_inline]] inline float Dot(const T* a, const T* b, int64_t size) {
  float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < size; ++i) sum += static_cast<float>(a[i]) * static_cast<float>(b[i]);
  return sum;
}

template <typename T>
[[gnu::always_inline]] inline void AddScaled(float* sum, float weight, const T* x, int64_t size) {
#pragma omp simd
  for (int64_t i = 0; i < size; ++i) sum[i] += weight * static_cast<float>(x[i]);
}

/// Turns logits into weights that sum up to 1.
[[gnu::always_inline]] inline void SoftmaxInPlace(std::span<float> logits) {
  const float largest = *std::ranges::max_element(logits);
  float total = 0.0F;
  for (float& logit : logits) {
    logit = std::exp(logit - largest);
    total += logit;
  }
  for (float& logit : logits) logit /= total;
}

/// Working space of one thread.
struct Scratch {
  std::vector<float> weights;
  std::vector<float> sum;
};

template <typename T>
[[gnu::always_inline]] inline void AttendToken(const AttentionSizes& sizes, const AttentionMask& mask,
                                               const AttentionQuery& token, T* output, Scratch& scratch) {
  const std::vector<int32_t>& visible = mask.visible[static_cast<size_t>(token.position)];
  scratch.weights.resize(visible.size());
  scratch.sum.resize(static_cast<size_t>(sizes.value_size));
  const int64_t length = static_cast<int64_t>(mask.visible.size());
  for (int64_t head = 0; head < sizes.heads; ++head) {
    const int64_t key_head = head * sizes.key_heads / sizes.heads;
    const T* query = reinterpret_cast<const T*>(token.query) + head * sizes.key_size;
    const float* bias = nullptr;
    if (mask.bias.defined()) {
      const int64_t bias_head = mask.bias.size(0) == 1 ? 0 : head;
      bias = mask.bias.const_data_ptr<float>() + (bias_head * length + token.position) * length;
    }
    for (size_t i = 0; i < visible.size(); ++i) {
      const T* key = reinterpret_cast<const T*>(token.keys[visible[i]]) + key_head * sizes.key_size;
      float logit = Dot(query, key, sizes.key_size) * sizes.scale;
      if (sizes.softcap > 0.0F) logit = std::tanh(logit / sizes.softcap) * sizes.softcap;
      scratch.weights[i] = bias == nullptr ? logit : logit + bias[visible[i]];
    }
    SoftmaxInPlace(scratch.weights);
    std::ranges::fill(scratch.sum, 0.0F);
    for (size_t i = 0; i < visible.size(); ++i) {
      const T* value = reinterpret_cast<const T*>(token.values[visible[i]]) + key_head * sizes.value_size;
      AddScaled(scratch.sum.data(), scratch.weights[i], value, sizes.value_size);
    }
    T* head_output = output + head * sizes.value_size;
    for (int64_t i = 0; i < sizes.value_size; ++i)
      head_output[i] = static_cast<T>(scratch.sum[static_cast<size_t>(i)]);
  }
}

template <typename T>
[[gnu::always_inline]] inline void AttendRange(const AttentionSizes& sizes, const AttentionMask& mask,
                                               std::span<const AttentionQuery> queries, T* output) {
  Scratch scratch;
  const int64_t width = sizes.heads * sizes.value_size;
  for (const AttentionQuery& query : queries) {
    AttendToken(sizes, mask, query, output, scratch);
    output += width;
  }
}

CAUSAL_TRACER_EACH_PROCESSOR void AttendFloats(const AttentionSizes& sizes, const AttentionMask& mask,
                                               std::span<const AttentionQuery> queries, float* output) {
  AttendRange(sizes, mask, queries, output);
}

template <typename T>
void AttendParallel(const AttentionSizes& sizes, const AttentionMask& mask,
                    const std::vector<AttentionQuery>& queries, const at::Tensor& output) {
  T* first = output.mutable_data_ptr<T>();
  const int64_t width = sizes.heads * sizes.value_size;
  constexpr int64_t kGrain = 4;
  at::parallel_for(0, static_cast<int64_t>(queries.size()), kGrain, [&](int64_t begin, int64_t end) {
    const auto part =
        std::span(queries).subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
    if constexpr (std::is_same_v<T, float>) {
      AttendFloats(sizes, mask, part, first + begin * width);
    } else {
      AttendRange(sizes, mask, part, first + begin * width);
    }
  });
}

}  // namespace

std::optional<AttentionMask> ReadAttentionMask(const std::optional<at::Tensor>& mask, int64_t length) {
  AttentionMask read;
  read.visible.resize(static_cast<size_t>(length));
  if (!mask) {
    for (int64_t query = 0; query < length; ++query) {
      for (int64_t key = 0; key <= query; ++key)
        read.visible[static_cast<size_t>(query)].push_back(static_cast<int32_t>(key));
    }
    return read;
  }
  at::Tensor added = mask->detach().cpu();
  if (added.scalar_type() == at::kBool) {
    added = added.logical_not().to(at::kFloat) * (10.0F * kHidden);
  }
  added = added.to(at::kFloat);
  while (added.dim() < 4) added = added.unsqueeze(0);
  added = added.select(0, 0).expand({-1, length, length}).contiguous();
  const auto values = added.accessor<float, 3>();
  const int64_t heads = added.size(0);
  bool biased = false;
  for (int64_t query = 0; query < length; ++query) {
    auto& visible = read.visible[static_cast<size_t>(query)];
    for (int64_t key = 0; key < length; ++key) {
      const bool seen = values[0][query][key] > kHidden;
      if (seen && key > query) return std::nullopt;
      if (!seen) continue;
      visible.push_back(static_cast<int32_t>(key));
      for (int64_t head = 0; head < heads; ++head) biased = biased || values[head][query][key] != 0.0F;
    }
    if (visible.empty()) return std::nullopt;
  }
  if (biased) read.bias = std::move(added);
  return read;
}

void AttendTokens(const AttentionSizes& sizes, const AttentionMask& mask,
                  const std::vector<AttentionQuery>& queries, const at::Tensor& output) {
  switch (output.scalar_type()) {
    case at::kFloat:
      return AttendParallel<float>(sizes, mask, queries, output);
    case at::kBFloat16:
      return AttendParallel<c10::BFloat16>(sizes, mask, queries, output);
    case at::kHalf:
      return AttendParallel<c10::Half>(sizes, mask, queries, output);
    default:
      throw std::runtime_error("attention runs in float32, bfloat16 or float16 only");
  }
}

}  // namespace causal_tracer
