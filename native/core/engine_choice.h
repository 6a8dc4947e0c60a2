#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine.h"
#include "engine_set.h"
#include "proof_models.h"
#include "traced_model.h"

namespace causal_tracer {

/// What a caller asks for.
enum class EngineRequest {
  /// The fastest engine that is proven on the model.
  kAuto,
  kIncremental,
  kLayers,
  kFull,
};

/// The engine that traces one kind of layer.
struct EngineChoice {
  std::string engine;
  /// Why a faster engine was not taken; empty where it was, or was not asked for.
  std::string reason;
};

/// The engines of one model. No engine but the whole model's is used before it has proven itself.
class Engines {
 public:
  /// `model` must outlive the engines.
  explicit Engines(TracedModel& model) : engines_(model) {}

  /// Chooses the engine of each kind: proves the faster engines and steps down from those that fail. Throws
  /// kEngineNotProven if the caller asked for an engine that fails.
  std::vector<EngineChoice> Prepare(EngineRequest asked, const std::vector<LayerModules>& kinds,
                                    const JobControl& control);

  struct EngineResult {
    std::string engine;
    TraceResult result;
  };
  /// Traces requests in order, each with its engine; neighbours with the same engine can share work. Throws
  /// what Engine::Trace throws, with what to do about it.
  std::vector<EngineResult> TraceMany(const std::vector<TraceRequest>& requests, const JobControl& control);

 private:
  struct Prepared {
    LayerModules modules;
    Engine* engine = nullptr;
  };
  /// One of an EngineSet's.
  using Getter = Engine* (EngineSet::*)() const;

  /// The engine chosen for a request's layers; the whole model's for layers that were not prepared.
  Engine& For(const TraceRequest& request);
  /// For each of the kinds by number why an engine cannot be used; empty where it has been proven.
  std::vector<std::string> FindObjections(Getter engine, const std::vector<size_t>& kinds,
                                          const ProofModels& proof_models, const JobControl& control);
  /// The same, but throws where the engine cannot run one of the kinds at all.
  std::vector<std::string> Prove(Getter engine, const std::vector<size_t>& kinds,
                                 const ProofModels& proof_models, const JobControl& control);

  EngineSet engines_;
  std::vector<Prepared> prepared_;
};

}  // namespace causal_tracer
