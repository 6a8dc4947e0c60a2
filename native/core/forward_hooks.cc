#include "forward_hooks.h"

namespace causal_tracer {
namespace {

/// Tracing drops arguments that nobody computes with, and what is left then need not be what Python hands
/// over first.
void RequireActivation(const HookPoint& point, const at::Tensor& tensor) {
  if (point.at == HookAt::kOutput || tensor.is_floating_point()) return;
  throw Error(
      ErrorCode::kModuleNotHookable,
      "There is no hook for " + Describe(point) +
          ": the first tensor that it uses holds whole numbers (token ids, positions or indices), not "
          "activations. Hook the output, or another module.");
}

}  // namespace

at::Tensor ForwardHooks::Observe(int64_t site, const at::Tensor& tensor) {
  control_.ThrowIfStopped();
  const HookPoint& point = points_by_site_.at(static_cast<size_t>(site));
  const auto edits = edits_.find(point);
  const auto captured = captured_.find(point);
  at::Tensor edited = tensor;
  if (edits != edits_.end()) {
    RequireActivation(point, tensor);
    for (const Edit& edit : edits->second) edited = edit(edited);
  }
  if (captured != captured_.end()) {
    RequireActivation(point, tensor);
    captured->second = edited;
  }
  return edited;
}

}  // namespace causal_tracer
