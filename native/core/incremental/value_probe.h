#pragma once

#include <ATen/core/ivalue.h>
#include <torch/csrc/jit/ir/ir.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

namespace causal_tracer {

/// What an axis of a tensor, or a whole number, counts.
enum class Extent {
  /// Nothing that changes with the input.
  kConstant,
  kBatch,
  kPosition,
  /// Batch times position: the two axes merged.
  kBatchPosition,
  /// Something else that changes with the input.
  kUnknown,
};

/// How one value of a graph changes with the input's batch size and length.
struct ProbedValue {
  bool is_tensor = false;
  /// A tensor's axes; empty for a scalar.
  std::vector<Extent> axes = {};
  /// A tensor's sizes at the first probe.
  std::vector<int64_t> sizes = {};
  /// What a scalar (a number, a truth value, None, or an integer tensor without axes) counts.
  Extent extent = Extent::kUnknown;
  /// A scalar's value at the first probe.
  c10::IValue scalar;

  bool IsScalar() const { return !is_tensor || !scalar.isNone(); }
  /// The only axis that counts `extent`; nullopt if there is none or more than one.
  std::optional<int64_t> AxisOf(Extent wanted) const;
  int64_t CountAxes(Extent wanted) const;
};

using ProbedValues = std::unordered_map<const torch::jit::Value*, ProbedValue>;

/// Runs a graph without inner blocks at three sizes of input and compares every value's shape or number, so
/// that what depends on batch size and length is seen, not assumed. Linear layers are not computed: their
/// numbers change no shape.
///
/// `make_inputs(batch, length)` gives the graph's inputs.
ProbedValues ProbeValues(torch::jit::Graph& graph,
                         const std::function<std::vector<c10::IValue>(int64_t, int64_t)>& make_inputs);

}  // namespace causal_tracer
