#include "full_graph_engine.h"

#include <ATen/DeviceAccelerator.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <limits>
#include <map>
#include <span>
#include <sstream>
#include <utility>

#include "linear/linear_operator.h"
#include "readout.h"
#include "restore_window.h"
#include "subject_noise.h"

namespace causal_tracer {
namespace {

/// Rows of one forward pass, as in the Python package, unless they need too much memory.
constexpr int64_t kFullGraphBatchSize = 32;

/// The layers of one token that a run restores; the first run of a trace restores none and gives the low
/// score.
struct PatchedRun {
  /// Number of the request that it belongs to.
  size_t request = 0;
  int64_t token = 0;
  RestoreWindow restored;
};

/// The runs of requests that share the first one.
std::vector<PatchedRun> ListRuns(std::span<const TraceRequest> requests) {
  std::vector<PatchedRun> runs = {PatchedRun{}};
  for (size_t i = 0; i < requests.size(); ++i) {
    for (const TraceCell& cell : requests[i].cells) {
      runs.push_back({.request = i, .token = cell.token, .restored = RestoredLayers(requests[i], cell)});
    }
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

/// The traces of requests that share their clean and corrupted runs, in the order in which they are computed.
class FullGraphTrace {
 public:
  FullGraphTrace(TracedModel& model, std::span<const TraceRequest> requests, const JobControl& control)
      : model_(model),
        requests_(requests),
        base_(requests.front()),
        control_(control),
        embedding_(model.ResolveModule(base_.embedding_module)),
        hooked_{HookPoint{.module = embedding_}} {
    for (const TraceRequest& request : requests) {
      layers_.push_back(model.ResolveModules(request.layer_modules));
      const std::vector<HookPoint> outputs = OutputsOf(layers_.back());
      hooked_.insert(hooked_.end(), outputs.begin(), outputs.end());
    }
    input_ids_ = at::tensor(base_.input_ids, at::kLong).unsqueeze(0);
    results_.resize(requests.size());
  }

  std::vector<TraceResult> Run() {
    const c10::InferenceMode inference_mode;
    const std::vector<PatchedRun> runs = ListRuns(requests_);
    total_rows_ = 1 + static_cast<int64_t>(runs.size()) * base_.samples;
    const int64_t multiplications = LinearMultiplications();
    const std::vector<double> clean_logits = RunClean();
    const std::vector<ReadoutValues> means = RunPatched(runs);
    for (TraceResult& result : results_) {
      result.low_score = means[0][0];
      result.logits = {clean_logits, LogitsOf(means[0])};
    }
    for (size_t run = 1; run < runs.size(); ++run) {
      TraceResult& result = results_[runs[run].request];
      result.scores.push_back(means[run][0]);
      result.logits.push_back(LogitsOf(means[run]));
    }
    results_[0].work.multiplications = LinearMultiplications() - multiplications;
    return std::move(results_);
  }

 private:
  static std::vector<double> LogitsOf(const ReadoutValues& values) {
    return {values.begin() + 1, values.end()};
  }

  /// Returns the clean run's logits of the requests' `logit_ids`.
  std::vector<double> RunClean() {
    ForwardHooks hooks = model_.MakeHooks(control_);
    for (const HookPoint& point : hooked_) hooks.Capture(point);
    const at::Tensor logits = model_.Run(input_ids_, hooked_, hooks);
    const int64_t length = input_ids_.size(1);
    const at::Tensor& embedded = hooks.Captured({.module = embedding_});
    CheckHiddenState(base_.embedding_module, embedded, length);
    for (size_t i = 0; i < requests_.size(); ++i) KeepCleanOutputs(i, hooks);
    noise_ = DrawSubjectNoise(base_.seed, base_.samples, base_.subject_end - base_.subject_begin,
                              embedded.size(2), base_.noise)
                 .to(embedded.device());
    const at::Tensor last = logits.select(1, length - 1);
    if (base_.answer_id) CheckAnswer(*base_.answer_id, last.size(1));
    readout_ = {.answer_id = base_.answer_id.value_or(MostProbable(last[0])), .logit_ids = base_.logit_ids};
    const ReadoutValues values = readout_.Read(last).at(0);
    batch_size_ = std::numeric_limits<int64_t>::max();
    for (size_t i = 0; i < requests_.size(); ++i) {
      results_[i].answer_id = readout_.answer_id;
      results_[i].high_score = values[0];
      batch_size_ =
          std::min(batch_size_, RowsAtOnce(requests_[i], kFullGraphBatchSize, embedded, last.size(1)));
    }
    Advance(1);
    return LogitsOf(values);
  }

  void KeepCleanOutputs(size_t number, const ForwardHooks& hooks) {
    const TraceRequest& request = requests_[number];
    for (size_t i = 0; i < layers_[number].size(); ++i) {
      const at::Tensor& output = hooks.Captured({.module = layers_[number][i]});
      CheckHiddenState(request.layer_modules[i], output, input_ids_.size(1));
      at::Tensor& clean = clean_outputs_[layers_[number][i]];
      if (!clean.defined()) clean = output[0].clone();
      if (request.include_layer_outputs) results_[number].layer_outputs[request.layer_modules[i]] = clean;
    }
  }

  /// For each run the readout's mean over its samples.
  std::vector<ReadoutValues> RunPatched(const std::vector<PatchedRun>& runs) {
    const int64_t rows = static_cast<int64_t>(runs.size()) * base_.samples;
    // Kept on the device until the end: copying out waits for all that is under way there.
    std::vector<at::Tensor> measured;
    for (int64_t begin = 0; begin < rows;) {
      control_.ThrowIfStopped();
      const int64_t end = std::min(begin + batch_size_, rows);
      try {
        measured.push_back(RunRows(runs, begin, end));
      } catch (const std::exception& exception) {
        if (!MayTryFewerRows(exception, end - begin)) throw;
        TryFewerRows(end - begin);
        continue;
      }
      Advance(end - begin);
      begin = end;
    }
    const std::vector<ReadoutValues> read = Readout::RowsOf(at::cat(measured));
    std::vector<ReadoutValues> sums(runs.size(), ReadoutValues(static_cast<size_t>(readout_.width())));
    for (size_t row = 0; row < read.size(); ++row) {
      AddTo(sums[row / static_cast<size_t>(base_.samples)], read[row]);
    }
    for (ReadoutValues& sum : sums) sum = Mean(sum, base_.samples);
    return sums;
  }

  /// Whether `rows` were too many for the memory, and are not the caller's choice.
  bool MayTryFewerRows(const std::exception& exception, int64_t rows) const {
    const bool chosen =
        std::ranges::any_of(requests_, [](const TraceRequest& request) { return request.batch_size > 0; });
    if (chosen || rows == 1) return false;
    const Error error = DescribeException(exception, ErrorCode::kModelRunFailed, "tracing");
    return error.code() == ErrorCode::kOutOfMemory;
  }

  void TryFewerRows(int64_t rows) {
    batch_size_ = std::max<int64_t>(1, rows / 2);
    for (TraceResult& result : results_) result.reduced_batch_size = batch_size_;
    // What failed can have left pieces in the allocator's cache that are too small for what comes.
    if (!model_.device().is_cpu()) at::accelerator::emptyCache();
  }

  /// What is measured in rows `[begin, end)`, counted run by run, sample by sample.
  at::Tensor RunRows(const std::vector<PatchedRun>& runs, int64_t begin, int64_t end) {
    ForwardHooks hooks = model_.MakeHooks(control_);
    hooks.AddEdit({.module = embedding_}, [&](const at::Tensor& output) { return Corrupt(output, begin); });
    std::map<std::string, Positions> restored;
    for (int64_t row = begin; row < end; ++row) {
      const PatchedRun& run = runs[static_cast<size_t>(row / base_.samples)];
      for (int64_t layer = run.restored.begin; layer < run.restored.end; ++layer) {
        Positions& positions = restored[layers_[run.request][static_cast<size_t>(layer)]];
        positions.rows.push_back(row - begin);
        positions.positions.push_back(run.token);
      }
    }
    for (const auto& [module, positions] : restored) {
      hooks.AddEdit({.module = module},
                    [&positions, &clean = clean_outputs_.at(module)](const at::Tensor& output) {
                      return Restore(output, positions, clean);
                    });
    }
    const at::Tensor logits = model_.Run(input_ids_.expand({end - begin, -1}).contiguous(), hooked_, hooks);
    return readout_.Measure(logits.select(1, logits.size(1) - 1));
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
          .slice(0, base_.subject_begin, base_.subject_end)
          .add_(noise_[(first_row + i) % base_.samples]);
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
  std::span<const TraceRequest> requests_;
  /// The request whose clean and corrupted runs are all requests'.
  const TraceRequest& base_;
  const JobControl& control_;
  std::string embedding_;
  /// By request.
  std::vector<std::vector<std::string>> layers_;
  std::vector<HookPoint> hooked_;
  at::Tensor input_ids_;
  /// Clean outputs `[position, hidden]` by module.
  std::map<std::string, at::Tensor> clean_outputs_;
  /// float64 `[samples, subject length, hidden]`.
  at::Tensor noise_;
  Readout readout_;
  int64_t batch_size_ = 1;
  int64_t total_rows_ = 0;
  int64_t done_rows_ = 0;
  std::vector<TraceResult> results_;
};

}  // namespace

TraceResult FullGraphEngine::Trace(const TraceRequest& request, const JobControl& control) {
  return std::move(TraceMany({request}, control)[0]);
}

std::vector<TraceResult> FullGraphEngine::TraceMany(const std::vector<TraceRequest>& requests,
                                                    const JobControl& control) {
  for (const TraceRequest& request : requests) CheckRequest(request);
  const auto count = static_cast<int64_t>(requests.size());
  std::vector<TraceResult> results;
  for (const auto& [begin, end] : GroupsWithSharedBaseRuns(requests)) {
    const auto part = control.Part(static_cast<int64_t>(begin), static_cast<int64_t>(end - begin), count);
    const std::span<const TraceRequest> group(requests.data() + begin, end - begin);
    for (TraceResult& result : FullGraphTrace(model_, group, part).Run())
      results.push_back(std::move(result));
  }
  return results;
}

}  // namespace causal_tracer
