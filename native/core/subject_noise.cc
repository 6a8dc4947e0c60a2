#include "subject_noise.h"

#include <ATen/ops/empty.h>

#include <span>

#include "numpy_random.h"

namespace causal_tracer {

at::Tensor DrawSubjectNoise(uint32_t seed, int64_t samples, int64_t length, int64_t hidden, double scale) {
  const at::Tensor noise = at::empty({samples, length, hidden}, at::kDouble);
  NumpyRandomState random(seed);
  random.StandardNormal(std::span(noise.mutable_data_ptr<double>(), static_cast<size_t>(noise.numel())));
  return noise.mul_(scale);
}

}  // namespace causal_tracer
