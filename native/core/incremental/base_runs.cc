#include "base_runs.h"

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "../subject_noise.h"
#include "stage_needs.h"

namespace causal_tracer {
namespace {

/// One stage of a run that restores nothing: positions `[first, length)`, earlier ones are the clean run's.
StagePlan PlanBase(const StageGraph& graph, size_t stage, int64_t length, int64_t first, bool all_positions) {
  const auto own = [&](int64_t position) {
    return TokenRef{.run = TokenRef::Run::kPatched, .index = static_cast<int32_t>(position - first)};
  };
  StagePlan plan;
  for (int64_t position = 0; position < length; ++position) {
    plan.rows.push_back(
        position >= first ? own(position)
                          : TokenRef{.run = TokenRef::Run::kClean, .index = static_cast<int32_t>(position)});
  }
  // Behind the last attention no token sees another one, and only the last position's logits are read.
  const bool is_last = stage + 1 == graph.stages().size();
  const bool everywhere = (all_positions || stage < LastAttention(graph)) && !is_last;
  for (int64_t position = first; position < length; ++position) {
    plan.tokens.push_back({.position = static_cast<int32_t>(position),
                           .source = own(position),
                           .row = 0,
                           .wanted = everywhere || position == length - 1 ? AllValues(graph, stage) : 0});
  }
  return plan;
}

/// `[token, sample, hidden]` of the corrupted run from the subject's first token on.
at::Tensor CorruptedEmbedding(const at::Tensor& embedded, const TraceRequest& request) {
  const int64_t hidden = embedded.size(2);
  const int64_t subject = request.subject_end - request.subject_begin;
  const at::Tensor corrupted = embedded.squeeze(0)
                                   .slice(0, request.subject_begin)
                                   .unsqueeze(1)
                                   .expand({-1, request.samples, hidden})
                                   .clone(at::MemoryFormat::Contiguous);
  // The noise stays float64, so that the sum is rounded once.
  const at::Tensor noise = DrawSubjectNoise(request.seed, request.samples, subject, hidden, request.noise);
  corrupted.slice(0, 0, subject).add_(noise.transpose(0, 1));
  return corrupted;
}

/// Finds the columns of one graph's stages among those of a graph that is cut more finely.
class ColumnFinder {
 public:
  ColumnFinder(const StageGraph& graph, const StageGraph& cut_finely) : graph_(graph), fine_(cut_finely) {
    for (size_t number = 0; number < fine_.hidden().size(); ++number) {
      number_of_[fine_.hidden()[number].value] = number;
    }
    for (size_t stage = 0; stage < fine_.stages().size(); ++stage) {
      stage_of_cut_[fine_.hidden()[fine_.stages()[stage].cut.output].value] = stage;
    }
  }

  std::optional<BaseRun> Find(const BaseRun& run) const {
    BaseRun found{.first_position = run.first_position, .samples = run.samples};
    for (size_t stage = 0; stage + 1 < graph_.stages().size(); ++stage) {
      const Cut& next = graph_.stages()[stage + 1].cut;
      const size_t fine_stage = stage_of_cut_.at(graph_.hidden()[next.output].value) - 1;
      StageState& state = found.states.emplace_back();
      for (const size_t number : graph_.stages()[stage].outgoing) {
        const auto place = PlaceOf(graph_.hidden()[number].value, fine_stage);
        if (!place) return std::nullopt;
        state.columns.push_back(run.states[fine_stage].columns[*place]);
      }
    }
    found.states.emplace_back();
    return found;
  }

 private:
  /// In a run that restores nothing a site's output equals its input, which may be there earlier.
  std::optional<size_t> PlaceOf(const torch::jit::Value* value, size_t stage) const {
    const auto& outgoing = fine_.stages()[stage].outgoing;
    for (auto number = number_of_.find(value); number != number_of_.end();) {
      const auto place = std::ranges::find(outgoing, number->second);
      if (place != outgoing.end()) return static_cast<size_t>(place - outgoing.begin());
      const auto cut = stage_of_cut_.find(number->first);
      if (cut == stage_of_cut_.end()) return std::nullopt;
      const Cut& site = fine_.stages()[cut->second].cut;
      if (site.kind != Cut::Kind::kSite) return std::nullopt;
      number = number_of_.find(fine_.hidden()[site.input].value);
    }
    return std::nullopt;
  }

