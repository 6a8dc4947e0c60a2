#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "../core/engine_choice.h"
#include "values.h"

namespace causal_tracer::node {

/// An array of requests, each a rectangle of cells.
std::vector<TraceRequest> ReadTraceRequests(const Napi::Value& value);
EngineRequest ReadEngineRequest(const ObjectReader& object);
KernelChoice ReadKernelChoice(const ObjectReader& object);
/// The kinds of a request: `embeddingModule` and an array of layer modules for each kind.
std::vector<LayerModules> ReadKinds(const ObjectReader& object);

Napi::Value TraceResultsToJavaScript(Napi::Env env, const std::vector<TraceRequest>& requests,
                                     const std::vector<Engines::EngineResult>& results);
Napi::Value EngineChoicesToJavaScript(Napi::Env env, const std::vector<EngineChoice>& choices);

}  // namespace causal_tracer::node
