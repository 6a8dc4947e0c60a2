#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "job_control.h"

namespace causal_tracer {

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
  /// Cells `[token_begin, token_end) x [layer_begin, layer_end)` are computed.
  int64_t token_begin = 0;
  int64_t token_end = 0;
  int64_t layer_begin = 0;
  int64_t layer_end = 0;
  /// The token whose probability is measured; by default the clean run's most probable one.
  std::optional<int64_t> answer_id;
  /// Rows of one forward pass.
  int64_t batch_size = 32;
  bool include_layer_outputs = false;
};

struct TraceResult {
  /// Row-major `[position, layer]`; cells outside the asked range hold the low score.
  std::vector<float> scores;
  /// Mean probability of the answer in the corrupted runs.
  double low_score = 0.0;
  /// Probability of the answer in the clean run.
  double high_score = 0.0;
  int64_t answer_id = 0;
  /// Clean outputs `[position, hidden]` of the layer modules by name, if asked for.
  std::map<std::string, at::Tensor> layer_outputs;
};

/// A way to compute a trace. Every engine gives the same scores up to float rounding.
class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  /// The engine's name in results and options, e.g. `full`.
  virtual std::string_view name() const = 0;

  /// Throws kAborted between batches once the job is stopped, kModuleNotFound or kModuleNotHookable for
  /// modules that do not fit, kInvalidOption for ranges that do not fit, kOutOfMemory, kModelRunFailed.
  virtual TraceResult Trace(const TraceRequest& request, const JobControl& control) = 0;
};

}  // namespace causal_tracer
