#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <memory>

#include "../../native/core/incremental/incremental_engine.h"
#include "../../native/core/proof_models.h"
#include "checks.h"
#include "tiny_model.h"

namespace causal_tracer::test {
namespace {

/// Why an engine of `engines` is not proven, as the choice of engines sees it.
std::string Disagreement(const EngineSet& engines, const LayerModules& modules, ProofScope scope,
                         Engine& engine) {
  try {
    return FindDisagreements(engines.model(), {modules}, scope, engine, engines.full(), JobControl())[0];
  } catch (const UnsupportedGraph& reason) {
    return reason.what();
  }
}

struct TracedKind {
  std::string model;
  std::string embedding;
  std::string prefix;
  std::string suffix;

  /// Hidden states, which are behind whole blocks, and this kind.
  std::vector<LayerModules> Modules() const {
    return {test::Modules(embedding, prefix, ""), test::Modules(embedding, prefix, suffix)};
  }
};

const std::vector<TracedKind>& Kinds() {
  static const std::vector<TracedKind> kinds = {
      {.model = "tiny-gpt2", .embedding = "transformer.wte", .prefix = "transformer.h.", .suffix = ""},
      {.model = "tiny-gpt2", .embedding = "transformer.wte", .prefix = "transformer.h.", .suffix = ".mlp"},
      {.model = "tiny-llama", .embedding = "model.embed_tokens", .prefix = "model.layers.", .suffix = ""},
      {.model = "tiny-llama",
       .embedding = "model.embed_tokens",
       .prefix = "model.layers.",
       .suffix = ".self_attn"},
      {.model = "tiny-neox",
       .embedding = "gpt_neox.embed_in",
       .prefix = "gpt_neox.layers.",
       .suffix = ".mlp"},
  };
  return kinds;
}

/// Proves small models as a whole, or by the first of their blocks.
constexpr std::array<int64_t, 2> kWholeBytes = {std::numeric_limits<int64_t>::max(), 0};

using ProofCheck = std::function<void(const std::string& what, const ProofModels::Entry& entry)>;

/// Hands each of the models that prove one kind to `check`.
void ForEachProof(const ProofCheck& check) {
  for (const TracedKind& kind : Kinds()) {
    const std::vector<LayerModules> kinds = kind.Modules();
    for (const int64_t whole_bytes : kWholeBytes) {
      TracedModel model = LoadTinyModel(kind.model);
      EngineSet engines(model);
      engines.MakeFaster(kinds);
      const ProofModels proof_models(engines, kinds, whole_bytes);
      for (const ProofModels::Entry& entry : proof_models.entries()) {
        std::string what = kind.model;
        what.append(" ").append(kinds[1].layers[0]).append(whole_bytes > 0 ? ", whole" : ", a range");
        check(what, entry);
      }
    }
  }
}

const Registration sound("engines that are right are proven", [] {
  ForEachProof([](const std::string& what, const ProofModels::Entry& entry) {
    for (Engine* engine : {entry.engines->incremental(), entry.engines->layers()}) {
      Require(engine != nullptr, what + ": " + entry.engines->unsupported());
      RequireEqual(Disagreement(*entry.engines, entry.kinds[1], entry.scope, *engine), std::string(),
                   what + ", " + std::string(engine->name()));
    }
  });
});

const Registration ranges("a model that is too large proves itself on its first blocks, and on its head", [] {
  const std::vector<LayerModules> kinds = Kinds()[1].Modules();
  TracedModel model = LoadTinyModel("tiny-gpt2");
  EngineSet engines(model);
  engines.MakeFaster(kinds);
  const ProofModels small(engines, kinds, model.memory_bytes());
  RequireEqual(small.entries().size(), 1U, "models of a small one");
  RequireEqual(small.entries()[0].kinds[0].layers.size(), 5U, "layers of a small one");
  const ProofModels large(engines, kinds, model.memory_bytes() - 1);
  RequireEqual(large.entries().size(), 2U, "models of a large one");
  RequireEqual(large.entries()[0].kinds[0].layers.size(), 3U, "layers of a large one");
  Require(large.entries()[1].scope == ProofScope::kBaseRuns, "the head is proven by the base runs");
});

void RequireCaught(const std::string& fault, const std::function<void(IncrementalEngine&)>& inject) {
  ForEachProof([&](const std::string& what, const ProofModels::Entry& entry) {
    // Without patched runs there is nothing to go wrong in them.
    if (entry.scope == ProofScope::kBaseRuns) return;
    auto& engine = dynamic_cast<IncrementalEngine&>(*entry.engines->incremental());
    inject(engine);
    Require(!Disagreement(*entry.engines, entry.kinds[1], entry.scope, engine).empty(),
            what + ": " + fault + " is not caught");
  });
}

void RequirePlanFaultCaught(const std::string& fault, const IncrementalEngine::PlanFault& inject) {
  RequireCaught(fault, [&](IncrementalEngine& engine) { engine.InjectFault(inject); });
}

const Registration faults("faults in a plan are caught by the proof", [] {
  RequirePlanFaultCaught("a wrong position, and with it a wrong mask row",
                         [](size_t /*stage*/, StagePlan& plan) {
                           for (PlannedToken& token : plan.tokens)
                             token.position = std::max(0, token.position - 1);
                         });
  RequirePlanFaultCaught("a stale key", [](size_t /*stage*/, StagePlan& plan) {
    for (TokenRef& token : plan.rows) {
      if (token.run == TokenRef::Run::kPatched) token = {.run = TokenRef::Run::kClean, .index = 0};
    }
  });
  RequirePlanFaultCaught("a token of another place", [](size_t /*stage*/, StagePlan& plan) {
    for (PlannedToken& token : plan.tokens) {
      if (token.source.run == TokenRef::Run::kPatched) token.source.index = 0;
    }
  });
  RequirePlanFaultCaught("a restore that is left out", [](size_t /*stage*/, StagePlan& plan) {
    for (PlannedToken& token : plan.tokens) token.restored = false;
    for (PlannedToken& token : plan.tokens) {
      if (token.source.run == TokenRef::Run::kClean && token.source.index > 0)
        token.source.run = TokenRef::Run::kCorrupted;
    }
  });
});

const Registration stale_values("values that were freed too early are caught by the proof", [] {
  RequireCaught("reused memory", [](IncrementalEngine& engine) {
    engine.InjectStateFault([](StageState& state) {
      // What reused memory looks like: other numbers under pointers that are still valid.
      for (TokenColumn& column : state.columns) {
        if (column.owners.size() > 0) column.owners[0].zero_();
      }
    });
  });
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
