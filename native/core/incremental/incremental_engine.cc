#include "incremental_engine.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <optional>

#include "incremental_trace.h"

namespace causal_tracer {

void IncrementalEngine::Prepare(const std::vector<std::string>& layer_modules) { GraphFor(layer_modules); }

TraceResult IncrementalEngine::Trace(const TraceRequest& request, const JobControl& control) {
  CheckRequest(request);
  const c10::InferenceMode inference_mode;
  return TraceOn(request, nullptr, control);
}

std::vector<TraceResult> IncrementalEngine::TraceMany(const std::vector<TraceRequest>& requests,
                                                      const JobControl& control) {
  for (const TraceRequest& request : requests) CheckRequest(request);
  const c10::InferenceMode inference_mode;
  std::vector<TraceResult> results;
  for (const auto& [begin, end] : GroupsWithSharedBaseRuns(requests)) {
    TraceSharing(requests, begin, end, control, results);
  }
  return results;
}

void IncrementalEngine::TraceSharing(const std::vector<TraceRequest>& requests, size_t begin, size_t end,
                                     const JobControl& control, std::vector<TraceResult>& results) {
  const auto count = static_cast<int64_t>(requests.size());
  const auto part = [&](size_t i) { return control.Part(static_cast<int64_t>(i), 1, count); };
  if (end == begin + 1) {
    results.push_back(TraceOn(requests[begin], nullptr, part(begin)));
    return;
  }
  std::vector<std::string> all_layers;
  bool all_positions = false;
  for (size_t i = begin; i < end; ++i) {
    all_positions = all_positions || requests[i].include_layer_outputs;
    for (const std::string& layer : requests[i].layer_modules) {
      if (std::ranges::find(all_layers, layer) == all_layers.end()) all_layers.push_back(layer);
    }
  }
  const StageGraph& graph = GraphFor(all_layers);
  TraceWork base_work;
  base_work.tokens_by_stage.assign(graph.stages().size(), 0);
  const BaseRuns bases = ComputeBaseRuns(graph, EmbedPrompt(model_, graph, requests[begin]), requests[begin],
                                         all_positions, control, base_work, [](int64_t) {});
  for (size_t i = begin; i < end; ++i) {
    const auto own = BaseRunsFor(GraphFor(requests[i].layer_modules), graph, bases);
    results.push_back(TraceOn(requests[i], own ? &*own : nullptr, part(i)));
  }
  results[begin].work.multiplications += base_work.multiplications;
}

TraceResult IncrementalEngine::TraceOn(const TraceRequest& request, const BaseRuns* bases,
                                       const JobControl& control) {
  IncrementalTrace trace(model_, GraphFor(request.layer_modules), request, control);
  trace.InjectFaults(plan_fault_, state_fault_);
  return trace.Run(bases);
}

const StageGraph& IncrementalEngine::GraphFor(const std::vector<std::string>& layer_modules) {
  const std::vector<std::string> layers = model_.ResolveModules(layer_modules);
  auto& graph = graphs_[layers];
  if (graph == nullptr) graph = std::make_unique<StageGraph>(graph_, layers, Grain::kTokens);
  return *graph;
}

}  // namespace causal_tracer
