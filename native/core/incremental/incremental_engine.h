#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../engine.h"
#include "../traced_model.h"
#include "base_runs.h"
#include "decoder_graph.h"
#include "stage_graph.h"
#include "stage_runner.h"
#include "trace_plan.h"

namespace causal_tracer {

/// Computes a trace from what differs: a patched run equals the corrupted run at every layer before the first
/// restored one and at every position before the restored one, and runs that restored the same layers so far
/// are one run. See docs/engine.md.
class IncrementalEngine final : public Engine {
 public:
  /// `model` and `graph`, which has been prepared for it, must outlive the engine.
  IncrementalEngine(const TracedModel& model, const DecoderGraph& graph) : model_(model), graph_(graph) {}

  /// For tests: changes what is planned, or what is known after a stage, to see that the proof notices.
  using PlanFault = std::function<void(size_t stage, StagePlan& plan)>;
  using StateFault = std::function<void(StageState& state)>;
  void InjectFault(PlanFault fault) { plan_fault_ = std::move(fault); }
  void InjectStateFault(StateFault fault) { state_fault_ = std::move(fault); }

  std::string_view name() const override { return "incremental"; }

  /// Throws UnsupportedGraph, too.
  void Prepare(const std::vector<std::string>& layer_modules) override;

  /// Throws as Engine::Trace, and UnsupportedGraph where the model cannot be cut into token-wise pieces.
  TraceResult Trace(const TraceRequest& request, const JobControl& control) override;

  std::vector<TraceResult> TraceMany(const std::vector<TraceRequest>& requests,
                                     const JobControl& control) override;

 private:
  void TraceSharing(const std::vector<TraceRequest>& requests, size_t begin, size_t end,
                    const JobControl& control, std::vector<TraceResult>& results);
  TraceResult TraceOn(const TraceRequest& request, const BaseRuns* bases, const JobControl& control);
  const StageGraph& GraphFor(const std::vector<std::string>& layer_modules);

  const TracedModel& model_;
  const DecoderGraph& graph_;
  std::map<std::vector<std::string>, std::unique_ptr<StageGraph>> graphs_;
  PlanFault plan_fault_;
  StateFault state_fault_;
};

}  // namespace causal_tracer
