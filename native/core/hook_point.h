#pragma once

#include <compare>
#include <string>
#include <utility>
#include <vector>

namespace causal_tracer {

/// Which tensor of a module call a hook sees.
enum class HookAt {
  /// Its first tensor argument, in the order in which the module uses its arguments; refused if it holds
  /// whole
  /// numbers.
  kInput,
  /// Its first tensor result that is not an argument handed back. Results that nobody uses do not count:
  /// tracing
  /// drops them.
  kOutput,
};

/// A place for forward hooks: a module's input or output, at each of its calls.
struct HookPoint {
  std::string module;
  HookAt at = HookAt::kOutput;

  friend auto operator<=>(const HookPoint&, const HookPoint&) = default;
};

/// The outputs of modules.
inline std::vector<HookPoint> OutputsOf(const std::vector<std::string>& modules) {
  std::vector<HookPoint> points;
  points.reserve(modules.size());
  for (const std::string& module : modules) points.push_back({.module = module});
  return points;
}

/// `the output of transformer.h.0`, for messages.
inline std::string Describe(const HookPoint& point) {
  return (point.at == HookAt::kInput ? "the input of " : "the output of ") + point.module;
}

}  // namespace causal_tracer
