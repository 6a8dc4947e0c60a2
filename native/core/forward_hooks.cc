#include "forward_hooks.h"

#include <sstream>
#include <utility>

namespace causal_tracer {
namespace {

void CheckFits(const std::string& module, const PositionEdit& edit, const at::Tensor& output) {
  const bool fits = output.dim() == 3 && edit.row < output.size(0) && edit.position < output.size(1) &&
                    edit.values.numel() == output.size(2);
  if (fits) return;
  std::ostringstream message;
  message << "An edit of " << edit.values.numel() << " values at row " << edit.row << ", position "
          << edit.position << " does not fit the output of " << module << ", whose shape is "
          << output.sizes() << ".";
  throw Error(ErrorCode::kInvalidOption, message.str());
}

}  // namespace

at::Tensor ForwardHooks::Observe(int64_t site, const at::Tensor& output) {
  control_.ThrowIfStopped();
  const std::string& module = modules_by_site_.at(static_cast<size_t>(site));
  at::Tensor edited = output;
  if (const auto edits = edits_.find(module); edits != edits_.end()) {
    for (const Edit& edit : edits->second) edited = edit(edited);
  }
  if (const auto captured = captured_.find(module); captured != captured_.end()) captured->second = edited;
  return edited;
}

ForwardHooks::Edit EditPositions(const std::string& module, std::vector<PositionEdit> edits) {
  return [module, edits = std::move(edits)](const at::Tensor& output) {
    at::Tensor edited = output.clone();
    for (const PositionEdit& edit : edits) {
      CheckFits(module, edit, output);
      const at::Tensor target = edited.select(0, edit.row).select(0, edit.position);
      if (edit.operation == PositionEdit::Operation::kSet) {
        target.copy_(edit.values);
      } else {
        target.add_(edit.values);
      }
    }
    return edited;
  };
}

}  // namespace causal_tracer
