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

inline TracedModel LoadTinyModel(const std::string& name) {
  return TracedModel({.path = "test/fixtures/models/" + name + "/model.pt", .inputs = {}});
}

inline LayerModules Modules(const std::string& embedding, const std::string& prefix,
                            const std::string& suffix) {
  LayerModules modules{.embedding = embedding};
  for (int64_t layer = 0; layer < kLayers; ++layer) {
    std::string name = prefix;
    modules.layers.push_back(name.append(std::to_string(layer)).append(suffix));
  }
  return modules;
}

/// Every cell of a prompt of seven tokens, of which two are the subject.
inline TraceRequest RequestEveryCell(const LayerModules& modules, int64_t window) {
  TraceRequest request;
  request.input_ids = {5, 6, 7, 8, 9, 10, 11};
  request.embedding_module = modules.embedding;
  request.layer_modules = modules.layers;
  request.subject_begin = 2;
  request.subject_end = 4;
  request.noise = 0.1;
  request.samples = 3;
  request.window = window;
  for (int64_t token = 0; token < 7; ++token) {
    for (int64_t layer = 0; layer < kLayers; ++layer)
      request.cells.push_back({.token = token, .layer = layer});
  }
  return request;
}

struct TinyModel {
  explicit TinyModel(const std::string& name, const LayerModules& modules)
      : model(LoadTinyModel(name)),
        graph(PrepareDecoderGraph(model, modules.embedding, modules.layers)),
        full(model),
        modules(modules) {}

  TracedModel model;
  DecoderGraph graph;
  FullGraphEngine full;
  LayerModules modules;
};

}  // namespace causal_tracer::test
