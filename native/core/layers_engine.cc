#include "layers_engine.h"

#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <utility>

#include "linear/linear_operator.h"
#include "readout.h"
#include "subject_noise.h"

namespace causal_tracer {
namespace {

/// Rows of one batch, unless the caller says otherwise or they need too much memory.
constexpr int64_t kLayersBatchSize = 64;

/// The outgoing values of a stage, `[row, ...]` each.
using RowState = std::vector<at::Tensor>;

/// One row of a batch: a cell in one sample.
struct PatchedRow {
  size_t cell = 0;
  int64_t sample = 0;
};

class LayersTrace {
 public:
  LayersTrace(const TracedModel& model, const StageGraph& graph, const TraceRequest& request,
              const JobControl& control)
      : model_(model),
        graph_(graph),
        request_(request),
        control_(control),
        length_(static_cast<int64_t>(request.input_ids.size())) {}

  TraceResult Run() {
    const int64_t multiplications = LinearMultiplications();
    total_ = 1 + request_.samples * (1 + static_cast<int64_t>(request_.cells.size()));
    RunContext();
    RunClean();
    RunCorrupted();
    for (auto& [stage, rows] : RowsByFirstStage()) {
      for (size_t begin = 0; begin < rows.size(); begin += batch_size_) {
        const size_t end = std::min(begin + batch_size_, rows.size());
        RunPatched(stage, {rows.data() + begin, rows.data() + end});
      }
    }
    result_.work.multiplications = LinearMultiplications() - multiplications;
    return Result();
  }

 private:
  size_t StageCount() const { return graph_.stages().size(); }

  void RunContext() {
    const at::Tensor ids = at::tensor(request_.input_ids, at::kLong).unsqueeze(0);
    const std::vector<c10::IValue> outputs = graph_.RunContext(model_.MakeInputs(ids));
    embedded_ = outputs.at(0).toTensor();
    for (size_t i = 1; i < outputs.size(); ++i) context_.push_back(outputs[i].toTensor());
  }

  void RunClean() {
    at::Tensor logits;
    const std::vector<RowState> states = RunAll(embedded_, logits);
    for (size_t stage = 1; stage < StageCount(); ++stage) {
      const Cut& cut = graph_.stages()[stage].cut;
      const at::Tensor& output = states[stage - 1][Place(stage - 1, cut.input)];
      if (output.dim() != 3 || output.size(0) != 1 || output.size(1) != length_) {
        throw UnsupportedGraph("a layer's output is not [batch, position, hidden]");
      }
      clean_outputs_.push_back(output[0]);
      if (request_.include_layer_outputs) {
        result_.layer_outputs[request_.layer_modules[static_cast<size_t>(cut.layer)]] = output[0].clone();
      }
    }
    if (request_.answer_id) CheckAnswer(*request_.answer_id, logits.size(1));
    readout_ = {.answer_id = request_.answer_id.value_or(MostProbable(logits[0])),
                .logit_ids = request_.logit_ids};
    clean_values_ = readout_.Read(logits).at(0);
    batch_size_ = static_cast<size_t>(RowsAtOnce(request_, kLayersBatchSize, embedded_, logits.size(1)));
    Advance(1);
  }

  void RunCorrupted() {
    const int64_t subject = request_.subject_end - request_.subject_begin;
    const at::Tensor embedded =
        embedded_.expand({request_.samples, -1, -1}).clone(at::MemoryFormat::Contiguous);
    // The noise stays float64, so that the sum is rounded once.
    embedded.slice(1, request_.subject_begin, request_.subject_end)
        .add_(DrawSubjectNoise(request_.seed, request_.samples, subject, embedded.size(2), request_.noise)
                  .to(embedded.device()));
    at::Tensor logits;
    corrupted_ = RunAll(embedded, logits);
    low_ = ReadoutValues(static_cast<size_t>(readout_.width()));
    for (const auto& values : readout_.Read(logits)) AddTo(low_, values);
    sums_.assign(request_.cells.size(), ReadoutValues(low_.size()));
    Advance(request_.samples);
  }

