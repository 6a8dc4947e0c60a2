#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "job_control.h"
#include "site_operator.h"

namespace causal_tracer {

/// Forward hooks on the modules of one model for one run: edits of a module's output, then captures of it, as
/// PyTorch's register_forward_hook would see them. A module that is called several times is edited at every
/// call and captured at the last.
class ForwardHooks final : public SiteObserver {
 public:
  /// Returns the new output; must not write into its argument.
  using Edit = std::function<at::Tensor(const at::Tensor& output)>;

  /// `sites[i]` is the module of site `i`. Both references must outlive the hooks.
  ForwardHooks(const std::vector<std::string>& modules_by_site, const JobControl& control)
      : modules_by_site_(modules_by_site), control_(control) {}

  void AddEdit(const std::string& module, Edit edit) { edits_[module].push_back(std::move(edit)); }
  void Capture(const std::string& module) { captured_[module]; }

  /// The last captured output of a module, after its edits; undefined if it was not reached.
  const at::Tensor& Captured(const std::string& module) const { return captured_.at(module); }

  at::Tensor Observe(int64_t site, const at::Tensor& output) override;

 private:
  const std::vector<std::string>& modules_by_site_;
  const JobControl& control_;
  std::map<std::string, std::vector<Edit>> edits_;
  std::map<std::string, at::Tensor> captured_;
};

/// One change of a module's output `[batch, position, hidden]` at `[row, position, :]`.
struct PositionEdit {
  enum class Operation { kSet, kAdd };

  int64_t row = 0;
  int64_t position = 0;
  Operation operation = Operation::kSet;
  /// `[hidden]`, any floating dtype; converted to the output's.
  at::Tensor values;
};

/// An edit that applies `edits` in order. Throws kInvalidOption at run time where one does not fit the
/// output's shape.
ForwardHooks::Edit EditPositions(const std::string& module, std::vector<PositionEdit> edits);

}  // namespace causal_tracer
