#include "trace_plan.h"

#include <algorithm>
#include <map>
#include <utility>

#include "patch_history.h"

namespace causal_tracer {
namespace {

using Run = TokenRef::Run;

/// A token of a run that restores nothing.
TokenRef Unpatched(int64_t position, int64_t subject_begin) {
  return {.run = position < subject_begin ? Run::kClean : Run::kCorrupted,
          .index = static_cast<int32_t>(position)};
}

}  // namespace

RestoreWindow EffectiveWindow(const TracePlan::Shape& shape, const TracePlan::Cell& cell) {
  RestoreWindow window = cell.restored;
  if (cell.token < shape.subject_begin) return {};
  if (cell.token == shape.length - 1) return window;
  for (size_t stage = shape.stages.size(); stage-- > 0;) {
    if (shape.stages[stage].kind == Cut::Kind::kAttention) break;
    if (shape.stages[stage].kind == Cut::Kind::kSite)
      window.end = std::min(window.end, shape.stages[stage].layer);
  }
  return window.begin < window.end ? window : RestoreWindow{};
}

int64_t CountPatchedRuns(const TracePlan::Shape& shape, const std::vector<TracePlan::Cell>& cells) {
  size_t most = 0;
  for (const PlannedStage& stage : shape.stages) {
    if (stage.kind != Cut::Kind::kSite) continue;
    std::vector<PatchHistory> histories;
    for (const TracePlan::Cell& cell : cells) {
      const auto history = PatchHistory::After(stage.layer, EffectiveWindow(shape, cell));
      if (!history.empty()) histories.push_back(history);
    }
    std::ranges::sort(histories);
    const auto repeated = std::ranges::unique(histories);
    most = std::max(most, histories.size() - repeated.size());
  }
  return static_cast<int64_t>(most);
}

class TracePlan::Builder {
 public:
  Builder(const Shape& shape, const std::vector<Cell>& cells, TracePlan& plan)
      : shape_(shape), cells_(cells), plan_(plan) {
    for (size_t i = 0; i < cells.size(); ++i) {
      const RestoreWindow window = EffectiveWindow(shape, cells[i]);
      if (window.begin >= window.end) {
        plan.low_cells_.push_back(i);
      } else {
        runs_[cells[i].token].cells.push_back({.cell = i, .window = window});
      }
    }
  }

  void Build() {
    plan_.stages_.resize(shape_.stages.size());
    for (stage_ = 0; stage_ < shape_.stages.size(); ++stage_) {
      for (auto& [token, runs] : runs_) {
        carried_.clear();
        if (shape_.stages[stage_].kind == Cut::Kind::kSite) {
          Restore(token, runs);
        } else if (shape_.stages[stage_].kind == Cut::Kind::kAttention) {
          Attend(token, runs);
        }
      }
    }
    for (auto& [token, runs] : runs_) ReadOut(token, runs);
  }

  /// Goes backwards from the readouts and notes of each token what is needed of it.
  void FindWanted(const Needs& needs) {
    const size_t last = shape_.stages.size() - 1;
    for (const PlannedReadout& readout : plan_.readouts_) Want(last, readout.token, 1);
    for (size_t stage = shape_.stages.size(); stage-- > 0;) {
      StagePlan& plan = plan_.stages_[stage];
      for (const PlannedToken& token : plan.tokens) {
        if (token.wanted == 0) continue;
        const TokenNeeds needed = needs(stage, token.restored, token.wanted);
        Want(stage - 1, token.source, needed.own);
        if (needed.seen == 0) continue;
        const auto* row = &plan.rows[static_cast<size_t>(token.row) * static_cast<size_t>(shape_.length)];
        for (int32_t position = 0; position <= token.position; ++position) {
          Want(stage - 1, row[position], needed.seen);
        }
      }
    }
  }

 private:
  /// A distinct patched run of one restored position.
  struct PatchedRun {
    TokenRef token;
    /// Which of PositionRuns::behind its later positions are; runs that have not met an attention since they
    /// parted share them.
    size_t behind = 0;
  };
  struct PlannedCell {
    size_t cell = 0;
    RestoreWindow window;
  };
  /// All runs that restore one position.
  struct PositionRuns {
    std::vector<PlannedCell> cells;
    std::map<PatchHistory, PatchedRun> runs;
    /// Tokens at the positions behind the restored one.
    std::vector<std::vector<TokenRef>> behind;
  };

  StagePlan& Plan() { return plan_.stages_[stage_]; }

  TokenRef Add(PlannedToken token) {
    Plan().tokens.push_back(token);
    return {.run = Run::kPatched, .index = static_cast<int32_t>(Plan().tokens.size() - 1)};
  }