  /// All stages of a run that restores nothing: each one's state, and the last position's logits.
  std::vector<RowState> RunAll(const at::Tensor& embedded, at::Tensor& logits) const {
    std::vector<RowState> states;
    at::Tensor output = embedded;
    for (size_t stage = 0; stage < StageCount(); ++stage) {
      control_.ThrowIfStopped();
      if (stage > 0) output = states.back()[Place(stage - 1, graph_.stages()[stage].cut.input)];
      states.push_back(RunStage(stage, output, stage > 0 ? &states.back() : nullptr, logits));
    }
    return states;
  }

  /// Rows that share the stage behind their first restored layer.
  std::map<size_t, std::vector<PatchedRow>> RowsByFirstStage() const {
    std::map<size_t, std::vector<PatchedRow>> rows;
    for (size_t cell = 0; cell < request_.cells.size(); ++cell) {
      const int64_t first = RestoredLayers(request_, request_.cells[cell]).begin;
      for (size_t stage = 1; stage < StageCount(); ++stage) {
        if (graph_.stages()[stage].cut.layer != first) continue;
        for (int64_t sample = 0; sample < request_.samples; ++sample) {
          rows[stage].push_back({.cell = cell, .sample = sample});
        }
      }
    }
    return rows;
  }

  void RunPatched(size_t first_stage, const std::vector<PatchedRow>& rows) {
    std::vector<int64_t> samples;
    for (const PatchedRow& row : rows) samples.push_back(row.sample);
    RowState state;
    for (size_t i = 0; i < corrupted_[first_stage - 1].size(); ++i) {
      const HiddenValue& value = graph_.hidden()[graph_.stages()[first_stage - 1].outgoing[i]];
      state.push_back(SelectRows(corrupted_[first_stage - 1][i], value, samples));
    }
    at::Tensor logits;
    for (size_t stage = first_stage; stage < StageCount(); ++stage) {
      control_.ThrowIfStopped();
      const Cut& cut = graph_.stages()[stage].cut;
      const at::Tensor output = Restored(state[Place(stage - 1, cut.input)], cut.layer, rows);
      state = RunStage(stage, output, &state, logits);
    }
    const auto values = readout_.Read(logits);
    for (size_t i = 0; i < rows.size(); ++i) AddTo(sums_[rows[i].cell], values[i]);
    Advance(static_cast<int64_t>(rows.size()));
  }

  at::Tensor SelectRows(const at::Tensor& state, const HiddenValue& value,
                        const std::vector<int64_t>& rows) const {
    const at::Tensor index = at::tensor(rows, at::kLong).to(state.device());
    if (value.batch_axis != value.position_axis) return state.index_select(value.batch_axis, index);
    return state.unflatten(value.batch_axis, {request_.samples, length_})
        .index_select(value.batch_axis, index)
        .flatten(value.batch_axis, value.batch_axis + 1);
  }

  at::Tensor Restored(const at::Tensor& output, int64_t layer, const std::vector<PatchedRow>& rows) const {
    const at::Tensor& clean = clean_outputs_[static_cast<size_t>(layer)];
    at::Tensor restored = output.clone();
    for (size_t i = 0; i < rows.size(); ++i) {
      const TraceCell& cell = request_.cells[rows[i].cell];
      const RestoreWindow window = RestoredLayers(request_, cell);
      if (layer < window.begin || layer >= window.end) continue;
      restored[static_cast<int64_t>(i)][cell.token].copy_(clean[cell.token]);
    }
    return restored;
  }

