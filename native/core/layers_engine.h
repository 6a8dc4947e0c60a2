#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine.h"
#include "incremental/decoder_graph.h"
#include "incremental/stage_graph.h"
#include "traced_model.h"

namespace causal_tracer {

/// Computes a trace layer by layer on whole rows: a patched run equals the corrupted run before its first
/// restored layer, so it starts there. Slower than the incremental engine, but asks less of a model.
class LayersEngine final : public Engine {
 public:
  /// `model` and `graph`, which has been prepared for it, must outlive the engine.
  LayersEngine(const TracedModel& model, const DecoderGraph& graph) : model_(model), graph_(graph) {}

  std::string_view name() const override { return "layers"; }

  /// Throws UnsupportedGraph, too.
  void Prepare(const std::vector<std::string>& layer_modules) override;

  /// Throws as Engine::Trace, and UnsupportedGraph where the model cannot be cut at these layers.
  TraceResult Trace(const TraceRequest& request, const JobControl& control) override;

 private:
  const StageGraph& GraphFor(const std::vector<std::string>& layer_modules);

  const TracedModel& model_;
  const DecoderGraph& graph_;
  std::map<std::vector<std::string>, std::unique_ptr<StageGraph>> graphs_;
};

}  // namespace causal_tracer
