#pragma once

#include <algorithm>
#include <cstdint>

namespace causal_tracer {

/// The layers `[begin, end)` that are restored together.
struct RestoreWindow {
  int64_t begin = 0;
  int64_t end = 0;
};

/// `window` layers around `layer`, clipped to `[0, layers)`: from `layer - floor(window / 2)` to
/// `layer + ceil(window / 2)` (ROME, experiments/causal_trace.py, trace_important_window).
inline RestoreWindow RestoreWindowAround(int64_t layer, int64_t window, int64_t layers) {
  return {.begin = std::max<int64_t>(0, layer - window / 2),
          .end = std::min(layers, layer + (window + 1) / 2)};
}

}  // namespace causal_tracer
