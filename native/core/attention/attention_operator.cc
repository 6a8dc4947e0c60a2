#include "attention_operator.h"

#include <ATen/Tensor.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <torch/library.h>

#include <cmath>
#include <limits>
#include <optional>

namespace causal_tracer {
namespace {

at::Tensor Masked(const at::Tensor& logits, const std::optional<at::Tensor>& mask) {
  if (!mask) return logits;
  if (mask->scalar_type() != at::kBool) return logits + *mask;
  return logits.masked_fill(mask->logical_not(), -std::numeric_limits<double>::infinity());
}

at::Tensor SoftcappedAttention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                               const std::optional<at::Tensor>& mask, double scale, double softcap) {
  const int64_t groups = query.size(1) / key.size(1);
  const at::Tensor keys = key.repeat_interleave(groups, 1);
  const at::Tensor logits = at::matmul(query, keys.transpose(2, 3)) * scale;
  const at::Tensor weights = at::softmax(Masked((logits / softcap).tanh() * softcap, mask), -1);
  return at::matmul(weights, value.repeat_interleave(groups, 1));
}

at::Tensor Attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                     const std::optional<at::Tensor>& mask, std::optional<double> scale, double softcap,
                     bool causal) {
  if (softcap <= 0.0) {
    return at::scaled_dot_product_attention(query, key, value, mask, /*dropout_p=*/0.0, causal, scale,
                                            /*enable_gqa=*/query.size(1) != key.size(1));
  }
  std::optional<at::Tensor> allowed = mask;
  if (causal) allowed = at::ones({query.size(2), key.size(2)}, query.options().dtype(at::kBool)).tril();
  const double factor = scale.value_or(1.0 / std::sqrt(static_cast<double>(query.size(3))));
  return SoftcappedAttention(query, key, value, allowed, factor, softcap);
}

}  // namespace
}  // namespace causal_tracer

TORCH_LIBRARY_FRAGMENT(causal_tracer, library) {
  library.def(
      "attention(Tensor query, Tensor key, Tensor value, Tensor? mask, float? scale, float softcap, "
      "bool causal) -> Tensor");
}

TORCH_LIBRARY_IMPL(causal_tracer, CompositeExplicitAutograd, library) {
  library.impl("attention", TORCH_FN(causal_tracer::Attention));
}
