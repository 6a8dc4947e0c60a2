#include "tensor_edit.h"

#include <ATen/TensorIndexing.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>

#include <sstream>
#include <utility>

namespace causal_tracer {
namespace {

at::Tensor Changed(const at::Tensor& before, TensorEdit::Operation operation, const at::Tensor& values) {
  switch (operation) {
    case TensorEdit::Operation::kSet:
      return values.to(before.scalar_type()).expand_as(before);
    case TensorEdit::Operation::kAdd:
      return before.add(values);
    case TensorEdit::Operation::kScale:
      return before.mul(values);
  }
  return before;
}

/// One edit of one tensor.
class Application {
 public:
  Application(const HookPoint& point, const TensorEdit& edit, const at::Tensor& tensor)
      : point_(point), edit_(edit), tensor_(tensor) {}

  at::Tensor Result() const {
    if (edit_.rows.empty() && edit_.positions.empty()) return Change(tensor_).to(tensor_.scalar_type());
    if (tensor_.dim() < 2) ThrowUnfit("is not [batch, position, ...]");
    const at::Tensor rows = Index(edit_.rows, 0, "row").unsqueeze(1);
    const at::Tensor positions = Index(edit_.positions, 1, "position").unsqueeze(0);
    at::Tensor edited = tensor_.clone();
    const at::Tensor changed = Change(edited.index({rows, positions}));
    edited.index_put_({rows, positions}, changed.to(edited.scalar_type()));
    return edited;
  }

 private:
  at::Tensor Change(const at::Tensor& before) const {
    const at::Tensor values = edit_.values.to(before.device());
    if (!at::is_expandable_to(values.sizes(), before.sizes())) {
      std::ostringstream reason;
      reason << "does not take values of shape " << values.sizes() << " at a selection of shape "
             << before.sizes();
      ThrowUnfit(reason.str());
    }
    return Changed(before, edit_.operation, values);
  }

  at::Tensor Index(const std::vector<int64_t>& chosen, int64_t axis, const char* name) const {
    const int64_t size = tensor_.size(axis);
    const auto options = at::TensorOptions(at::kLong).device(tensor_.device());
    if (chosen.empty()) return at::arange(size, options);
    std::vector<int64_t> index;
    for (const int64_t number : chosen) {
      if (number < -size || number >= size) {
        ThrowUnfit("has no " + std::string(name) + " " + std::to_string(number));
      }
      index.push_back(number < 0 ? number + size : number);
    }
    return at::tensor(index, at::kLong).to(tensor_.device());
  }

  [[noreturn]] void ThrowUnfit(const std::string& reason) const {
    std::ostringstream message;
    message << "An edit does not fit " << Describe(point_) << ", whose shape is " << tensor_.sizes()
            << ": it " << reason << ".";
    throw Error(ErrorCode::kInvalidOption, message.str());
  }

  const HookPoint& point_;
  const TensorEdit& edit_;
  const at::Tensor& tensor_;
};

}  // namespace

ForwardHooks::Edit ApplyEdits(const HookPoint& point, std::vector<TensorEdit> edits) {
  return [point, edits = std::move(edits)](const at::Tensor& tensor) {
    at::Tensor edited = tensor;
    for (const TensorEdit& edit : edits) edited = Application(point, edit, edited).Result();
    return edited;
  };
}

}  // namespace causal_tracer
