#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "forward_hooks.h"

namespace causal_tracer {

/// One change of what passes a hook point, at chosen rows and positions.
struct TensorEdit {
  enum class Operation { kSet, kAdd, kScale };

  Operation operation = Operation::kSet;
  /// Rows of the batch; empty stands for all. Negative ones count from the end.
  std::vector<int64_t> rows = {};
  /// Positions; as `rows`.
  std::vector<int64_t> positions = {};
  /// Any floating dtype, broadcast to `[row, position, ...]`. The result is rounded once to the tensor's
  /// dtype.
  at::Tensor values;
};

/// Applies `edits` in order. Rows and positions are those of a tensor `[batch, position, ...]`; edits of all
/// rows and positions fit every tensor. The hook throws kInvalidOption where one does not fit what it sees.
ForwardHooks::Edit ApplyEdits(const HookPoint& point, std::vector<TensorEdit> edits);

}  // namespace causal_tracer
