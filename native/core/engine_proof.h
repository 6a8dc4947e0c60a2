#pragma once

#include <string>
#include <vector>

#include "engine.h"
#include "traced_model.h"

namespace causal_tracer {

/// The layer modules of one kind, in order, as the caller names them.
struct LayerModules {
  std::string embedding;
  std::vector<std::string> layers = {};
};

/// Compares `engine` with `reference` on random token ids of two lengths, with a single layer and a window
/// restored in cells from the first layer to the last one: logits must agree within 1e-4 of the largest.
/// Returns why the engine failed; empty if it agreed. Throws kAborted.
std::string FindDisagreement(const TracedModel& model, const LayerModules& modules, Engine& engine,
                             Engine& reference, const JobControl& control);

}  // namespace causal_tracer
