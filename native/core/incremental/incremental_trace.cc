#include "incremental_trace.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "../subject_noise.h"

namespace causal_tracer {
namespace {

/// Memory for the values of patched tokens in flight, unless a batch size says otherwise.
constexpr int64_t kBytesInFlight = int64_t{384} << 20;

size_t LastAttention(const std::vector<PlannedStage>& stages) {
  for (size_t stage = stages.size(); stage-- > 0;) {
    if (stages[stage].kind == Cut::Kind::kAttention) return stage;
  }
  return 0;
}

void AddTo(std::vector<double>& sums, const std::vector<double>& values) {
  for (size_t i = 0; i < sums.size(); ++i) sums[i] += values[i];
}

std::vector<double> Divided(std::vector<double> sums, int64_t count) {
  for (double& sum : sums) sum /= static_cast<double>(count);
  return sums;
}

/// The rows of a readout, `[row, width]`.
std::vector<std::vector<double>> RowsOf(const at::Tensor& read) {
  const float* values = read.const_data_ptr<float>();
  const int64_t width = read.size(1);
  std::vector<std::vector<double>> rows;
  for (int64_t row = 0; row < read.size(0); ++row) {
    rows.emplace_back(values + row * width, values + (row + 1) * width);
  }
  return rows;
}

}  // namespace

IncrementalTrace::IncrementalTrace(const TracedModel& model, const StageGraph& pieces,
                                   const TraceRequest& request, const JobControl& control)
    : model_(model),
      pieces_(pieces),
      request_(request),
      control_(control),
      shape_{.stages = DescribeStages(pieces),
             .length = static_cast<int64_t>(request.input_ids.size()),
             .subject_begin = request.subject_begin},
      last_attention_(LastAttention(shape_.stages)),
      needs_(pieces) {
  const size_t width = 1 + request.logit_ids.size();
  corrupted_values_.resize(static_cast<size_t>(request.samples), Values(width));
  cell_sums_.resize(request.cells.size(), Values(width));
  work_.tokens_by_stage.assign(pieces.stages().size(), 0);
  for (const TraceCell& cell : request.cells) {
    cells_.push_back({.token = cell.token, .restored = RestoredLayers(request, cell)});
  }
}

TraceResult IncrementalTrace::Run() {
  const std::vector<Wave> waves = PlanWaves();
  total_ = shape_.length * static_cast<int64_t>(shape_.stages.size()) * (1 + request_.samples);
  for (const Wave& wave : waves) total_ += wave.weight;
  RunContext();
  RunClean();
  RunCorrupted();
  for (const Wave& wave : waves) RunWave(wave);
  Advance(total_ - done_);
  return Result();
}

void IncrementalTrace::RunContext() {
  const at::Tensor ids = at::tensor(request_.input_ids, at::kLong).unsqueeze(0);
  const std::vector<c10::IValue> outputs = pieces_.RunContext(model_.MakeInputs(ids));
  embedded_ = outputs.at(0).toTensor();
  context_.length = shape_.length;
  for (size_t i = 1; i < outputs.size(); ++i) context_.values.push_back(outputs[i].toTensor());
  context_.masks.resize(shape_.stages.size());
  std::map<std::optional<size_t>, AttentionMask> read;
  for (size_t stage = 0; stage < shape_.stages.size(); ++stage) {
    const auto& attention = pieces_.stages()[stage].attention;
    if (!attention) continue;
    if (!read.contains(attention->mask)) {
      const auto mask = ReadAttentionMask(
          attention->mask ? std::optional(context_.values[*attention->mask]) : std::nullopt, shape_.length);
      if (!mask) throw UnsupportedGraph("its attention is not causal");
      read.emplace(attention->mask, *mask);
    }
    context_.masks[stage] = read.at(attention->mask);
  }
}

void IncrementalTrace::RunClean() {
  const at::Tensor embedded = embedded_.squeeze(0).unsqueeze(1).contiguous();
  const auto read = [&](const std::vector<int64_t>& /*rows*/, const at::Tensor& logits) {
    if (request_.answer_id) CheckAnswer(*request_.answer_id, logits.size(1));
    readout_ = {.answer_id = request_.answer_id.value_or(MostProbable(logits[0])),
                .logit_ids = request_.logit_ids};
    clean_values_ = RowsOf(readout_.Read(logits)).at(0);
  };
  clean_ = RunBase(nullptr, 0, embedded, request_.include_layer_outputs, read);
  if (request_.include_layer_outputs) KeepLayerOutputs();
}

void IncrementalTrace::RunCorrupted() {
  const auto read = [&](const std::vector<int64_t>& rows, const at::Tensor& logits) {
    const auto values = RowsOf(readout_.Read(logits));
    for (size_t i = 0; i < rows.size(); ++i) {
      corrupted_values_[static_cast<size_t>(rows[i] % request_.samples)] = values[i];
    }
  };
  corrupted_ = RunBase(&clean_, request_.subject_begin, CorruptedEmbedding(), false, read);
}

BaseRun IncrementalTrace::RunBase(const BaseRun* clean, int64_t first, const at::Tensor& embedded,
                                  bool all_positions, const StageRunner::TakeLogits& take_logits) {
  BaseRun run;
  run.first_position = first;
  run.samples = embedded.size(1);
  const StageRunner runner(pieces_, context_, clean, nullptr, control_, work_);
  for (size_t stage = 0; stage < shape_.stages.size(); ++stage) {
    const bool is_last = stage + 1 == shape_.stages.size();
    const StagePlan plan = PlanBase(stage, first, all_positions && !is_last);
    run.states.push_back(runner.Run({.stage = stage,
                                     .plan = plan,
                                     .previous = stage == 0 ? nullptr : &run.states.back(),
                                     .embedded = embedded,
                                     .sample_begin = 0,
                                     .sample_end = run.samples},
                                    take_logits));
    Advance(shape_.length * run.samples);
  }
  return run;
}

StagePlan IncrementalTrace::PlanBase(size_t stage, int64_t first, bool all_positions) const {
  const auto own = [&](int64_t position) {
    return TokenRef{.run = TokenRef::Run::kPatched, .index = static_cast<int32_t>(position - first)};
  };
  StagePlan plan;
  for (int64_t position = 0; position < shape_.length; ++position) {
    plan.rows.push_back(
        position >= first ? own(position)
                          : TokenRef{.run = TokenRef::Run::kClean, .index = static_cast<int32_t>(position)});
  }
  for (int64_t position = first; position < shape_.length; ++position) {
    // Behind the last attention no token sees another one: only the last position's logits are read.
    const bool wanted = all_positions || stage < last_attention_ || position == shape_.length - 1;
    plan.tokens.push_back({.position = static_cast<int32_t>(position),
                           .source = own(position),
                           .row = 0,
                           .wanted = wanted ? AllValues(pieces_, stage) : 0});
  }
  return plan;
}

at::Tensor IncrementalTrace::CorruptedEmbedding() const {
  const int64_t hidden = embedded_.size(2);
  const int64_t subject = request_.subject_end - request_.subject_begin;
  const at::Tensor corrupted = embedded_.squeeze(0)
                                   .slice(0, request_.subject_begin)
                                   .unsqueeze(1)
                                   .expand({-1, request_.samples, hidden})
                                   .clone(at::MemoryFormat::Contiguous);
  // The noise stays float64, so that the sum is rounded once.
  const at::Tensor noise = DrawSubjectNoise(request_.seed, request_.samples, subject, hidden, request_.noise);
  corrupted.slice(0, 0, subject).add_(noise.transpose(0, 1));
  return corrupted;
}

void IncrementalTrace::KeepLayerOutputs() {
  for (size_t stage = 1; stage < shape_.stages.size(); ++stage) {
    const Cut& cut = pieces_.stages()[stage].cut;
    if (cut.kind != Cut::Kind::kSite) continue;
    const auto& outgoing = pieces_.stages()[stage - 1].outgoing;
    const auto place = std::ranges::find(outgoing, *cut.input) - outgoing.begin();
    const TokenColumn& column = clean_.states[stage - 1].columns[static_cast<size_t>(place)];
    std::vector<at::Tensor> tokens;
    for (const std::byte* token : column.tokens) {
      tokens.push_back(at::from_blob(const_cast<std::byte*>(token), pieces_.hidden()[*cut.input].token_sizes,
                                     at::TensorOptions(column.dtype)));
    }
    layer_outputs_[request_.layer_modules[static_cast<size_t>(cut.layer)]] = at::stack(tokens);
  }
}

std::vector<IncrementalTrace::Wave> IncrementalTrace::PlanWaves() const {
  std::map<int64_t, std::vector<size_t>> cells_by_token;
  for (size_t i = 0; i < cells_.size(); ++i) {
    const RestoreWindow window = EffectiveWindow(shape_, cells_[i]);
    if (window.begin < window.end) cells_by_token[cells_[i].token].push_back(i);
  }
  std::vector<Wave> waves;
  for (const auto& [token, numbers] : cells_by_token) {
    std::vector<TracePlan::Cell> cells;
    for (const size_t number : numbers) cells.push_back(cells_[number]);
    const int64_t runs = CountPatchedRuns(shape_, cells);
    const int64_t most_rows = MostRows(token);
    const int64_t samples = std::clamp<int64_t>(most_rows / runs, 1, request_.samples);
    for (int64_t begin = 0; begin < request_.samples; begin += samples) {
      const int64_t end = std::min(begin + samples, request_.samples);
      const int64_t rows = runs * (end - begin);
      const int64_t weight = rows * static_cast<int64_t>(shape_.stages.size()) * (shape_.length - token);
      const bool joins = !waves.empty() && waves.back().sample_begin == begin &&
                         waves.back().sample_end == end && waves.back().rows + rows <= most_rows;
      if (!joins) waves.push_back({.cells = {}, .sample_begin = begin, .sample_end = end});
      waves.back().cells.insert(waves.back().cells.end(), numbers.begin(), numbers.end());
      waves.back().rows += rows;
      waves.back().weight += weight;
    }
  }
  return waves;
}

int64_t IncrementalTrace::MostRows(int64_t token) const {
  if (request_.batch_size > 0) return request_.batch_size;
  return std::max<int64_t>(1, kBytesInFlight / (BytesOfToken(pieces_) * (shape_.length - token)));
}

void IncrementalTrace::RunWave(const Wave& wave) {
  std::vector<TracePlan::Cell> cells;
  for (const size_t number : wave.cells) cells.push_back(cells_[number]);
  TracePlan plan(shape_, cells, std::ref(needs_));
  const int64_t samples = wave.sample_end - wave.sample_begin;

  std::vector<std::vector<size_t>> cells_of_token(plan.stages().back().tokens.size());
  for (const PlannedReadout& readout : plan.readouts()) {
    for (const size_t number : readout.cells) {
      const size_t cell = wave.cells[number];
      if (readout.token.run == TokenRef::Run::kPatched) {
        cells_of_token[static_cast<size_t>(readout.token.index)].push_back(cell);
        continue;
      }
      const bool clean = readout.token.run == TokenRef::Run::kClean;
      for (int64_t sample = wave.sample_begin; sample < wave.sample_end; ++sample) {
        AddTo(cell_sums_[cell], clean ? clean_values_ : corrupted_values_[static_cast<size_t>(sample)]);
      }
    }
  }
  const auto read = [&](const std::vector<int64_t>& rows, const at::Tensor& logits) {
    const auto values = RowsOf(readout_.Read(logits));
    for (size_t i = 0; i < rows.size(); ++i) {
      for (const size_t cell : cells_of_token[static_cast<size_t>(rows[i] / samples)]) {
        AddTo(cell_sums_[cell], values[i]);
      }
    }
  };

  const StageRunner runner(pieces_, context_, &clean_, &corrupted_, control_, work_);
  const auto stages = static_cast<int64_t>(shape_.stages.size());
  const int64_t done_before = done_;
  StageState state;
  for (int64_t stage = 0; stage < stages; ++stage) {
    const auto number = static_cast<size_t>(stage);
    if (plan_fault_) plan_fault_(number, plan.stage(number));
    state = runner.Run({.stage = number,
                        .plan = plan.stages()[number],
                        .previous = stage == 0 ? nullptr : &state,
                        .embedded = {},
                        .sample_begin = wave.sample_begin,
                        .sample_end = wave.sample_end},
                       read);
    if (state_fault_) state_fault_(state);
    Advance(done_before + wave.weight * (stage + 1) / stages - done_);
  }
}

TraceResult IncrementalTrace::Result() const {
  Values low(cell_sums_.empty() ? 1 + request_.logit_ids.size() : corrupted_values_[0].size());
  for (const Values& values : corrupted_values_) AddTo(low, values);
  low = Divided(low, request_.samples);

  TraceResult result;
  result.low_score = low[0];
  result.high_score = clean_values_[0];
  result.answer_id = readout_.answer_id;
  result.layer_outputs = layer_outputs_;
  result.work = work_;
  std::vector<Values> means;
  for (size_t cell = 0; cell < cells_.size(); ++cell) {
    const RestoreWindow window = EffectiveWindow(shape_, cells_[cell]);
    means.push_back(window.begin < window.end ? Divided(cell_sums_[cell], request_.samples) : low);
  }
  for (const Values& mean : means) result.scores.push_back(mean[0]);
  means.insert(means.begin(), {clean_values_, low});
  for (const Values& mean : means) result.logits.emplace_back(mean.begin() + 1, mean.end());
  return result;
}

void IncrementalTrace::Advance(int64_t work) {
  done_ += work;
  control_.ReportProgress(done_, total_);
}

}  // namespace causal_tracer
