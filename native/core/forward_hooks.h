#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "hook_point.h"
#include "job_control.h"
#include "site_operator.h"

namespace causal_tracer {

/// Forward hooks on the modules of one model for one run: edits of a module's input or output, then captures
/// of it, as PyTorch's register_forward_pre_hook and register_forward_hook would see them. A module that is
/// called several times is edited at every call and captured at the last.
class ForwardHooks final : public SiteObserver {
 public:
  /// Returns the new tensor; must not write into its argument.
  using Edit = std::function<at::Tensor(const at::Tensor& tensor)>;

  /// `points_by_site[i]` is the hook point of site `i`. Both references must outlive the hooks.
  ForwardHooks(const std::vector<HookPoint>& points_by_site, const JobControl& control)
      : points_by_site_(points_by_site), control_(control) {}

  /// Edits of one point are applied in the order in which they were added.
  void AddEdit(const HookPoint& point, Edit edit) { edits_[point].push_back(std::move(edit)); }
  void Capture(const HookPoint& point) { captured_[point]; }

  /// The last captured tensor of a point, after its edits; undefined if it was not reached.
  const at::Tensor& Captured(const HookPoint& point) const { return captured_.at(point); }

  at::Tensor Observe(int64_t site, const at::Tensor& tensor) override;

 private:
  const std::vector<HookPoint>& points_by_site_;
  const JobControl& control_;
  std::map<HookPoint, std::vector<Edit>> edits_;
  std::map<HookPoint, at::Tensor> captured_;
};

}  // namespace causal_tracer
