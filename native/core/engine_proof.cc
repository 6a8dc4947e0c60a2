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
std::vector<Case> Cases(int64_t layers) {
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

TraceRequest MakeRequest(const LayerModules& modules, const Case& proof, int64_t vocabulary, double noise) {
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
  request.logit_ids = RandomIds(kLogits, vocabulary, kSeed);
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

std::string FindDisagreement(const TracedModel& model, const LayerModules& modules, Engine& engine,
                             Engine& reference, const JobControl& control) {
  const at::Tensor& weight = model.EmbeddingWeight(modules.embedding);
  constexpr int64_t kTokens = 1024;
  const double noise =
      3.0 * weight.narrow(0, 0, std::min(kTokens, weight.size(0))).to(at::kFloat).std().item<double>();
  for (const Case& proof : Cases(static_cast<int64_t>(modules.layers.size()))) {
    const TraceRequest request = MakeRequest(modules, proof, weight.size(0), noise);
    const double difference = Difference(engine.Trace(request, control), reference.Trace(request, control));
    if (difference <= kTolerance) continue;
    std::ostringstream reason;
    reason << "its logits differ from the whole model's by " << difference << " of the largest, for "
           << proof.length << " tokens and windows of " << proof.window;
    return reason.str();
  }
  return "";
}

}  // namespace causal_tracer
