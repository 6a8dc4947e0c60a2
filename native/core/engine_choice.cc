#include "engine_choice.h"

#include <algorithm>
#include <utility>

#include "full_graph_engine.h"
#include "incremental/decoder_graph.h"
#include "incremental/incremental_engine.h"
#include "layers_engine.h"

namespace causal_tracer {

Engines::Engines(TracedModel& model) : model_(model), full_(std::make_unique<FullGraphEngine>(model)) {}

Engines::~Engines() = default;

std::vector<EngineChoice> Engines::Prepare(EngineRequest asked, const std::vector<LayerModules>& kinds,
                                           const JobControl& control) {
  prepared_.clear();
  if (asked != EngineRequest::kFull) MakeEngines(kinds);
  std::vector<EngineChoice> choices;
  for (const LayerModules& kind : kinds) choices.push_back(Choose(asked, kind, control));
  return choices;
}

void Engines::MakeEngines(const std::vector<LayerModules>& kinds) {
  incremental_.reset();
  layers_.reset();
  graph_.reset();
  unsupported_ = "no kind of layer was named";
  if (kinds.empty()) return;
  std::vector<std::string> modules;
  for (const LayerModules& kind : kinds) {
    for (const std::string& layer : kind.layers) modules.push_back(model_.ResolveModule(layer));
  }
  try {
    graph_ = std::make_unique<DecoderGraph>(
        PrepareDecoderGraph(model_, model_.ResolveModule(kinds[0].embedding), modules));
    incremental_ = std::make_unique<IncrementalEngine>(model_, *graph_);
    layers_ = std::make_unique<LayersEngine>(model_, *graph_);
    unsupported_.clear();
  } catch (const UnsupportedGraph& reason) {
    unsupported_ = reason.what();
  }
}

EngineChoice Engines::Choose(EngineRequest asked, const LayerModules& kind, const JobControl& control) {
  std::string reason;
  const auto is_proven = [&](const std::unique_ptr<Engine>& engine) {
    std::string why = unsupported_;
    if (engine != nullptr) {
      try {
        why = FindDisagreement(model_, kind, *engine, *full_, control);
      } catch (const UnsupportedGraph& exception) {
        why = exception.what();
      } catch (const std::exception& exception) {
        // An engine that cannot run the model at all has not proven itself either.
        const Error error = DescribeException(exception, ErrorCode::kModelRunFailed, "proving an engine");
        if (error.code() != ErrorCode::kModelRunFailed) throw error;
        why = "it cannot run the model: " + Summary(exception);
      }
    }
    if (reason.empty()) reason = why;
    return why.empty();
  };
  Engine* chosen = full_.get();
  const bool wants_incremental = asked == EngineRequest::kAuto || asked == EngineRequest::kIncremental;
  if (wants_incremental && is_proven(incremental_)) {
    chosen = incremental_.get();
  } else if ((asked == EngineRequest::kAuto || asked == EngineRequest::kLayers) && is_proven(layers_)) {
    chosen = layers_.get();
  }
  if (chosen == full_.get() && asked != EngineRequest::kAuto && asked != EngineRequest::kFull) {
    const std::string name = asked == EngineRequest::kIncremental ? "incremental" : "layers";
    throw Error(ErrorCode::kEngineNotProven, "The engine '" + name + "' cannot be used for this model: " +
                                                 reason + ". Use engine 'auto' or 'full'.");
  }
  prepared_.push_back({.modules = kind, .engine = chosen});
  return {.engine = std::string(chosen->name()), .reason = reason};
}

std::vector<Engines::EngineResult> Engines::TraceMany(const std::vector<TraceRequest>& requests,
                                                      const JobControl& control) {
  const auto count = static_cast<int64_t>(requests.size());
  std::vector<EngineResult> results;
  for (size_t begin = 0; begin < requests.size();) {
    Engine& engine = For(requests[begin]);
    size_t end = begin + 1;
    while (end < requests.size() && &For(requests[end]) == &engine) ++end;
    const std::vector<TraceRequest> group(requests.begin() + static_cast<std::ptrdiff_t>(begin),
                                          requests.begin() + static_cast<std::ptrdiff_t>(end));
    const auto size = static_cast<int64_t>(group.size());
    const JobControl part = control.Part(static_cast<int64_t>(begin), size, count);
    try {
      for (TraceResult& result : engine.TraceMany(group, part)) {
        results.push_back({.engine = std::string(engine.name()), .result = std::move(result)});
      }
    } catch (const UnsupportedGraph& reason) {
      throw Error(ErrorCode::kModelRunFailed, "The engine '" + std::string(engine.name()) +
                                                  "' cannot trace this prompt: " + reason.what() +
                                                  ". Load the model with engine 'full'.");
    } catch (const std::exception& exception) {
      throw DescribeTraceFailure(exception, requests[begin]);
    }
    begin = end;
  }
  return results;
}

Engine& Engines::For(const TraceRequest& request) {
  const auto found = std::ranges::find_if(prepared_, [&](const Prepared& prepared) {
    return prepared.modules.embedding == request.embedding_module &&
           prepared.modules.layers == request.layer_modules;
  });
  return found == prepared_.end() ? *full_ : *found->engine;
}

}  // namespace causal_tracer
