#pragma once

#include <string>
#include <vector>

#include "engine.h"
#include "engine_set.h"
#include "traced_model.h"

namespace causal_tracer {

/// What a proof compares.
enum class ProofScope {
  /// Single layers and windows, restored in cells from the first layer to the last one, of two lengths.
  kCells,
  /// The clean and the corrupted run alone.
  kBaseRuns,
};

/// Compares `engine` with `reference` on random token ids, for each of `kinds`: logits must agree within 1e-4
/// of the largest. Returns for each kind why the engine failed; empty if it agreed. Throws kAborted, and what
/// either engine throws.
std::vector<std::string> FindDisagreements(const TracedModel& model, const std::vector<LayerModules>& kinds,
                                           ProofScope scope, Engine& engine, Engine& reference,
                                           const JobControl& control);

}  // namespace causal_tracer
