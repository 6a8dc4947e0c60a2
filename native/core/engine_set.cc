#include "engine_set.h"

#include "full_graph_engine.h"
#include "incremental/decoder_graph.h"
#include "incremental/incremental_engine.h"
#include "layers_engine.h"

namespace causal_tracer {

EngineSet::EngineSet(TracedModel& model) : model_(model), full_(std::make_unique<FullGraphEngine>(model)) {}

EngineSet::~EngineSet() = default;

void EngineSet::MakeFaster(const std::vector<LayerModules>& kinds) {
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
    // Its attention reads tokens through addresses of the CPU's.
    if (model_.device().is_cpu()) incremental_ = std::make_unique<IncrementalEngine>(model_, *graph_);
    layers_ = std::make_unique<LayersEngine>(model_, *graph_);
    unsupported_.clear();
  } catch (const UnsupportedGraph& reason) {
    unsupported_ = reason.what();
  }
}

}  // namespace causal_tracer
