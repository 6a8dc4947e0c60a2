#include "../../native/core/numpy_random.h"

#include <array>
#include <cmath>

#include "checks.h"

namespace causal_tracer::test {
namespace {

// Expected numbers: numpy.random.RandomState(seed).randn(3).
const Registration first_numbers("RandomState(seed).randn(3)", [] {
  struct Case {
    uint32_t seed;
    std::array<double, 3> expected;
  };
  for (const auto& [seed, expected] :
       {Case{1, {1.6243453636632417, -0.6117564136500754, -0.5281717522634557}},
        Case{42, {0.4967141530112327, -0.13826430117118466, 0.6476885381006925}}}) {
    std::array<double, 3> actual{};
    NumpyRandomState(seed).StandardNormal(actual);
    for (size_t i = 0; i < actual.size(); ++i) {
      Require(std::abs(actual[i] - expected[i]) < 1e-15,
              "seed " + std::to_string(seed) + ", number " + std::to_string(i));
    }
  }
});

const Registration odd_sizes("drawing in odd pieces continues the sequence", [] {
  std::array<double, 7> whole{};
  NumpyRandomState(7).StandardNormal(whole);
  std::array<double, 7> pieces{};
  NumpyRandomState random(7);
  random.StandardNormal(std::span(pieces).subspan(0, 3));
  random.StandardNormal(std::span(pieces).subspan(3, 1));
  random.StandardNormal(std::span(pieces).subspan(4));
  Require(whole == pieces, "the pieces differ from the whole");
});

}  // namespace
}  // namespace causal_tracer::test
