#pragma once

#include <torch/csrc/jit/api/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hook_point.h"

namespace causal_tracer {

/// The input or output of one call of a module in a forward pass. Its index in FlatGraph::sites is the marker
/// operator's `id`.
struct Site {
  /// The module's name is like `transformer.h.0.mlp`; empty for the model itself.
  HookPoint point;
  /// Why there is no tensor to hook; empty where there is one.
  std::string unhookable;
};

/// A model's forward pass as one graph without calls, in which every module's input and output pass through
/// marker operators.
struct FlatGraph {
  std::shared_ptr<torch::jit::Graph> graph;
  std::vector<Site> sites;
};

/// Inlines a module's `forward`, marking the input and the output of each submodule call on the way.
/// Parameters and buffers become constants, so the graph's inputs are those of `forward` without the module.
/// The module's own graphs are left as they are.
///
/// Which tensor is "the output" of a call that returns a tuple: the first one that is not merely the callee's
/// own input handed back. Tracing orders a tuple by the caller's first use and adds aliases of inputs to it,
/// so the first element can be the residual stream; see docs/architecture.md. Such aliases are taken from
/// before the marked input: they stand for what the caller itself goes on with.
FlatGraph FlattenWithSites(const torch::jit::Module& module);

/// A copy of the flat graph that keeps only the markers of the given sites, ready to be compiled.
std::shared_ptr<torch::jit::Graph> KeepSites(const FlatGraph& flat, const std::vector<int64_t>& sites);

}  // namespace causal_tracer
