#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "../core/engine_choice.h"
#include "values.h"

namespace causal_tracer::node {

/// A trace as JavaScript asks for it: a rectangle of cells.
struct AskedTrace {
  TraceRequest request;
};

AskedTrace ReadTraceRequest(const ObjectReader& object);
EngineRequest ReadEngineRequest(const ObjectReader& object);
KernelChoice ReadKernelChoice(const ObjectReader& object);
/// The kinds of a request: `embeddingModule` and an array of layer modules for each kind.
std::vector<LayerModules> ReadKinds(const ObjectReader& object);

Napi::Value TraceResultToJavaScript(Napi::Env env, const AskedTrace& asked, const TraceResult& result,
                                    const std::string& engine);
Napi::Value EngineChoicesToJavaScript(Napi::Env env, const std::vector<EngineChoice>& choices);

}  // namespace causal_tracer::node
