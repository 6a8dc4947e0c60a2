#include "../../native/core/incremental/trace_plan.h"

#include <map>
#include <random>

#include "checks.h"

namespace causal_tracer::test {
namespace {

/// What is known of a token: two numbers that stand for the site's value and for everything else.
struct Token {
  uint64_t site = 0;
  uint64_t rest = 0;

  bool operator==(const Token&) const = default;
};

uint64_t Mix(uint64_t a, uint64_t b) {
  a ^= b + 0x9e3779b97f4a7c15ULL + (a << 12U) + (a >> 4U);
  return (a ^ (a >> 31U)) * 0xbf58476d1ce4e5b9ULL;
}

/// A made-up model whose values are hashes of all that they depend on.
class HashModel {
 public:
  explicit HashModel(TracePlan::Shape shape) : shape_(std::move(shape)) {}

  /// The token after a stage, given what it was before it, its whole row before it, and the clean site value.
  Token After(size_t stage, int64_t position, Token before, const std::vector<Token>& row, bool restored,
              uint64_t clean_site) const {
    const PlannedStage& planned = shape_.stages[stage];
    if (planned.kind == Cut::Kind::kAttention) {
      uint64_t seen = Mix(before.site, before.rest);
      for (int64_t p = 0; p <= position; ++p) {
        seen = Mix(seen, Mix(row[static_cast<size_t>(p)].site, row[static_cast<size_t>(p)].rest));
      }
      return {.site = Mix(seen, 1), .rest = Mix(seen, before.rest)};
    }
    if (planned.kind == Cut::Kind::kSite) {
      const uint64_t site = restored ? clean_site : before.site;
      const uint64_t rest = planned.replaces_token ? 7 : before.rest;
      return {.site = Mix(site, rest + 2), .rest = Mix(rest, site)};
    }
    return {.site = Mix(before.site, 3), .rest = Mix(before.rest, 4)};
  }

  using States = std::vector<std::vector<Token>>;

  /// Every token after every stage, of a run that restores `window` at `token`; -1 restores nothing.
  States Run(bool corrupted, int64_t token, RestoreWindow window, const States* clean) const {
    std::vector<Token> row;
    for (int64_t p = 0; p < shape_.length; ++p) {
      const bool noisy = corrupted && p == shape_.subject_begin;
      row.push_back({.site = Mix(static_cast<uint64_t>(p), noisy ? 99 : 0), .rest = 5});
    }
    States states;
    for (size_t stage = 0; stage < shape_.stages.size(); ++stage) {
      const int64_t layer = shape_.stages[stage].layer;
      const bool restores =
          shape_.stages[stage].kind == Cut::Kind::kSite && layer >= window.begin && layer < window.end;
      std::vector<Token> after;
      for (int64_t p = 0; p < shape_.length; ++p) {
        const bool here = restores && p == token;
        const uint64_t clean_site = here ? (*clean)[stage - 1][static_cast<size_t>(p)].site : 0;
        after.push_back(After(stage, p, row[static_cast<size_t>(p)], row, here, clean_site));
      }
      row = after;
      states.push_back(row);
    }
    return states;
  }

  const TracePlan::Shape& shape() const { return shape_; }

