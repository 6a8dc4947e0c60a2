#include "engine_choice.h"

#include <algorithm>
#include <utility>

#include "full_graph_engine.h"
#include "incremental/decoder_graph.h"
#include "incremental/incremental_engine.h"

namespace causal_tracer {

Engines::Engines(TracedModel& model) : model_(model), full_(std::make_unique<FullGraphEngine>(model)) {}

Engines::~Engines() = default;

std::vector<EngineChoice> Engines::Prepare(EngineRequest asked, const std::vector<LayerModules>& kinds,
                                           const JobControl& control) {
  prepared_.clear();
  incremental_.reset();
  std::string unsupported;
  if (asked != EngineRequest::kFull && !kinds.empty()) {
    std::vector<std::string> modules;
    for (const LayerModules& kind : kinds) {
      for (const std::string& layer : kind.layers) modules.push_back(model_.ResolveModule(layer));
    }
    try {
      incremental_ =
          std::make_unique<IncrementalEngine>(model_, model_.ResolveModule(kinds[0].embedding), modules);
    } catch (const UnsupportedGraph& reason) {
      unsupported = reason.what();
    }
  }
  std::vector<EngineChoice> choices;
  for (const LayerModules& kind : kinds) {
    std::string reason = unsupported;
    if (incremental_ != nullptr) {
      try {
        reason = FindDisagreement(model_, kind, *incremental_, *full_, control);
      } catch (const UnsupportedGraph& exception) {
        reason = exception.what();
      }
    }
    const bool proven = incremental_ != nullptr && reason.empty();
    if (!proven && asked == EngineRequest::kIncremental) {
      throw Error(ErrorCode::kEngineNotProven, "The incremental engine cannot be used for this model: " +
                                                   reason + ". Use engine 'auto' or 'full'.");
    }
    Engine* engine = proven ? incremental_.get() : full_.get();
    prepared_.push_back({.modules = kind, .engine = engine});
    choices.push_back({.engine = std::string(engine->name()), .reason = reason});
  }
  return choices;
}

Engine& Engines::For(const std::string& embedding, const std::vector<std::string>& layers) {
  const auto found = std::ranges::find_if(prepared_, [&](const Prepared& prepared) {
    return prepared.modules.embedding == embedding && prepared.modules.layers == layers;
  });
  return found == prepared_.end() ? *full_ : *found->engine;
}

}  // namespace causal_tracer
