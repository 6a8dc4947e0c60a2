#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "error.h"
#include "job_control.h"
#include "restore_window.h"

namespace causal_tracer {

/// One activation to restore, or the middle of a window of them.
struct TraceCell {
  int64_t token = 0;
  int64_t layer = 0;
};

/// What to trace: one prompt, one kind of layer.
struct TraceRequest {
  /// `[position]`
  std::vector<int64_t> input_ids;
  std::string embedding_module;
  /// The traced kind's module of each layer.
  std::vector<std::string> layer_modules;
  /// Positions `[subject_begin, subject_end)` are corrupted.
  int64_t subject_begin = 0;
  int64_t subject_end = 0;
  /// Standard deviation of the noise.
  double noise = 0.0;
  uint32_t seed = 1;
  int64_t samples = 10;
  /// Layers restored together.
  int64_t window = 1;
  std::vector<TraceCell> cells;
  /// The token whose probability is measured; by default the clean run's most probable one.
  std::optional<int64_t> answer_id;
  /// Tokens whose mean logits are handed out beside the scores.
  std::vector<int64_t> logit_ids;
  /// Rows in flight at once; 0 leaves the number to the engine.
  int64_t batch_size = 0;
  /// Bytes for the values of the rows in flight, where the engine chooses their number.
  int64_t memory_in_flight = int64_t{384} * 1024 * 1024;
  bool include_layer_outputs = false;
};

/// What a trace cost.
struct TraceWork {
  /// Tokens that each token-wise piece of the model ran, in order; empty for engines that run it whole.
  std::vector<int64_t> tokens_by_stage;
  /// Multiplications (each with its addition) in the linear layers.
  int64_t multiplications = 0;
};

struct TraceResult {
  /// The answer's mean probability in each cell of the request.
  std::vector<double> scores;
  /// Mean logits of the request's `logit_ids`: of the clean run, the corrupted run, then each cell.
  std::vector<std::vector<double>> logits;
  /// Mean probability of the answer in the corrupted runs.
  double low_score = 0.0;
  /// Probability of the answer in the clean run.
  double high_score = 0.0;
  int64_t answer_id = 0;
  /// Clean outputs `[position, hidden]` of the layer modules by name, if asked for.
  std::map<std::string, at::Tensor> layer_outputs;
  /// The rows at once that the trace had to come down to because memory ran out; 0 if it did not.
  int64_t reduced_batch_size = 0;
  TraceWork work;
};

/// Whether two requests have the same clean and corrupted runs, whatever kinds of layer they trace.
bool ShareBaseRuns(const TraceRequest& a, const TraceRequest& b);

/// Ranges `[begin, end)` of neighbours that share their clean and corrupted runs, in order.
std::vector<std::pair<size_t, size_t>> GroupsWithSharedBaseRuns(const std::vector<TraceRequest>& requests);

/// Says of a failed trace what was wrong and what to do.
Error DescribeTraceFailure(const std::exception& exception, const TraceRequest& request);

/// Throws kInvalidOption for ranges that do not fit the prompt and the layers.
void CheckRequest(const TraceRequest& request);

/// Whole rows to run at once: the request's number, else `most` (on a GPU: more) or what fits the memory in
/// flight (on a GPU: half of its free memory) with logits at every position. `embedded` is `[..., hidden]`.
int64_t RowsAtOnce(const TraceRequest& request, int64_t most, const at::Tensor& embedded, int64_t vocabulary);

/// The layers that a cell restores.
inline RestoreWindow RestoredLayers(const TraceRequest& request, const TraceCell& cell) {
  return RestoreWindowAround(cell.layer, request.window, static_cast<int64_t>(request.layer_modules.size()));
}

/// A way to compute a trace. Every engine gives the same scores up to float rounding.
class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  /// The engine's name in results and options, e.g. `full`.
  virtual std::string_view name() const = 0;

  /// Makes what traces of these layers need, so that they need not; throws what they would. By default
  /// nothing.
  virtual void Prepare(const std::vector<std::string>& /*layer_modules*/) {}

  /// Throws kAborted between batches once the job is stopped, kModuleNotFound or kModuleNotHookable for
  /// modules that do not fit, kInvalidOption for ranges that do not fit, kOutOfMemory, kModelRunFailed.
  virtual TraceResult Trace(const TraceRequest& request, const JobControl& control) = 0;

  /// Traces in order; the results equal those of Trace. Progress counts over all of them. Neighbours that
  /// differ only in kind, window, cells or batch size may share work.
  virtual std::vector<TraceResult> TraceMany(const std::vector<TraceRequest>& requests,
                                             const JobControl& control);
};

}  // namespace causal_tracer
