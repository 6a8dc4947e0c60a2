#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../../native/core/engine_proof.h"
#include "../../native/core/full_graph_engine.h"
#include "../../native/core/incremental/decoder_graph.h"

namespace causal_tracer::test {

/// Layers of each tiny model of test/fixtures.
inline constexpr int64_t kLayers = 5;

inline LayerModules Modules(const std::string& embedding, const std::string& prefix,
                            const std::string& suffix) {
  LayerModules modules{.embedding = embedding};
  for (int64_t layer = 0; layer < kLayers; ++layer) {
    std::string name = prefix;
    modules.layers.push_back(name.append(std::to_string(layer)).append(suffix));
  }
  return modules;
}

struct TinyModel {
  explicit TinyModel(const std::string& name, const LayerModules& modules)
      : model({.path = "test/fixtures/models/" + name + "/model.pt", .inputs = {}}),
        graph(PrepareDecoderGraph(model, modules.embedding, modules.layers)),
        full(model),
        modules(modules) {}

  TracedModel model;
  DecoderGraph graph;
  FullGraphEngine full;
  LayerModules modules;
};

}  // namespace causal_tracer::test