  /// `before` holds the values that the stage before hands on. The last stage sets `logits`, `[row,
  /// vocabulary]`.
  RowState RunStage(size_t stage, const at::Tensor& cut_output, const RowState* before,
                    at::Tensor& logits) const {
    const Stage& described = graph_.stages()[stage];
    const auto value_of = [&](size_t number) {
      return number == described.cut.output ? cut_output : (*before)[Place(stage - 1, number)];
    };
    const int64_t rows = cut_output.size(0);
    const bool is_last = stage + 1 == StageCount();
    const Piece& piece = graph_.PieceFor(stage, is_last ? ValueSet{1} : ~ValueSet{0});
    std::vector<c10::IValue> inputs;
    for (const Piece::Input& input : piece.inputs) {
      switch (input.source) {
        case Piece::Source::kHidden:
          inputs.emplace_back(value_of(input.number));
          break;
        case Piece::Source::kContext:
          inputs.emplace_back(ContextFor(input.number, rows));
          break;
        case Piece::Source::kRowCount:
          inputs.emplace_back(rows);
          break;
        case Piece::Source::kPositionCount:
          inputs.emplace_back(length_);
          break;
        case Piece::Source::kTokenCount:
          inputs.emplace_back(rows * length_);
          break;
      }
    }
    const std::vector<c10::IValue> outputs = piece.program->Run(std::move(inputs));
    if (is_last) logits = outputs.back().toTensor().select(1, length_ - 1);
    RowState state;
    for (const size_t number : described.outgoing) {
      const auto made = std::ranges::find(piece.outputs, number);
      state.push_back(made == piece.outputs.end()
                          ? value_of(number)
                          : outputs[static_cast<size_t>(made - piece.outputs.begin())].toTensor());
    }
    return state;
  }

  at::Tensor ContextFor(size_t number, int64_t rows) const {
    const auto axis = graph_.context()[number].batch_axis;
    const at::Tensor& value = context_[number];
    if (!axis || value.size(*axis) == rows) return value;
    std::vector<int64_t> sizes = value.sizes().vec();
    sizes[static_cast<size_t>(*axis)] = rows;
    return value.expand(sizes);
  }

  size_t Place(size_t stage, size_t value) const {
    const auto& outgoing = graph_.stages()[stage].outgoing;
    return static_cast<size_t>(std::ranges::find(outgoing, value) - outgoing.begin());
  }

  TraceResult Result() {
    const ReadoutValues low = Mean(low_, request_.samples);
    result_.answer_id = readout_.answer_id;
    result_.high_score = clean_values_[0];
    result_.low_score = low[0];
    result_.logits = {{clean_values_.begin() + 1, clean_values_.end()}, {low.begin() + 1, low.end()}};
    for (const auto& sums : sums_) {
      const ReadoutValues cell = Mean(sums, request_.samples);
      result_.scores.push_back(cell[0]);
      result_.logits.emplace_back(cell.begin() + 1, cell.end());
    }
    return std::move(result_);
  }

  void Advance(int64_t rows) {
    done_ += rows;
    control_.ReportProgress(done_, total_);
  }

  const TracedModel& model_;
  const StageGraph& graph_;
  const TraceRequest& request_;
  const JobControl& control_;
  int64_t length_;
  std::vector<at::Tensor> context_;
  at::Tensor embedded_;
  /// `[position, hidden]` of each layer.
  std::vector<at::Tensor> clean_outputs_;
  /// By stage, a row for each sample.
  std::vector<RowState> corrupted_;
  Readout readout_;
  size_t batch_size_ = 1;
  ReadoutValues clean_values_;
  ReadoutValues low_;
  std::vector<ReadoutValues> sums_;
  int64_t done_ = 0;
  int64_t total_ = 0;
  TraceResult result_;
};

}  // namespace

void LayersEngine::Prepare(const std::vector<std::string>& layer_modules) { GraphFor(layer_modules); }

TraceResult LayersEngine::Trace(const TraceRequest& request, const JobControl& control) {
  CheckRequest(request);
  const c10::InferenceMode inference_mode;
  return LayersTrace(model_, GraphFor(request.layer_modules), request, control).Run();
}

const StageGraph& LayersEngine::GraphFor(const std::vector<std::string>& layer_modules) {
  const std::vector<std::string> layers = model_.ResolveModules(layer_modules);
  auto& graph = graphs_[layers];
  if (graph == nullptr) graph = std::make_unique<StageGraph>(graph_, layers, Grain::kRows);
  return *graph;
}

}  // namespace causal_tracer
