#include "../../native/core/restore_window.h"

#include "checks.h"

namespace causal_tracer::test {
namespace {

void RequireWindow(int64_t layer, int64_t window, int64_t begin, int64_t end) {
  const RestoreWindow actual = RestoreWindowAround(layer, window, 12);
  const std::string where = "layer " + std::to_string(layer) + ", window " + std::to_string(window);
  RequireEqual(actual.begin, begin, where + ", begin");
  RequireEqual(actual.end, end, where + ", end");
}

// Python: range(max(0, layer - window // 2), min(12, layer - (-window // 2))).
const Registration windows("windows of 12 layers are clipped as in Python", [] {
  RequireWindow(0, 1, 0, 1);
  RequireWindow(11, 1, 11, 12);
  RequireWindow(5, 2, 4, 6);
  RequireWindow(5, 3, 4, 7);
  RequireWindow(0, 10, 0, 5);
  RequireWindow(6, 10, 1, 11);
  RequireWindow(11, 10, 6, 12);
  RequireWindow(3, 100, 0, 12);
});

}  // namespace
}  // namespace causal_tracer::test
