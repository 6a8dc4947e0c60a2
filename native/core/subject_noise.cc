#include "subject_noise.h"

#include <ATen/ops/empty.h>

#include <limits>
#include <new>
#include <span>

#include "numpy_random.h"

namespace causal_tracer {

void RequireRoomForNoise(int64_t samples, int64_t length, int64_t hidden) {
  const double bytes = static_cast<double>(samples) * static_cast<double>(length) *
                       static_cast<double>(hidden) * sizeof(double);
  if (bytes > static_cast<double>(std::numeric_limits<int64_t>::max())) throw std::bad_alloc();
  // Not written to, so that the system only says whether there could be as much.
  at::empty({samples, length, hidden}, at::kDouble);
}

at::Tensor DrawSubjectNoise(uint32_t seed, int64_t samples, int64_t length, int64_t hidden, double scale) {
  const at::Tensor noise = at::empty({samples, length, hidden}, at::kDouble);
  NumpyRandomState random(seed);
  random.StandardNormal(std::span(noise.mutable_data_ptr<double>(), static_cast<size_t>(noise.numel())));
  return noise.mul_(scale);
}

}  // namespace causal_tracer
