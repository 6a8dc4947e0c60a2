#pragma once

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/interpreter.h>

#include <memory>
#include <string>
#include <vector>

#include "site_operator.h"

namespace causal_tracer {

/// A compiled graph. It is run by an interpreter state of its own: no profiling executor, no fuser, nothing
/// recompiled for a new shape. May be run from several threads at once.
class Program {
 public:
  explicit Program(const std::shared_ptr<torch::jit::Graph>& graph);

  /// Runs the graph on `inputs` and returns its outputs; `observer` sees the marked module
  /// outputs. Whatever the observer throws comes out as it was thrown. Errors: whatever libtorch throws.
  std::vector<c10::IValue> Run(std::vector<c10::IValue> inputs, SiteObserver& observer) const;
  /// The same with nobody watching.
  std::vector<c10::IValue> Run(std::vector<c10::IValue> inputs) const;

 private:
  torch::jit::Code code_;
};

}  // namespace causal_tracer
