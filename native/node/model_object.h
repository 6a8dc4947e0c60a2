#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <vector>

#include "session_registry.h"

namespace causal_tracer::node {

/// A loaded model as JavaScript sees it: `NativeModel` in src/native/binding.ts.
class ModelObject : public Napi::ObjectWrap<ModelObject> {
 public:
  /// `loadModel(options)`: the promise of a model.
  static Napi::Value Load(const Napi::CallbackInfo& info);

  explicit ModelObject(const Napi::CallbackInfo& info);
  ~ModelObject() override { registry_->Remove(session_); }
  ModelObject(const ModelObject&) = delete;
  ModelObject& operator=(const ModelObject&) = delete;

 private:
  /// What is known of a model once it is loaded.
  struct Description {
    ModelSession* session = nullptr;
    std::vector<ModuleInfo> modules;
    std::string dtype;
    std::string device;
    int64_t memory_bytes = 0;
  };

  static Napi::Value New(Napi::Env env, const Description& description);

  Napi::Value EmbeddingNoiseScale(const Napi::CallbackInfo& info);
  Napi::Value Run(const Napi::CallbackInfo& info);
  Napi::Value Predict(const Napi::CallbackInfo& info);
  Napi::Value TakeFingerprint(const Napi::CallbackInfo& info);
  Napi::Value PrepareEngines(const Napi::CallbackInfo& info);
  Napi::Value LogitsShapeOnMeta(const Napi::CallbackInfo& info);
  Napi::Value Trace(const Napi::CallbackInfo& info);
  Napi::Value Dispose(const Napi::CallbackInfo& info);

  /// Queues work of this model; `info[1]` is the call's NativeJob.
  Napi::Value Submit(const Napi::CallbackInfo& info, ModelSession::Work work);

  std::shared_ptr<SessionRegistry> registry_;
  ModelSession* session_ = nullptr;
};

}  // namespace causal_tracer::node
