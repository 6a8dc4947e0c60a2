#include "engine_proof.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/randint.h>

#include <algorithm>
#include <cmath>
#include <sstream>

namespace causal_tracer {
namespace {

/// Relative to the largest logit.
constexpr double kTolerance = 1e-4;
constexpr uint64_t kSeed = 20220210;
constexpr int64_t kLogits = 32;

std::vector<int64_t> RandomIds(int64_t count, int64_t vocabulary, uint64_t seed) {
  const at::Tensor ids = at::randint(vocabulary, {count}, at::detail::createCPUGenerator(seed), at::kLong);
  return {ids.const_data_ptr<int64_t>(), ids.const_data_ptr<int64_t>() + count};
}

struct Case {
  int64_t length;
  int64_t window;
  std::vector<TraceCell> cells;
};

/// Single layers in a short prompt, windows in a longer one; from the first layer and the subject to the last
/// layer and the last token.
std::vector<Case> Cases(ProofScope scope, int64_t layers) {
  if (scope == ProofScope::kBaseRuns) return {{.length = 6, .window = 1, .cells = {}}};
  return {{.length = 5,
           .window = 1,
           .cells = {{.token = 1, .layer = 0},
                     {.token = 3, .layer = layers / 2},
                     {.token = 4, .layer = layers - 1}}},
          {.length = 8,
           .window = 3,
           .cells = {{.token = 2, .layer = layers / 3},
                     {.token = 6, .layer = std::max<int64_t>(0, layers - 2)},
                     {.token = 7, .layer = layers / 2}}}};
}

TraceRequest MakeRequest(const LayerModules& modules, const Case& proof, const at::Tensor& embeddings,
                         double noise) {
  const int64_t vocabulary = embeddings.size(0);
  TraceRequest request;
  request.input_ids = RandomIds(proof.length, vocabulary, kSeed + static_cast<uint64_t>(proof.length));
  request.embedding_module = modules.embedding;
  request.layer_modules = modules.layers;
  request.subject_begin = 1;
  request.subject_end = 3;
  request.noise = noise;
  request.samples = 1;
  request.window = proof.window;
  request.cells = proof.cells;
  // A model that ends at its hidden state has fewer outputs than a vocabulary.
  request.logit_ids = RandomIds(kLogits, std::min(vocabulary, embeddings.size(1)), kSeed);
  return request;
}

/// The largest difference, relative to the largest logit.
double Difference(const TraceResult& a, const TraceResult& b) {
  double largest = 0.0;
  double difference = 0.0;
  for (size_t run = 0; run < a.logits.size(); ++run) {
    for (size_t i = 0; i < a.logits[run].size(); ++i) {
      largest = std::max(largest, std::abs(b.logits[run][i]));
      const double here = std::abs(a.logits[run][i] - b.logits[run][i]);
      difference = std::isnan(here) ? here : std::max(difference, here);
      if (std::isnan(difference)) return difference;
    }
  }
  return difference / std::max(largest, 1e-30);
}

}  // namespace

std::vector<std::string> FindDisagreements(const TracedModel& model, const std::vector<LayerModules>& kinds,
                                           ProofScope scope, Engine& engine, Engine& reference,
                                           const JobControl& control) {
  std::vector<std::string> reasons(kinds.size());
  if (kinds.empty()) return reasons;
  const at::Tensor& weight = model.EmbeddingWeight(kinds[0].embedding);
  constexpr int64_t kTokens = 1024;
  const double noise =
      3.0 * weight.narrow(0, 0, std::min(kTokens, weight.size(0))).to(at::kFloat).std().item<double>();
  for (const Case& proof : Cases(scope, static_cast<int64_t>(kinds[0].layers.size()))) {
    std::vector<TraceRequest> requests;
    for (const LayerModules& kind : kinds) requests.push_back(MakeRequest(kind, proof, weight, noise));
    const std::vector<TraceResult> results = engine.TraceMany(requests, control);
    const std::vector<TraceResult> expected = reference.TraceMany(requests, control);
    for (size_t kind = 0; kind < kinds.size(); ++kind) {
      const double difference = Difference(results[kind], expected[kind]);
      if (difference <= kTolerance || !reasons[kind].empty()) continue;
      std::ostringstream reason;
      reason << "its logits differ from the whole model's by " << difference << " of the largest, for "
             << proof.length << " tokens and windows of " << proof.window;
      reasons[kind] = reason.str();
    }
  }
  return reasons;
}

}  // namespace causal_tracer
