#pragma once

#include <cstdint>
#include <random>
#include <span>

namespace causal_tracer {

/// Standard normal numbers as numpy's `RandomState(seed).randn` draws them: MT19937 and the polar form of the
/// Box-Muller transform (Marsaglia & Bray 1964), two numbers a pair, the second of which is handed out first.
class NumpyRandomState {
 public:
  explicit NumpyRandomState(uint32_t seed) : generator_(seed) {}

  /// Fills `values` in order; successive calls continue the sequence.
  void StandardNormal(std::span<double> values);

 private:
  double UniformDouble();
  double NextNormal();

  std::mt19937 generator_;
  bool has_spare_ = false;
  double spare_ = 0.0;
};

}  // namespace causal_tracer
