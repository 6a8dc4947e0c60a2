#include "full_graph_engine.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "linear/linear_operator.h"
#include "readout.h"
#include "restore_window.h"
#include "subject_noise.h"

namespace causal_tracer {
namespace {

/// Rows of one forward pass, as in the Python package.
constexpr int64_t kDefaultBatchSize = 32;

/// The layers of one token that a run restores; the first run of a trace restores none and gives the low
/// score.
struct PatchedRun {
  int64_t token = 0;
  RestoreWindow restored;
};

std::vector<PatchedRun> ListRuns(const TraceRequest& request) {
  std::vector<PatchedRun> runs = {PatchedRun{}};
  for (const TraceCell& cell : request.cells) {
    runs.push_back({.token = cell.token, .restored = RestoredLayers(request, cell)});
  }
  return runs;
}

/// Hook targets must be hidden states, one vector a position.
void CheckHiddenState(const std::string& module, const at::Tensor& output, int64_t length) {
  if (output.dim() == 3 && output.size(0) == 1 && output.size(1) == length) return;
  std::ostringstream message;
  message << "The output of " << module << " has the shape " << output.sizes()
          << ", not [batch, position, hidden]"
          << " = [1, " << length << ", hidden]. Name another module in the layer config.";
  throw Error(ErrorCode::kModuleNotHookable, message.str());
}

/// The trace of one request, in the order in which it is computed.
class FullGraphTrace {
 public:
  FullGraphTrace(TracedModel& model, const TraceRequest& request, const JobControl& control)
      : model_(model),
        request_(request),
        control_(control),
        embedding_(model.ResolveModule(request.embedding_module)) {
    for (const std::string& module : request.layer_modules) layers_.push_back(model.ResolveModule(module));
    hooked_ = layers_;
    hooked_.push_back(embedding_);
    input_ids_ = at::tensor(request.input_ids, at::kLong).unsqueeze(0);
  }

  TraceResult Run() {
    const c10::InferenceMode inference_mode;
    const std::vector<PatchedRun> runs = ListRuns(request_);
    total_rows_ = 1 + static_cast<int64_t>(runs.size()) * request_.samples;
    const int64_t multiplications = LinearMultiplications();
    result_.logits.push_back(RunClean());
    for (const ReadoutValues& mean : RunPatched(runs)) {
      result_.scores.push_back(mean[0]);
      result_.logits.emplace_back(mean.begin() + 1, mean.end());
    }
    result_.low_score = result_.scores[0];
    result_.scores.erase(result_.scores.begin());
    result_.work.multiplications = LinearMultiplications() - multiplications;
    return std::move(result_);
  }

 private:
  /// Returns the clean run's logits of the request's `logit_ids`.
  std::vector<double> RunClean() {
    ForwardHooks hooks = model_.MakeHooks(control_);
    hooks.Capture(embedding_);
    for (const std::string& layer : layers_) hooks.Capture(layer);
    const at::Tensor logits = model_.Run(input_ids_, hooked_, hooks);
    const int64_t length = input_ids_.size(1);
    const at::Tensor& embedded = hooks.Captured(embedding_);
    CheckHiddenState(request_.embedding_module, embedded, length);
    for (size_t i = 0; i < layers_.size(); ++i) {
      const at::Tensor& output = hooks.Captured(layers_[i]);
      CheckHiddenState(request_.layer_modules[i], output, length);
      clean_outputs_.push_back(output[0].clone());
      if (request_.include_layer_outputs)
        result_.layer_outputs[request_.layer_modules[i]] = clean_outputs_.back();
    }
    noise_ = DrawSubjectNoise(request_.seed, request_.samples, request_.subject_end - request_.subject_begin,
                              embedded.size(2), request_.noise)
                 .to(embedded.device());
    const at::Tensor last = logits.select(1, length - 1);
    if (request_.answer_id) CheckAnswer(*request_.answer_id, last.size(1));
    readout_ = {.answer_id = request_.answer_id.value_or(MostProbable(last[0])),
                .logit_ids = request_.logit_ids};
    const ReadoutValues values = readout_.Read(last).at(0);
    result_.answer_id = readout_.answer_id;
    result_.high_score = values[0];
    Advance(1);
    return {values.begin() + 1, values.end()};
  }

