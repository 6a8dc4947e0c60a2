#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace causal_tracer {

enum class Activation { kNone, kGelu, kGeluTanh, kRelu, kSilu };

/// The two ways to compute a linear layer.
enum class LinearKernel {
  /// What ATen does by itself: MKL or OpenBLAS.
  kDefault,
  /// oneDNN with the weight reordered once; the activation is applied in the same pass.
  kPrepacked,
};

/// `x W^T + b` with constant weights, and an activation of it. Not thread-safe while it is being packed;
/// afterwards any number of threads may use it.
class LinearLayer {
 public:
  /// `weight` is `[out, in]`; `bias` is `[out]` or undefined.
  LinearLayer(at::Tensor weight, at::Tensor bias);

  int64_t in() const { return in_; }
  int64_t out() const { return out_; }

  /// Whether this libtorch, processor and dtype have the prepacked kernel.
  bool CanPack() const;
  /// Reorders the weight for products with about `rows` rows and lets go of the original.
  void Pack(int64_t rows);

  /// `activation(x W^T + b)`: `[..., in]` to `[..., out]`.
  at::Tensor Run(const at::Tensor& x, Activation activation) const;

  /// Seconds that one product with `rows` rows takes with each kernel, on random input, the best of a few.
  double MeasureSeconds(LinearKernel kernel, int64_t rows) const;

 private:
  at::Tensor RunDefault(const at::Tensor& rows, Activation activation) const;
  at::Tensor RunPacked(const at::Tensor& rows, const at::Tensor& packed, Activation activation) const;
  at::Tensor Reordered(int64_t rows) const;

  /// One of the two is defined.
  at::Tensor weight_;
  at::Tensor packed_;
  at::Tensor bias_;
  int64_t in_;
  int64_t out_;
};

}  // namespace causal_tracer