  /// The same token after this stage; planned once however many runs share it.
  TokenRef Carry(TokenRef token, int64_t position) {
    if (token.run != Run::kPatched) return token;
    const auto [found, added] = carried_.try_emplace(token.index);
    if (added) found->second = Add({.position = static_cast<int32_t>(position), .source = token});
    return found->second;
  }

  std::vector<TokenRef> UnpatchedBehind(int64_t token) const {
    std::vector<TokenRef> tokens;
    for (int64_t position = token + 1; position < shape_.length; ++position) {
      tokens.push_back(Unpatched(position, shape_.subject_begin));
    }
    return tokens;
  }

  void Restore(int64_t token, PositionRuns& position) {
    const PlannedStage& stage = shape_.stages[stage_];
    const std::map<PatchHistory, PatchedRun> before = std::exchange(position.runs, {});
    const std::vector<std::vector<TokenRef>> behind_before = std::exchange(position.behind, {});
    std::map<size_t, size_t> behind_after;
    constexpr size_t kUnpatched = static_cast<size_t>(-1);
    for (const PlannedCell& cell : position.cells) {
      const auto history = PatchHistory::After(stage.layer, cell.window);
      if (history.empty() || position.runs.contains(history)) continue;
      const auto parent = before.find(PatchHistory::After(stage.layer - 1, cell.window));
      const bool has_parent = parent != before.end();
      const TokenRef source = has_parent ? parent->second.token : Unpatched(token, shape_.subject_begin);
      const bool restored = history.end == stage.layer + 1;
      PatchedRun run;
      if (!restored) {
        run.token = Carry(source, token);
      } else if (stage.replaces_token) {
        run.token = {.run = Run::kClean, .index = static_cast<int32_t>(token)};
      } else {
        run.token = Add({.position = static_cast<int32_t>(token), .source = source, .restored = true});
      }
      const size_t shared = has_parent ? parent->second.behind : kUnpatched;
      const auto [place, added] = behind_after.try_emplace(shared, position.behind.size());
      if (added) {
        position.behind.push_back(has_parent ? behind_before[shared] : UnpatchedBehind(token));
        for (size_t i = 0; i < position.behind.back().size(); ++i) {
          TokenRef& later = position.behind.back()[i];
          later = Carry(later, token + 1 + static_cast<int64_t>(i));
        }
      }
      run.behind = place->second;
      position.runs.emplace(history, run);
    }
  }

  void Attend(int64_t token, PositionRuns& position) {
    const std::vector<std::vector<TokenRef>> behind_before = std::exchange(position.behind, {});
    StagePlan& plan = Plan();
    for (auto& [history, run] : position.runs) {
      const auto row = static_cast<int32_t>(plan.rows.size() / static_cast<size_t>(shape_.length));
      for (int64_t p = 0; p < token; ++p) plan.rows.push_back(Unpatched(p, shape_.subject_begin));
      plan.rows.push_back(run.token);
      const std::vector<TokenRef>& behind = behind_before[run.behind];
      plan.rows.insert(plan.rows.end(), behind.begin(), behind.end());
      run.token = Add({.position = static_cast<int32_t>(token), .source = run.token, .row = row});
      run.behind = position.behind.size();
      std::vector<TokenRef>& after = position.behind.emplace_back();
      for (size_t i = 0; i < behind.size(); ++i) {
        const auto later = static_cast<int32_t>(token + 1 + static_cast<int64_t>(i));
        after.push_back(Add({.position = later, .source = behind[i], .row = row}));
      }
    }
  }

  void ReadOut(int64_t token, const PositionRuns& position) {
    std::map<PatchHistory, PlannedReadout> readouts;
    for (const PlannedCell& cell : position.cells) {
      const PatchHistory history{.begin = cell.window.begin, .end = cell.window.end};
      const PatchedRun& run = position.runs.at(history);
      PlannedReadout& readout = readouts[history];
      readout.token = token == shape_.length - 1 ? run.token : position.behind[run.behind].back();
      readout.cells.push_back(cell.cell);
    }
    for (auto& [history, readout] : readouts) plan_.readouts_.push_back(std::move(readout));
  }

  void Want(size_t stage, TokenRef token, ValueSet values) {
    if (token.run == Run::kPatched) {
      plan_.stages_[stage].tokens[static_cast<size_t>(token.index)].wanted |= values;
    }
  }

  const Shape& shape_;
  const std::vector<Cell>& cells_;
  TracePlan& plan_;
  std::map<int64_t, PositionRuns> runs_;
  size_t stage_ = 0;
  /// Planned tokens of the stage before to those of this one.
  std::map<int32_t, TokenRef> carried_;
};

TracePlan::TracePlan(const Shape& shape, const std::vector<Cell>& cells, const Needs& needs) {
  Builder builder(shape, cells, *this);
  builder.Build();
  builder.FindWanted(needs);
}

}  // namespace causal_tracer
