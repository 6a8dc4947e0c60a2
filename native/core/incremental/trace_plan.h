#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "../restore_window.h"
#include "stage_graph.h"

namespace causal_tracer {

/// One token of one run, as it is known after a stage.
struct TokenRef {
  enum class Run : uint8_t {
    /// `index` is the position.
    kClean,
    /// `index` is the position.
    kCorrupted,
    /// `index` counts the stage's planned tokens.
    kPatched,
  };
  Run run = Run::kClean;
  int32_t index = 0;

  bool operator==(const TokenRef&) const = default;
};

/// A token that a stage works on; it stands for one token of each sample.
struct PlannedToken {
  int32_t position = 0;
  /// The same token after the stage before.
  TokenRef source;
  /// At a site: takes the clean run's output instead of its own.
  bool restored = false;
  /// At an attention: which row of the stage it belongs to.
  int32_t row = -1;
  /// Which of the stage's outgoing values somebody needs; none: it is not computed.
  ValueSet wanted = 0;
};

struct StagePlan {
  std::vector<PlannedToken> tokens = {};
  /// At an attention: for each row, the tokens of all positions after the stage before; `[row, position]`.
  std::vector<TokenRef> rows = {};
};

/// Where the answer's probability of some cells is read.
struct PlannedReadout {
  /// The last position's token after the last stage.
  TokenRef token;
  /// Numbers of the cells that have this score.
  std::vector<size_t> cells = {};
};

/// What a stage is, as far as a plan has to know.
struct PlannedStage {
  Cut::Kind kind = Cut::Kind::kEmbedding;
  /// The layer of a site.
  int64_t layer = -1;
  /// At a site: nothing else is known of a token, so that a restored token equals the clean run's.
  bool replaces_token = false;
};

/// What a token's wanted values need of the stage before.
struct TokenNeeds {
  /// Of the token itself.
  ValueSet own = 0;
  /// At an attention: of every token that it sees.
  ValueSet seen = 0;
};

/// The computations that a trace needs, told from the model's values: pure whole numbers.
///
/// A token of a patched run differs from the corrupted run's only if it stands at the restored position, or
/// behind it once an attention has passed on the difference. Two runs that restored the same layers so far
/// are the same run. So what is planned are the distinct histories of each restored position, and of each the
/// tokens that differ; all others are references to the run that has them.
class TracePlan {
 public:
  struct Cell {
    int64_t token = 0;
    RestoreWindow restored;
  };
  struct Shape {
    std::vector<PlannedStage> stages;
    int64_t length = 0;
    int64_t subject_begin = 0;
  };
  /// What a token needs of the stage before `stage`, given what is wanted of it (for the last stage: 1).
  using Needs = std::function<TokenNeeds(size_t stage, bool restored, ValueSet wanted)>;

  /// Plans cells with as many distinct positions as will run together.
  TracePlan(const Shape& shape, const std::vector<Cell>& cells, const Needs& needs);

  const std::vector<StagePlan>& stages() const { return stages_; }
  StagePlan& stage(size_t stage) { return stages_[stage]; }
  const std::vector<PlannedReadout>& readouts() const { return readouts_; }
  /// Cells that equal the low score, because nothing they restore reaches the last position.
  const std::vector<size_t>& low_cells() const { return low_cells_; }

 private:
  class Builder;

  std::vector<StagePlan> stages_;
  std::vector<PlannedReadout> readouts_;
  std::vector<size_t> low_cells_;
};

/// How many distinct patched runs of one position a stage can have at most.
int64_t CountPatchedRuns(const TracePlan::Shape& shape, const std::vector<TracePlan::Cell>& cells);

/// The layers of a cell's window that can change the last position's logits: at other positions than the last
/// those before the last attention.
RestoreWindow EffectiveWindow(const TracePlan::Shape& shape, const TracePlan::Cell& cell);

}  // namespace causal_tracer
