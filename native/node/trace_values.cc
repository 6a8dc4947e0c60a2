#include "trace_values.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>

namespace causal_tracer::node {

namespace {

TraceRequest ReadTraceRequest(const ObjectReader& object) {
  TraceRequest request;
  request.input_ids = object.Integers("inputIds");
  request.embedding_module = object.String("embeddingModule");
  request.layer_modules = object.Strings("layerModules");
  request.subject_begin = object.Integer("subjectStart", 0);
  request.subject_end = object.Integer("subjectEnd", 1);
  request.noise = object.Number("noise");
  request.seed = static_cast<uint32_t>(object.Integer("seed", 0, 0xffffffff));
  request.samples = object.Integer("samples", 1);
  request.window = object.Integer("window", 1);
  const int64_t token_end = object.Integer("tokenEnd", 1, static_cast<int64_t>(request.input_ids.size()));
  const int64_t layer_end = object.Integer("layerEnd", 1, static_cast<int64_t>(request.layer_modules.size()));
  for (int64_t token = object.Integer("tokenStart", 0); token < token_end; ++token) {
    for (int64_t layer = object.Integer("layerStart", 0); layer < layer_end; ++layer) {
      request.cells.push_back({.token = token, .layer = layer});
    }
  }
  const int64_t answer_id = object.Integer("answerId", -1);
  if (answer_id >= 0) request.answer_id = answer_id;
  request.batch_size = object.Integer("batchSize", 0);
  request.memory_in_flight = object.Integer("memoryInFlight", 1);
  request.include_layer_outputs = object.Boolean("includeLayerOutputs");
  return request;
}

Napi::Object TraceResultToJavaScript(Napi::Env env, const TraceRequest& request, const TraceResult& result,
                                     const std::string& engine) {
  const size_t layers = request.layer_modules.size();
  Napi::Float32Array scores = Napi::Float32Array::New(env, request.input_ids.size() * layers);
  std::fill_n(scores.Data(), scores.ElementLength(), static_cast<float>(result.low_score));
  for (size_t i = 0; i < request.cells.size(); ++i) {
    const auto row = static_cast<size_t>(request.cells[i].token) * layers;
    scores.Data()[row + static_cast<size_t>(request.cells[i].layer)] = static_cast<float>(result.scores[i]);
  }
  Napi::Object work = Napi::Object::New(env);
  work.Set("tokensByStage", NumbersToJavaScript(env, result.work.tokens_by_stage));
  work.Set("multiplications", static_cast<double>(result.work.multiplications));
  Napi::Object object = Napi::Object::New(env);
  object.Set("scores", scores);
  object.Set("lowScore", result.low_score);
  object.Set("highScore", result.high_score);
  object.Set("answerId", static_cast<double>(result.answer_id));
  object.Set("engine", engine);
  object.Set("reducedBatchSize", static_cast<double>(result.reduced_batch_size));
  object.Set("work", work);
  object.Set("layerOutputs",
             request.include_layer_outputs ? TensorsToJavaScript(env, result.layer_outputs) : env.Null());
  return object;
}

}  // namespace

std::vector<TraceRequest> ReadTraceRequests(const Napi::Value& value) {
  if (!value.IsArray()) throw Error(ErrorCode::kInvalidOption, "The requests must be an array.");
  const auto array = value.As<Napi::Array>();
  std::vector<TraceRequest> requests;
  for (uint32_t i = 0; i < array.Length(); ++i)
    requests.push_back(ReadTraceRequest(ObjectReader(array.Get(i))));
  return requests;
}

EngineRequest ReadEngineRequest(const ObjectReader& object) {
  const std::string name = object.String("engine");
  if (name == "auto") return EngineRequest::kAuto;
  if (name == "incremental") return EngineRequest::kIncremental;
  if (name == "layers") return EngineRequest::kLayers;
  if (name == "full") return EngineRequest::kFull;
  throw Error(ErrorCode::kInvalidOption,
              "engine must be 'auto', 'incremental', 'layers' or 'full', not '" + name + "'.");
}

KernelChoice ReadKernelChoice(const ObjectReader& object) {
  const std::string name = object.String("kernels");
  if (name == "auto") return KernelChoice::kAuto;
  if (name == "default") return KernelChoice::kDefault;
  throw Error(ErrorCode::kInvalidOption, "kernels must be 'auto' or 'default', not '" + name + "'.");
}

std::vector<LayerModules> ReadKinds(const ObjectReader& object) {
  const Napi::Value value = object.Get("kinds");
  if (!value.IsArray()) throw Error(ErrorCode::kInvalidOption, "kinds must be an array.");
  const auto array = value.As<Napi::Array>();
  std::vector<LayerModules> kinds;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const ObjectReader kind(array.Get(i));
    kinds.push_back({.embedding = object.String("embeddingModule"), .layers = kind.Strings("layerModules")});
  }
  return kinds;
}

Napi::Value TraceResultsToJavaScript(Napi::Env env, const std::vector<TraceRequest>& requests,
                                     const std::vector<Engines::EngineResult>& results) {
  const c10::InferenceMode inference_mode;
  Napi::Array array = Napi::Array::New(env, results.size());
  for (uint32_t i = 0; i < results.size(); ++i) {
    array.Set(i, TraceResultToJavaScript(env, requests[i], results[i].result, results[i].engine));
  }
  return array;
}

Napi::Value EngineChoicesToJavaScript(Napi::Env env, const std::vector<EngineChoice>& choices) {
  Napi::Array array = Napi::Array::New(env, choices.size());
  for (uint32_t i = 0; i < choices.size(); ++i) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("engine", choices[i].engine);
    object.Set("reason", choices[i].reason);
    array.Set(i, object);
  }
  return array;
}

}  // namespace causal_tracer::node