  /// For each run the readout's mean over its samples.
  std::vector<ReadoutValues> RunPatched(const std::vector<PatchedRun>& runs) {
    const int64_t rows = static_cast<int64_t>(runs.size()) * request_.samples;
    const auto width = static_cast<size_t>(readout_.width());
    std::vector<ReadoutValues> sums(runs.size(), ReadoutValues(width));
    const int64_t batch_size = request_.batch_size > 0 ? request_.batch_size : kDefaultBatchSize;
    for (int64_t begin = 0; begin < rows; begin += batch_size) {
      control_.ThrowIfStopped();
      const int64_t end = std::min(begin + batch_size, rows);
      const std::vector<ReadoutValues> read = RunRows(runs, begin, end);
      for (int64_t row = begin; row < end; ++row) {
        AddTo(sums[static_cast<size_t>(row / request_.samples)], read[static_cast<size_t>(row - begin)]);
      }
      Advance(end - begin);
    }
    for (ReadoutValues& sum : sums) sum = Mean(sum, request_.samples);
    return sums;
  }

  /// The readout of rows `[begin, end)`, counted run by run, sample by sample.
  std::vector<ReadoutValues> RunRows(const std::vector<PatchedRun>& runs, int64_t begin, int64_t end) {
    ForwardHooks hooks = model_.MakeHooks(control_);
    hooks.AddEdit(embedding_, [&](const at::Tensor& output) { return Corrupt(output, begin); });
    std::vector<Positions> restored(layers_.size());
    for (int64_t row = begin; row < end; ++row) {
      const PatchedRun& run = runs[static_cast<size_t>(row / request_.samples)];
      for (int64_t layer = run.restored.begin; layer < run.restored.end; ++layer) {
        restored[static_cast<size_t>(layer)].rows.push_back(row - begin);
        restored[static_cast<size_t>(layer)].positions.push_back(run.token);
      }
    }
    for (size_t layer = 0; layer < layers_.size(); ++layer) {
      if (restored[layer].rows.empty()) continue;
      hooks.AddEdit(layers_[layer], [&, layer](const at::Tensor& output) {
        return Restore(output, restored[layer], clean_outputs_[layer]);
      });
    }
    const at::Tensor logits = model_.Run(input_ids_.expand({end - begin, -1}).contiguous(), hooked_, hooks);
    return readout_.Read(logits.select(1, logits.size(1) - 1));
  }

  struct Positions {
    std::vector<int64_t> rows;
    std::vector<int64_t> positions;
  };

  /// Adds each row's noise to the subject's embeddings. The noise stays float64, so that the sum is rounded
  /// once.
  at::Tensor Corrupt(const at::Tensor& output, int64_t first_row) const {
    at::Tensor corrupted = output.clone();
    for (int64_t i = 0; i < output.size(0); ++i) {
      corrupted[i]
          .slice(0, request_.subject_begin, request_.subject_end)
          .add_(noise_[(first_row + i) % request_.samples]);
    }
    return corrupted;
  }

  static at::Tensor Restore(const at::Tensor& output, const Positions& where, const at::Tensor& clean) {
    at::Tensor restored = output.clone();
    const auto index = [&](const std::vector<int64_t>& values) {
      return at::tensor(values, at::kLong).to(output.device());
    };
    const at::Tensor positions = index(where.positions);
    restored.index_put_({index(where.rows), positions}, clean.index_select(0, positions));
    return restored;
  }

  void Advance(int64_t rows) {
    done_rows_ += rows;
    control_.ReportProgress(done_rows_, total_rows_);
  }

  TracedModel& model_;
  const TraceRequest& request_;
  const JobControl& control_;
  std::string embedding_;
  std::vector<std::string> layers_;
  std::vector<std::string> hooked_;
  at::Tensor input_ids_;
  /// Clean outputs `[position, hidden]` of each layer.
  std::vector<at::Tensor> clean_outputs_;
  /// float64 `[samples, subject length, hidden]`.
  at::Tensor noise_;
  Readout readout_;
  int64_t total_rows_ = 0;
  int64_t done_rows_ = 0;
  TraceResult result_;
};

}  // namespace

TraceResult FullGraphEngine::Trace(const TraceRequest& request, const JobControl& control) {
  CheckRequest(request);
  return FullGraphTrace(model_, request, control).Run();
}

}  // namespace causal_tracer
