#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <tuple>

#include "stage_graph.h"
#include "trace_plan.h"

namespace causal_tracer {

/// All outgoing values of a stage; for the last one the logits.
ValueSet AllValues(const StageGraph& graph, size_t stage);

/// What wanted values need of the stage before; remembers its answers.
class StageNeeds {
 public:
  explicit StageNeeds(const StageGraph& graph) : graph_(graph) {}

  TokenNeeds operator()(size_t stage, bool restored, ValueSet wanted);

 private:
  TokenNeeds Find(size_t stage, bool restored, ValueSet wanted) const;

  const StageGraph& graph_;
  std::map<std::tuple<size_t, bool, ValueSet>, TokenNeeds> known_;
};

/// What a plan has to know of a model's stages.
std::vector<PlannedStage> DescribeStages(const StageGraph& graph);

/// Bytes of float32 that a token holds in two neighbouring stages, the most there are at once.
int64_t BytesOfToken(const StageGraph& graph);

}  // namespace causal_tracer