 private:
  TracePlan::Shape shape_;
};

TokenNeeds EverythingNeeded(const TracePlan::Shape& shape, size_t stage, bool restored) {
  const PlannedStage& planned = shape.stages[stage];
  if (planned.kind == Cut::Kind::kAttention) return {.own = 1, .seen = 1};
  return {.own = restored && planned.replaces_token ? ValueSet{0} : ValueSet{1}, .seen = 0};
}

/// Carries a plan out on the made-up model and returns each cell's last token.
std::vector<Token> CarryOut(const HashModel& model, const std::vector<TracePlan::Cell>& cells,
                            const HashModel::States& clean, const HashModel::States& corrupted) {
  const TracePlan plan(model.shape(), cells, [&](size_t stage, bool restored, ValueSet) {
    return EverythingNeeded(model.shape(), stage, restored);
  });
  const auto length = static_cast<size_t>(model.shape().length);
  std::vector<Token> previous;
  const auto resolve = [&](TokenRef token, size_t stage, const std::vector<Token>& patched) {
    const auto index = static_cast<size_t>(token.index);
    if (token.run == TokenRef::Run::kClean) return clean[stage][index];
    return token.run == TokenRef::Run::kCorrupted ? corrupted[stage][index] : patched.at(index);
  };
  for (size_t stage = 0; stage < plan.stages().size(); ++stage) {
    const StagePlan& planned = plan.stages()[stage];
    std::vector<Token> tokens;
    for (const PlannedToken& token : planned.tokens) {
      if (token.wanted == 0) {
        tokens.push_back({.site = 0xdead, .rest = 0xdead});
        continue;
      }
      std::vector<Token> row;
      for (size_t p = 0; token.row >= 0 && p < length; ++p) {
        row.push_back(
            resolve(planned.rows[static_cast<size_t>(token.row) * length + p], stage - 1, previous));
      }
      const uint64_t clean_site =
          token.restored ? clean[stage - 1][static_cast<size_t>(token.position)].site : 0;
      tokens.push_back(model.After(stage, token.position, resolve(token.source, stage - 1, previous), row,
                                   token.restored, clean_site));
    }
    previous = tokens;
  }
  std::vector<Token> results(cells.size());
  for (const size_t cell : plan.low_cells()) results[cell] = corrupted.back().back();
  for (const PlannedReadout& readout : plan.readouts()) {
    for (const size_t cell : readout.cells) {
      results[cell] = resolve(readout.token, plan.stages().size() - 1, previous);
    }
  }
  return results;
}

std::vector<PlannedStage> Blocks(int64_t layers, bool replaces_token, bool site_after_attention) {
  std::vector<PlannedStage> stages = {{.kind = Cut::Kind::kEmbedding}};
  for (int64_t layer = 0; layer < layers; ++layer) {
    const PlannedStage attention{.kind = Cut::Kind::kAttention};
    const PlannedStage site{.kind = Cut::Kind::kSite, .layer = layer, .replaces_token = replaces_token};
    if (site_after_attention) stages.push_back(attention);
    stages.push_back(site);
    if (!site_after_attention) stages.push_back(attention);
  }
  return stages;
}

const Registration equal_runs("a plan gives every cell what a whole run gives it", [] {
  // The same cases in every run.
  std::mt19937 random(7);  // NOLINT(bugprone-random-generator-seed)
  const auto draw = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  for (int round = 0; round < 300; ++round) {
    const int64_t layers = draw(1, 7);
    const int64_t window = draw(1, 9);
    const HashModel model({.stages = Blocks(layers, draw(0, 1) == 1, draw(0, 2) > 0),
                           .length = draw(1, 8),
                           .subject_begin = 0});
    TracePlan::Shape shape = model.shape();
    shape.subject_begin = draw(0, shape.length - 1);
    const HashModel placed(shape);
    const auto clean = placed.Run(false, -1, {}, nullptr);
    const auto corrupted = placed.Run(true, -1, {}, nullptr);
    std::vector<TracePlan::Cell> cells;
    for (int64_t token = 0; token < shape.length; ++token) {
      for (int64_t layer = 0; layer < layers; ++layer) {
        if (draw(0, 4) > 0) {
          cells.push_back({.token = token, .restored = RestoreWindowAround(layer, window, layers)});
        }
      }
    }
    const std::vector<Token> results = CarryOut(placed, cells, clean, corrupted);
    for (size_t i = 0; i < cells.size(); ++i) {
      const auto whole = placed.Run(true, cells[i].token, cells[i].restored, &clean);
      Require(results[i] == whole.back().back(),
              "round " + std::to_string(round) + ", cell " + std::to_string(i) + " differs");
    }
  }
});

/// Tokens with something wanted, by stage.
std::vector<int64_t> WantedTokens(const TracePlan& plan) {
  std::vector<int64_t> counts;
  for (const StagePlan& stage : plan.stages()) {
    counts.push_back(0);
    for (const PlannedToken& token : stage.tokens) counts.back() += token.wanted != 0 ? 1 : 0;
  }
  return counts;
}

// Restored hidden states, one layer at a time: behind layer j there are j runs of each position that were
// restored before it (the one restored just now is the clean run's token and the corrupted run's others),
// each with all positions from the restored one on; in the last block only its last position.
const Registration token_counts("a plan runs as many tokens as the counting formula says", [] {
  constexpr int64_t kLayers = 5;
  constexpr int64_t kLength = 7;
  constexpr int64_t kSubject = 2;
  const TracePlan::Shape shape{
      .stages = Blocks(kLayers, true, true), .length = kLength, .subject_begin = kSubject};
  std::vector<TracePlan::Cell> cells;
  for (int64_t token = 0; token < kLength; ++token) {
    for (int64_t layer = 0; layer < kLayers; ++layer) {
      cells.push_back({.token = token, .restored = {.begin = layer, .end = layer + 1}});
    }
  }
  const TracePlan plan(shape, cells, [&](size_t stage, bool restored, ValueSet) {
    return EverythingNeeded(shape, stage, restored);
  });
  const std::vector<int64_t> counts = WantedTokens(plan);
  int64_t later_positions = 0;
  for (int64_t token = kSubject; token < kLength; ++token) later_positions += kLength - token;
  RequireEqual(counts[0], int64_t{0}, "embedding");
  for (int64_t layer = 0; layer < kLayers; ++layer) {
    const bool last = layer == kLayers - 1;
    const int64_t everywhere = layer * (last ? kLength - kSubject : later_positions);
    const auto attention = static_cast<size_t>(1 + 2 * layer);
    RequireEqual(counts[attention], everywhere, "attention of layer " + std::to_string(layer));
    RequireEqual(counts[attention + 1], layer * (last ? kLength - kSubject : later_positions),
                 "behind layer " + std::to_string(layer));
  }
  RequireEqual(plan.low_cells().size(), static_cast<size_t>(kSubject * kLayers + kLength - kSubject - 1),
               "cells that equal the low score");
});

}  // namespace
}  // namespace causal_tracer::test
