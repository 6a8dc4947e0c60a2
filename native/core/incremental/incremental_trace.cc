#include "incremental_trace.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "../subject_noise.h"
#include "stage_runner.h"

namespace causal_tracer {

IncrementalTrace::IncrementalTrace(const TracedModel& model, const StageGraph& graph,
                                   const TraceRequest& request, const JobControl& control)
    : model_(model),
      graph_(graph),
      request_(request),
      control_(control),
      shape_{.stages = DescribeStages(graph),
             .length = static_cast<int64_t>(request.input_ids.size()),
             .subject_begin = request.subject_begin},
      needs_(graph),
      cell_sums_(request.cells.size(), ReadoutValues(1 + request.logit_ids.size())) {
  work_.tokens_by_stage.assign(graph.stages().size(), 0);
  for (const TraceCell& cell : request.cells) {
    cells_.push_back({.token = cell.token, .restored = RestoredLayers(request, cell)});
  }
}

TraceResult IncrementalTrace::Run(const BaseRuns* bases) {
  const EmbeddedPrompt prompt = EmbedPrompt(model_, graph_, request_);
  // More samples than memory can hold would be planned for hours before the first of them runs.
  RequireRoomForNoise(request_.samples, request_.subject_end - request_.subject_begin,
                      prompt.embedded.size(-1));
  const std::vector<Wave> waves = PlanWaves();
  for (const Wave& wave : waves) total_ += wave.weight;
  BaseRuns own_bases;
  if (bases == nullptr) {
    total_ += shape_.length * static_cast<int64_t>(shape_.stages.size()) * (1 + request_.samples);
    own_bases = ComputeBaseRuns(graph_, prompt, request_, request_.include_layer_outputs, control_, work_,
                                [&](int64_t work) { Advance(work); });
    bases = &own_bases;
  }
  for (const Wave& wave : waves) RunWave(wave, prompt, *bases);
  Advance(total_ - done_);
  return Result(*bases);
}

std::map<std::string, at::Tensor> IncrementalTrace::LayerOutputs(const BaseRun& clean) const {
  std::map<std::string, at::Tensor> outputs;
  for (size_t stage = 1; stage < shape_.stages.size(); ++stage) {
    const Cut& cut = graph_.stages()[stage].cut;
    if (cut.kind != Cut::Kind::kSite) continue;
    const auto& outgoing = graph_.stages()[stage - 1].outgoing;
    const auto place = std::ranges::find(outgoing, cut.input) - outgoing.begin();
    const TokenColumn& column = clean.states[stage - 1].columns[static_cast<size_t>(place)];
    std::vector<at::Tensor> tokens;
    for (const std::byte* token : column.tokens) {
      tokens.push_back(at::from_blob(const_cast<std::byte*>(token), graph_.hidden()[cut.input].token_sizes,
                                     at::TensorOptions(column.dtype)));
    }
    outputs[request_.layer_modules[static_cast<size_t>(cut.layer)]] = at::stack(tokens);
  }
  return outputs;
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
      control_.ThrowIfStopped();
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
  return std::max<int64_t>(1, request_.memory_in_flight / (BytesOfToken(graph_) * (shape_.length - token)));
}

void IncrementalTrace::RunWave(const Wave& wave, const EmbeddedPrompt& prompt, const BaseRuns& bases) {
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
        AddTo(cell_sums_[cell],
              clean ? bases.clean_values : bases.corrupted_values[static_cast<size_t>(sample)]);
      }
    }
  }
  const auto read = [&](const std::vector<int64_t>& rows, const at::Tensor& logits) {
    const auto values = bases.readout.Read(logits);
    for (size_t i = 0; i < rows.size(); ++i) {
      for (const size_t cell : cells_of_token[static_cast<size_t>(rows[i] / samples)]) {
        AddTo(cell_sums_[cell], values[i]);
      }
    }
  };

  const StageRunner runner(graph_, prompt.context, &bases.clean, &bases.corrupted, control_, work_);
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

TraceResult IncrementalTrace::Result(const BaseRuns& bases) const {
  ReadoutValues low(1 + request_.logit_ids.size());
  for (const ReadoutValues& values : bases.corrupted_values) AddTo(low, values);
  low = Mean(low, request_.samples);

  TraceResult result;
  result.low_score = low[0];
  result.high_score = bases.clean_values[0];
  result.answer_id = bases.readout.answer_id;
  if (request_.include_layer_outputs) result.layer_outputs = LayerOutputs(bases.clean);
  result.work = work_;
  std::vector<ReadoutValues> means;
  for (size_t cell = 0; cell < cells_.size(); ++cell) {
    const RestoreWindow window = EffectiveWindow(shape_, cells_[cell]);
    means.push_back(window.begin < window.end ? Mean(cell_sums_[cell], request_.samples) : low);
  }
  for (const ReadoutValues& mean : means) result.scores.push_back(mean[0]);
  means.insert(means.begin(), {bases.clean_values, low});
  for (const ReadoutValues& mean : means) result.logits.emplace_back(mean.begin() + 1, mean.end());
  return result;
}

void IncrementalTrace::Advance(int64_t work) {
  done_ += work;
  control_.ReportProgress(done_, total_);
}

}  // namespace causal_tracer
