#include "incremental_engine.h"

#include <c10/core/InferenceMode.h>

#include "incremental_trace.h"

namespace causal_tracer {

TraceResult IncrementalEngine::Trace(const TraceRequest& request, const JobControl& control) {
  CheckRequest(request);
  std::vector<std::string> layers;
  for (const std::string& module : request.layer_modules) layers.push_back(model_.ResolveModule(module));
  const c10::InferenceMode inference_mode;
  IncrementalTrace trace(model_, PiecesFor(layers), request, control);
  trace.InjectFaults(plan_fault_, state_fault_);
  return trace.Run();
}

const StageGraph& IncrementalEngine::PiecesFor(const std::vector<std::string>& layers) {
  auto& pieces = pieces_[layers];
  if (pieces == nullptr) pieces = std::make_unique<StageGraph>(graph_, layers, Grain::kTokens);
  return *pieces;
}

}  // namespace causal_tracer
