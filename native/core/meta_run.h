#pragma once

#include <cstdint>
#include <vector>

#include "traced_model.h"

namespace causal_tracer {

/// The shape of `model`'s logits for unpadded rows `[batch, position]` as the meta device computes it, which
/// has shapes but no numbers: tells without a GPU whether the graph can leave the CPU. Throws kModelRunFailed
/// where a tensor stays behind.
std::vector<int64_t> LogitsShapeOnMeta(const TracedModel& model, int64_t batch, int64_t length);

}  // namespace causal_tracer