  const StageGraph& graph_;
  const StageGraph& fine_;
  std::unordered_map<const torch::jit::Value*, size_t> number_of_;
  std::unordered_map<const torch::jit::Value*, size_t> stage_of_cut_;
};

}  // namespace

size_t LastAttention(const StageGraph& graph) {
  for (size_t stage = graph.stages().size(); stage-- > 0;) {
    if (graph.stages()[stage].attention) return stage;
  }
  return 0;
}

EmbeddedPrompt EmbedPrompt(const TracedModel& model, const StageGraph& graph, const TraceRequest& request) {
  const auto length = static_cast<int64_t>(request.input_ids.size());
  const at::Tensor ids = at::tensor(request.input_ids, at::kLong).unsqueeze(0);
  const std::vector<c10::IValue> outputs = graph.RunContext(model.MakeInputs(ids));
  EmbeddedPrompt prompt{.context = {.length = length}, .embedded = outputs.at(0).toTensor()};
  for (size_t i = 1; i < outputs.size(); ++i) prompt.context.values.push_back(outputs[i].toTensor());
  std::map<std::optional<size_t>, AttentionMask> read;
  for (const Stage& stage : graph.stages()) {
    if (!stage.attention) {
      prompt.context.masks.emplace_back();
      continue;
    }
    const auto& number = stage.attention->mask;
    if (!read.contains(number)) {
      const auto mask =
          ReadAttentionMask(number ? std::optional(prompt.context.values[*number]) : std::nullopt, length);
      if (!mask) throw UnsupportedGraph("its attention is not causal");
      read.emplace(number, *mask);
    }
    prompt.context.masks.emplace_back(read.at(number));
  }
  return prompt;
}

BaseRuns ComputeBaseRuns(const StageGraph& graph, const EmbeddedPrompt& prompt, const TraceRequest& request,
                         bool all_positions, const JobControl& control, TraceWork& work,
                         const std::function<void(int64_t)>& advance) {
  const int64_t length = prompt.context.length;
  const auto run_base = [&](const BaseRun* clean, int64_t first, const at::Tensor& embedded, bool everywhere,
                            const StageRunner::TakeLogits& take_logits) {
    BaseRun run{.first_position = first, .samples = embedded.size(1)};
    const StageRunner runner(graph, prompt.context, clean, nullptr, control, work);
    for (size_t stage = 0; stage < graph.stages().size(); ++stage) {
      const StagePlan plan = PlanBase(graph, stage, length, first, everywhere);
      run.states.push_back(runner.Run({.stage = stage,
                                       .plan = plan,
                                       .previous = stage == 0 ? nullptr : &run.states.back(),
                                       .embedded = embedded,
                                       .sample_begin = 0,
                                       .sample_end = run.samples},
                                      take_logits));
      advance(length * run.samples);
    }
    return run;
  };

  BaseRuns runs;
  const auto read_clean = [&](const std::vector<int64_t>& /*rows*/, const at::Tensor& logits) {
    if (request.answer_id) CheckAnswer(*request.answer_id, logits.size(1));
    runs.readout = {.answer_id = request.answer_id.value_or(MostProbable(logits[0])),
                    .logit_ids = request.logit_ids};
    runs.clean_values = runs.readout.Read(logits).at(0);
  };
  const at::Tensor embedded = prompt.embedded.squeeze(0).unsqueeze(1).contiguous();
  runs.clean = run_base(nullptr, 0, embedded, all_positions, read_clean);

  runs.corrupted_values.resize(static_cast<size_t>(request.samples));
  const auto read_corrupted = [&](const std::vector<int64_t>& rows, const at::Tensor& logits) {
    const auto values = runs.readout.Read(logits);
    for (size_t i = 0; i < rows.size(); ++i) {
      runs.corrupted_values[static_cast<size_t>(rows[i] % request.samples)] = values[i];
    }
  };
  runs.corrupted = run_base(&runs.clean, request.subject_begin, CorruptedEmbedding(prompt.embedded, request),
                            false, read_corrupted);
  return runs;
}

std::optional<BaseRuns> BaseRunsFor(const StageGraph& graph, const StageGraph& cut_finely,
                                    const BaseRuns& runs) {
  const ColumnFinder finder(graph, cut_finely);
  auto clean = finder.Find(runs.clean);
  auto corrupted = finder.Find(runs.corrupted);
  if (!clean || !corrupted) return std::nullopt;
  return BaseRuns{.clean = std::move(*clean),
                  .corrupted = std::move(*corrupted),
                  .readout = runs.readout,
                  .clean_values = runs.clean_values,
                  .corrupted_values = runs.corrupted_values};
}

}  // namespace causal_tracer
