#include "engine_choice.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "engine_proof.h"
#include "incremental/decoder_graph.h"

namespace causal_tracer {
namespace {

/// A model of this size takes about 0.2 s on two processors to prove itself as a whole.
constexpr int64_t kBytesProvenWhole = int64_t{64} * 1024 * 1024;

}  // namespace

std::vector<EngineChoice> Engines::Prepare(EngineRequest asked, const std::vector<LayerModules>& kinds,
                                           const JobControl& control) {
  prepared_.clear();
  if (asked == EngineRequest::kFull) {
    for (const LayerModules& kind : kinds) prepared_.push_back({.modules = kind, .engine = &engines_.full()});
    return std::vector<EngineChoice>(
        kinds.size(), {.engine = std::string(engines_.full().name()), .reason = std::string()});
  }
  engines_.MakeFaster(kinds);
  const ProofModels proof_models(engines_, kinds, kBytesProvenWhole);
  std::vector<Getter> candidates;
  if (asked != EngineRequest::kLayers) candidates.push_back(&EngineSet::incremental);
  if (asked != EngineRequest::kIncremental) candidates.push_back(&EngineSet::layers);

  std::vector<EngineChoice> choices(kinds.size());
  std::vector<size_t> open(kinds.size());
  std::iota(open.begin(), open.end(), size_t{0});
  for (const LayerModules& kind : kinds) prepared_.push_back({.modules = kind, .engine = &engines_.full()});
  for (const Getter candidate : candidates) {
    const std::vector<std::string> objections = FindObjections(candidate, open, proof_models, control);
    std::vector<size_t> still_open;
    for (size_t i = 0; i < open.size(); ++i) {
      if (objections[i].empty()) {
        prepared_[open[i]].engine = (engines_.*candidate)();
        continue;
      }
      if (choices[open[i]].reason.empty()) choices[open[i]].reason = objections[i];
      still_open.push_back(open[i]);
    }
    open = still_open;
  }
  if (!open.empty() && asked != EngineRequest::kAuto) {
    const std::string name = asked == EngineRequest::kIncremental ? "incremental" : "layers";
    throw Error(ErrorCode::kEngineNotProven, "The engine '" + name + "' cannot be used for this model: " +
                                                 choices[open[0]].reason + ". Use engine 'auto' or 'full'.");
  }
  for (size_t i = 0; i < kinds.size(); ++i) choices[i].engine = std::string(prepared_[i].engine->name());
  return choices;
}

std::vector<std::string> Engines::FindObjections(Getter engine, const std::vector<size_t>& kinds,
                                                 const ProofModels& proof_models, const JobControl& control) {
  if (kinds.empty()) return {};
  std::string objection;
  try {
    return Prove(engine, kinds, proof_models, control);
  } catch (const UnsupportedGraph& reason) {
    objection = reason.what();
  } catch (const std::exception& exception) {
    // An engine that cannot run the model at all has not proven itself either.
    const Error error = DescribeException(exception, ErrorCode::kModelRunFailed, "proving an engine");
    if (error.code() != ErrorCode::kModelRunFailed) throw error;
    objection = "it cannot run the model: " + Summary(exception);
  }
  if (kinds.size() == 1) return {objection};
  std::vector<std::string> objections;
  for (const size_t kind : kinds) {
    objections.push_back(FindObjections(engine, {kind}, proof_models, control).front());
  }
  return objections;
}

std::vector<std::string> Engines::Prove(Getter engine, const std::vector<size_t>& kinds,
                                        const ProofModels& proof_models, const JobControl& control) {
  if (!engines_.unsupported().empty()) throw UnsupportedGraph(engines_.unsupported());
  if ((engines_.*engine)() == nullptr) throw UnsupportedGraph("it runs on the CPU only");
  for (const size_t kind : kinds) (engines_.*engine)()->Prepare(prepared_[kind].modules.layers);
  std::vector<std::string> objections(kinds.size());
  for (const ProofModels::Entry& entry : proof_models.entries()) {
    const EngineSet& engines = *entry.engines;
    if (!engines.unsupported().empty()) throw UnsupportedGraph(engines.unsupported());
    std::vector<LayerModules> modules;
    for (const size_t kind : kinds) modules.push_back(entry.kinds[kind]);
    const std::vector<std::string> disagreements = FindDisagreements(
        engines.model(), modules, entry.scope, *(engines.*engine)(), engines.full(), control);
    for (size_t i = 0; i < kinds.size(); ++i) {
      if (objections[i].empty()) objections[i] = disagreements[i];
    }
  }
  return objections;
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
  return found == prepared_.end() ? engines_.full() : *found->engine;
}

}  // namespace causal_tracer
