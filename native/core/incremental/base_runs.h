#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "../engine.h"
#include "../readout.h"
#include "../traced_model.h"
#include "stage_graph.h"
#include "stage_runner.h"

namespace causal_tracer {

/// The runs that restore nothing: what all cells of a trace refer to.
struct BaseRuns {
  BaseRun clean;
  BaseRun corrupted;
  Readout readout;
  /// A readout's values: of the clean run, and of the corrupted run by sample.
  ReadoutValues clean_values = {};
  std::vector<ReadoutValues> corrupted_values = {};
};

/// What hidden states do not influence, and the embedding's output `[1, position, hidden]`.
struct EmbeddedPrompt {
  PromptContext context;
  at::Tensor embedded;
};

/// Runs what comes before the embedding's output. Throws UnsupportedGraph where attention is not causal.
EmbeddedPrompt EmbedPrompt(const TracedModel& model, const StageGraph& graph, const TraceRequest& request);

/// Computes the base runs through the stages of `graph`. `advance` is told of each stage's tokens.
/// `all_positions` keeps hidden states behind the last attention, too, for the clean run.
BaseRuns ComputeBaseRuns(const StageGraph& graph, const EmbeddedPrompt& prompt, const TraceRequest& request,
                         bool all_positions, const JobControl& control, TraceWork& work,
                         const std::function<void(int64_t)>& advance);

/// The base runs of `cut_finely`, a graph that is cut wherever `graph` is and elsewhere, as `graph` would
/// have them. They share tensors. nullopt where a value of `graph` comes later in the other one.
std::optional<BaseRuns> BaseRunsFor(const StageGraph& graph, const StageGraph& cut_finely,
                                    const BaseRuns& runs);

/// The stage that the last attention opens.
size_t LastAttention(const StageGraph& graph);

}  // namespace causal_tracer
