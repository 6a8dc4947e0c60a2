#include "numpy_random.h"

#include <cmath>

namespace causal_tracer {

void NumpyRandomState::StandardNormal(std::span<double> values) {
  for (double& value : values) value = NextNormal();
}

double NumpyRandomState::UniformDouble() {
  // 53 random bits in [0, 1), from the upper 27 and 26 bits of two draws.
  const uint32_t high = static_cast<uint32_t>(generator_()) >> 5U;
  const uint32_t low = static_cast<uint32_t>(generator_()) >> 6U;
  return (static_cast<double>(high) * 67108864.0 + static_cast<double>(low)) / 9007199254740992.0;
}

double NumpyRandomState::NextNormal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  double first = 0.0;
  double second = 0.0;
  double square = 0.0;
  do {
    first = 2.0 * UniformDouble() - 1.0;
    second = 2.0 * UniformDouble() - 1.0;
    square = first * first + second * second;
  } while (square >= 1.0 || square == 0.0);
  const double factor = std::sqrt(-2.0 * std::log(square) / square);
  spare_ = factor * first;
  has_spare_ = true;
  return factor * second;
}

}  // namespace causal_tracer
