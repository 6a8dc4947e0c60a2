#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "../engine.h"
#include "../readout.h"
#include "../traced_model.h"
#include "stage_graph.h"
#include "stage_needs.h"
#include "stage_runner.h"
#include "trace_plan.h"

namespace causal_tracer {

/// One trace of the incremental engine, in the order in which it is computed: the clean run, the corrupted
/// run from the subject on, then the patched runs in waves.
class IncrementalTrace {
 public:
  /// All references must outlive the trace.
  IncrementalTrace(const TracedModel& model, const StageGraph& pieces, const TraceRequest& request,
                   const JobControl& control);

  /// See IncrementalEngine.
  void InjectFaults(std::function<void(size_t, StagePlan&)> plan, std::function<void(StageState&)> state) {
    plan_fault_ = std::move(plan);
    state_fault_ = std::move(state);
  }

  /// To be called once, in inference mode.
  TraceResult Run();

 private:
  /// Patched runs that are computed together.
  struct Wave {
    /// Numbers of the request's cells.
    std::vector<size_t> cells;
    int64_t sample_begin = 0;
    int64_t sample_end = 0;
    /// Distinct patched runs times samples.
    int64_t rows = 0;
    /// Its share of the progress.
    int64_t weight = 0;
  };
  /// A readout's values, or sums of them.
  using Values = std::vector<double>;

  void RunContext();
  void RunClean();
  void RunCorrupted();
  void RunWave(const Wave& wave);

  BaseRun RunBase(const BaseRun* clean, int64_t first, const at::Tensor& embedded, bool all_positions,
                  const StageRunner::TakeLogits& take_logits);
  StagePlan PlanBase(size_t stage, int64_t first, bool all_positions) const;
  at::Tensor CorruptedEmbedding() const;
  void KeepLayerOutputs();

  std::vector<Wave> PlanWaves() const;
  int64_t MostRows(int64_t token) const;
  TraceResult Result() const;
  void Advance(int64_t work);

  const TracedModel& model_;
  const StageGraph& pieces_;
  const TraceRequest& request_;
  const JobControl& control_;
  TracePlan::Shape shape_;
  size_t last_attention_ = 0;
  StageNeeds needs_;
  std::vector<TracePlan::Cell> cells_;

  PromptContext context_;
  /// The embedding's clean output, `[1, position, hidden]`.
  at::Tensor embedded_;
  BaseRun clean_;
  BaseRun corrupted_;

  Readout readout_;
  Values clean_values_;
  /// By sample.
  std::vector<Values> corrupted_values_;
  /// By cell, summed over samples.
  std::vector<Values> cell_sums_;
  std::map<std::string, at::Tensor> layer_outputs_;
  TraceWork work_;
  int64_t done_ = 0;
  int64_t total_ = 0;
  std::function<void(size_t, StagePlan&)> plan_fault_;
  std::function<void(StageState&)> state_fault_;
};

}  // namespace causal_tracer
