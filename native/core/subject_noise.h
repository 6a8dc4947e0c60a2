#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace causal_tracer {

/// Throws std::bad_alloc or libtorch's own error of too little memory where the noise of DrawSubjectNoise
/// could not be held.
void RequireRoomForNoise(int64_t samples, int64_t length, int64_t hidden);

/// The noise that corrupts the subject's token embeddings: `scale * RandomState(seed).randn(samples, length,
/// hidden)`, float64 `[samples, length, hidden]`. The same in every cell of a trace.
at::Tensor DrawSubjectNoise(uint32_t seed, int64_t samples, int64_t length, int64_t hidden, double scale);

}  // namespace causal_tracer
