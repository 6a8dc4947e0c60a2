#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "../engine.h"
#include "../traced_model.h"
#include "base_runs.h"
#include "stage_graph.h"
#include "stage_needs.h"
#include "trace_plan.h"

namespace causal_tracer {

/// One trace of the incremental engine: the base runs, then the patched runs in waves.
class IncrementalTrace {
 public:
  /// All references must outlive the trace.
  IncrementalTrace(const TracedModel& model, const StageGraph& graph, const TraceRequest& request,
                   const JobControl& control);

  /// See IncrementalEngine.
  void InjectFaults(std::function<void(size_t, StagePlan&)> plan, std::function<void(StageState&)> state) {
    plan_fault_ = std::move(plan);
    state_fault_ = std::move(state);
  }

  /// To be called once, in inference mode. `bases` are this graph's base runs if they are known already.
  TraceResult Run(const BaseRuns* bases);

 private:
  /// Patched runs that are computed together.
  struct Wave {
    /// Numbers of the request's cells.
    std::vector<size_t> cells = {};
    int64_t sample_begin = 0;
    int64_t sample_end = 0;
    /// Distinct patched runs times samples.
    int64_t rows = 0;
    /// Its share of the progress.
    int64_t weight = 0;
  };

  std::vector<Wave> PlanWaves() const;
  int64_t MostRows(int64_t token) const;
  void RunWave(const Wave& wave, const EmbeddedPrompt& prompt, const BaseRuns& bases);
  std::map<std::string, at::Tensor> LayerOutputs(const BaseRun& clean) const;
  TraceResult Result(const BaseRuns& bases) const;
  void Advance(int64_t work);

  const TracedModel& model_;
  const StageGraph& graph_;
  const TraceRequest& request_;
  const JobControl& control_;
  TracePlan::Shape shape_;
  StageNeeds needs_;
  std::vector<TracePlan::Cell> cells_;
  /// By cell: the readout's values, summed over samples.
  std::vector<ReadoutValues> cell_sums_;
  TraceWork work_;
  int64_t done_ = 0;
  int64_t total_ = 0;
  std::function<void(size_t, StagePlan&)> plan_fault_;
  std::function<void(StageState&)> state_fault_;
};

}  // namespace causal_tracer
