#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine.h"
#include "traced_model.h"

namespace causal_tracer {

struct DecoderGraph;

/// The layer modules of one kind, in order, as the caller names them.
struct LayerModules {
  std::string embedding;
  std::vector<std::string> layers = {};
};

/// Every engine that one model has.
class EngineSet {
 public:
  /// `model` must outlive the engines. Until MakeFaster there is only the full one.
  explicit EngineSet(TracedModel& model);
  ~EngineSet();
  EngineSet(const EngineSet&) = delete;
  EngineSet& operator=(const EngineSet&) = delete;

  /// Makes the engines that cut the model at the embedding and the layers of `kinds`, where that can be done.
  void MakeFaster(const std::vector<LayerModules>& kinds);

  TracedModel& model() const { return model_; }
  Engine& full() const { return *full_; }
  /// Null where there is none.
  Engine* incremental() const { return incremental_.get(); }
  Engine* layers() const { return layers_.get(); }
  /// Why there is only the full engine; empty where there are others.
  const std::string& unsupported() const { return unsupported_; }

 private:
  TracedModel& model_;
  std::unique_ptr<Engine> full_;
  std::unique_ptr<DecoderGraph> graph_;
  std::string unsupported_;
  std::unique_ptr<Engine> incremental_;
  std::unique_ptr<Engine> layers_;
};

}  // namespace causal_tracer
