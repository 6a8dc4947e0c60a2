
#include <algorithm>
#include <memory>

#include "../../native/core/incremental/incremental_engine.h"
#include "../../native/core/layers_engine.h"
#include "checks.h"
#include "tiny_model.h"

namespace causal_tracer::test {
namespace {

/// Why the engine is not proven, as the choice of engines sees it.
std::string Disagreement(TinyModel& tiny, Engine& engine) {
  try {
    return FindDisagreement(tiny.model, tiny.modules, engine, tiny.full, JobControl());
  } catch (const UnsupportedGraph& reason) {
    return reason.what();
  }
}

const std::vector<std::pair<std::string, LayerModules>>& Models() {
  static const std::vector<std::pair<std::string, LayerModules>> models = {
      {"tiny-gpt2", Modules("transformer.wte", "transformer.h.", "")},
      {"tiny-gpt2", Modules("transformer.wte", "transformer.h.", ".mlp")},
      {"tiny-llama", Modules("model.embed_tokens", "model.layers.", "")},
      {"tiny-llama", Modules("model.embed_tokens", "model.layers.", ".self_attn")},
      {"tiny-neox", Modules("gpt_neox.embed_in", "gpt_neox.layers.", ".mlp")},
  };
  return models;
}

const Registration sound("engines that are right are proven", [] {
  for (const auto& [name, modules] : Models()) {
    TinyModel tiny(name, modules);
    IncrementalEngine incremental(tiny.model, tiny.graph);
    LayersEngine layers(tiny.model, tiny.graph);
    RequireEqual(Disagreement(tiny, incremental), std::string(), name + ", incremental");
    RequireEqual(Disagreement(tiny, layers), std::string(), name + ", layers");
  }
});

void RequireCaught(const std::string& fault, const IncrementalEngine::PlanFault& inject) {
  for (const auto& [name, modules] : Models()) {
    TinyModel tiny(name, modules);
    IncrementalEngine engine(tiny.model, tiny.graph);
    engine.InjectFault(inject);
    std::string what = name;
    what.append(" ").append(modules.layers[0]).append(": ").append(fault).append(" is not caught");
    Require(!Disagreement(tiny, engine).empty(), what);
  }
}

const Registration faults("faults in a plan are caught by the proof", [] {
  RequireCaught("a wrong position, and with it a wrong mask row", [](size_t /*stage*/, StagePlan& plan) {
    for (PlannedToken& token : plan.tokens) token.position = std::max(0, token.position - 1);
  });
  RequireCaught("a stale key", [](size_t /*stage*/, StagePlan& plan) {
    for (TokenRef& token : plan.rows) {
      if (token.run == TokenRef::Run::kPatched) token = {.run = TokenRef::Run::kClean, .index = 0};
    }
  });
  RequireCaught("a token of another place", [](size_t /*stage*/, StagePlan& plan) {
    for (PlannedToken& token : plan.tokens) {
      if (token.source.run == TokenRef::Run::kPatched) token.source.index = 0;
    }
  });
  RequireCaught("a restore that is left out", [](size_t /*stage*/, StagePlan& plan) {
    for (PlannedToken& token : plan.tokens) token.restored = false;
    for (PlannedToken& token : plan.tokens) {
      if (token.source.run == TokenRef::Run::kClean && token.source.index > 0)
        token.source.run = TokenRef::Run::kCorrupted;
    }
  });
});

const Registration stale_values("values that were freed too early are caught by the proof", [] {
  for (const auto& [name, modules] : Models()) {
    TinyModel tiny(name, modules);
    IncrementalEngine engine(tiny.model, tiny.graph);
    engine.InjectStateFault([](StageState& state) {
      // What reused memory looks like: other numbers under pointers that are still valid.
      for (TokenColumn& column : state.columns) {
        if (column.owners.size() > 0) column.owners[0].zero_();
      }
    });
    Require(!Disagreement(tiny, engine).empty(), name + ": reused memory is not caught");
  }
});

/// Tokens of each stage of a trace of hidden states, one layer at a time, counted from the definition.
std::vector<int64_t> CountTokens(int64_t length, int64_t subject, int64_t samples) {
  std::vector<int64_t> counts;
  int64_t later = 0;
  for (int64_t token = subject; token < length; ++token) later += length - token;
  const int64_t base = length + (length - subject) * samples;
  const int64_t base_behind = 1 + samples;
  counts.push_back(base);
  for (int64_t layer = 0; layer < kLayers; ++layer) {
    const bool last = layer == kLayers - 1;
    const int64_t patched = layer * samples * (last ? length - subject : later);
    counts.push_back((last ? base_behind : base) + patched);
    counts.push_back((last ? base_behind : base) + patched);
  }
  return counts;
}

const Registration work("the engine runs as many tokens as counted from the definition", [] {
  TinyModel tiny("tiny-gpt2", Modules("transformer.wte", "transformer.h.", ""));
  IncrementalEngine engine(tiny.model, tiny.graph);
  TraceRequest request;
  request.input_ids = {5, 6, 7, 8, 9, 10, 11};
  request.embedding_module = tiny.modules.embedding;
  request.layer_modules = tiny.modules.layers;
  request.subject_begin = 2;
  request.subject_end = 4;
  request.noise = 0.1;
  request.samples = 3;
  for (int64_t token = 0; token < 7; ++token) {
    for (int64_t layer = 0; layer < kLayers; ++layer)
      request.cells.push_back({.token = token, .layer = layer});
  }
  for (const int64_t batch_size : {0, 1, 7}) {
    request.batch_size = batch_size;
    Require(engine.Trace(request, JobControl()).work.tokens_by_stage == CountTokens(7, 2, 3),
            "token counts with batch size " + std::to_string(batch_size));
  }
});

}  // namespace
}  // namespace causal_tracer::test
