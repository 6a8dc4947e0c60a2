#pragma once

#include <compare>
#include <cstdint>

#include "../restore_window.h"

namespace causal_tracer {

/// Which layers of one token have been restored so far: `[begin, end)`, as windows have no gaps. The empty
/// history is the corrupted run.
struct PatchHistory {
  int64_t begin = 0;
  int64_t end = 0;

  bool empty() const { return begin >= end; }
  auto operator<=>(const PatchHistory&) const = default;

  /// What a run that restores `window` has restored once layer `layer` is past.
  static PatchHistory After(int64_t layer, RestoreWindow window) {
    const int64_t end = std::min(window.end, layer + 1);
    return window.begin < end ? PatchHistory{.begin = window.begin, .end = end} : PatchHistory{};
  }
};

}  // namespace causal_tracer
