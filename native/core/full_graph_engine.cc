#include "full_graph_engine.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "restore_window.h"
#include "subject_noise.h"

namespace causal_tracer {
namespace {

/// One activation (or window of them) to restore; the first cell of a trace restores nothing and gives the
/// low score.
struct Cell {
  int64_t token = 0;
  int64_t layer = 0;
  RestoreWindow restored;
};

std::vector<Cell> ListCells(const TraceRequest& request) {
  const auto layers = static_cast<int64_t>(request.layer_modules.size());
  std::vector<Cell> cells = {Cell{}};
  for (int64_t token = request.token_begin; token < request.token_end; ++token) {
    for (int64_t layer = request.layer_begin; layer < request.layer_end; ++layer) {
      cells.push_back(
          {.token = token, .layer = layer, .restored = RestoreWindowAround(layer, request.window, layers)});
    }
  }
  return cells;
}

bool IsRange(int64_t begin, int64_t end, int64_t size) { return 0 <= begin && begin < end && end <= size; }

void CheckRequest(const TraceRequest& request) {
  const auto length = static_cast<int64_t>(request.input_ids.size());
  const auto layers = static_cast<int64_t>(request.layer_modules.size());
  if (!IsRange(request.subject_begin, request.subject_end, length) ||
      !IsRange(request.token_begin, request.token_end, length) ||
      !IsRange(request.layer_begin, request.layer_end, layers)) {
    throw Error(ErrorCode::kInvalidOption,
                "The subject, token or layer range does not lie inside the prompt's " +
                    std::to_string(length) + " tokens and the model's " + std::to_string(layers) +
                    " layers.");
  }
  if (request.samples < 1 || request.window < 1 || request.batch_size < 1) {
    throw Error(ErrorCode::kInvalidOption, "samples, window and batchSize must be at least 1.");
  }
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
    const std::vector<Cell> cells = ListCells(request_);
    total_rows_ = 1 + static_cast<int64_t>(cells.size()) * request_.samples;
    RunClean();
    const std::vector<double> means = RunCells(cells);
    result_.low_score = means[0];
    result_.scores.assign(request_.input_ids.size() * layers_.size(), static_cast<float>(means[0]));
    for (size_t i = 1; i < cells.size(); ++i) {
      const auto index =
          static_cast<size_t>(cells[i].token) * layers_.size() + static_cast<size_t>(cells[i].layer);
      result_.scores[index] = static_cast<float>(means[i]);
    }
    return std::move(result_);
  }

 private:
  void RunClean() {
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
    const at::Tensor probabilities = LastProbabilities(logits)[0];
    if (request_.answer_id && *request_.answer_id >= probabilities.size(0)) {
      throw Error(ErrorCode::kInvalidOption, "The answer id " + std::to_string(*request_.answer_id) +
                                                 " is outside the vocabulary of " +
                                                 std::to_string(probabilities.size(0)) + " tokens.");
    }
    result_.answer_id = request_.answer_id.value_or(probabilities.argmax().item<int64_t>());
    result_.high_score = probabilities[result_.answer_id].item<double>();
    Advance(1);
  }

  /// The mean probability of the answer for each cell.
  std::vector<double> RunCells(const std::vector<Cell>& cells) {
    const int64_t rows = static_cast<int64_t>(cells.size()) * request_.samples;
    std::vector<double> sums(cells.size(), 0.0);
    for (int64_t begin = 0; begin < rows; begin += request_.batch_size) {
      control_.ThrowIfStopped();
      const int64_t end = std::min(begin + request_.batch_size, rows);
      const at::Tensor probabilities = RunRows(cells, begin, end);
      const float* values = probabilities.const_data_ptr<float>();
      for (int64_t row = begin; row < end; ++row) {
        sums[static_cast<size_t>(row / request_.samples)] += values[row - begin];
      }
      Advance(end - begin);
    }
    for (double& sum : sums) sum /= static_cast<double>(request_.samples);
    return sums;
  }

  /// The answer's probability in rows `[begin, end)`, counted cell by cell, sample by sample; float32
  /// `[rows]`.
  at::Tensor RunRows(const std::vector<Cell>& cells, int64_t begin, int64_t end) {
    ForwardHooks hooks = model_.MakeHooks(control_);
    hooks.AddEdit(embedding_, [&](const at::Tensor& output) { return Corrupt(output, begin); });
    std::vector<Positions> restored(layers_.size());
    for (int64_t row = begin; row < end; ++row) {
      const Cell& cell = cells[static_cast<size_t>(row / request_.samples)];
      for (int64_t layer = cell.restored.begin; layer < cell.restored.end; ++layer) {
        restored[static_cast<size_t>(layer)].rows.push_back(row - begin);
        restored[static_cast<size_t>(layer)].positions.push_back(cell.token);
      }
    }
    for (size_t layer = 0; layer < layers_.size(); ++layer) {
      if (restored[layer].rows.empty()) continue;
      hooks.AddEdit(layers_[layer], [&, layer](const at::Tensor& output) {
        return Restore(output, restored[layer], clean_outputs_[layer]);
      });
    }
    const at::Tensor logits = model_.Run(input_ids_.expand({end - begin, -1}).contiguous(), hooked_, hooks);
    return LastProbabilities(logits).select(1, result_.answer_id).cpu().contiguous();
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

  /// `[batch, position, vocabulary]` logits to float32 probabilities of the last position, `[batch,
  /// vocabulary]`.
  static at::Tensor LastProbabilities(const at::Tensor& logits) {
    return at::softmax(logits.select(1, logits.size(1) - 1).to(at::kFloat), -1);
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
  int64_t total_rows_ = 0;
  int64_t done_rows_ = 0;
  TraceResult result_;
};

}  // namespace

TraceResult FullGraphEngine::Trace(const TraceRequest& request, const JobControl& control) {
  CheckRequest(request);
  try {
    return FullGraphTrace(model_, request, control).Run();
  } catch (const std::exception& exception) {
    const std::string context = "running batches of " + std::to_string(request.batch_size) + " rows of " +
                                std::to_string(request.input_ids.size()) + " tokens";
    const Error error = DescribeException(exception, ErrorCode::kModelRunFailed, context);
    if (error.code() != ErrorCode::kOutOfMemory) throw error;
    throw Error(ErrorCode::kOutOfMemory, std::string(error.what()) +
                                             " Lower batchSize or samples (batchSize is " +
                                             std::to_string(request.batch_size) + ").");
  }
}

}  // namespace causal_tracer
