#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "traced_model.h"

namespace causal_tracer {

/// The first blocks of a model, as two shorter models: enough to see what an engine makes of every block,
/// where the blocks left out do the same as one of the range with other weights.
struct BlockRange {
  /// How many blocks `without_head` has.
  int64_t blocks = 0;
  /// From the token ids to the last kept block's output, `[batch, position, hidden]`, in place of the logits.
  std::unique_ptr<TracedModel> without_head;
  /// The first block with the final norm and the vocabulary projection behind it.
  std::unique_ptr<TracedModel> head;
};

/// The shortest range, of three blocks or more, such that each block behind it has the same operators, fixed
/// numbers and sizes of weights as one of it, and takes the same values from outside the blocks. `blocks` are
/// the (resolved) modules of the blocks in order. nullopt where no such range is shorter than the model, or
/// where something besides the hidden state passes from block to block. `model` must outlive the range.
std::optional<BlockRange> FindBlockRange(const TracedModel& model, const std::vector<std::string>& blocks);

}  // namespace causal_tracer
