// The addon's exports: `NativeAddon` in src/native/binding.ts.
#include <ATen/Version.h>
#include <napi.h>
#include <torch/headeronly/version.h>

#include <span>

#include "../core/device.h"
#include "../core/numpy_random.h"
#include "guard.h"
#include "model_object.h"
#include "stop_source.h"
#include "values.h"

namespace causal_tracer::node {
namespace {

Napi::Value StandardNormal(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const bool fits = info[0].IsNumber() && info[1].IsTypedArray() &&
                    info[1].As<Napi::TypedArray>().TypedArrayType() == napi_float64_array;
  if (!fits)
    throw Napi::TypeError::New(env, "standardNormal(seed, values) takes a number and a Float64Array");
  auto values = info[1].As<Napi::Float64Array>();
  NumpyRandomState random(info[0].As<Napi::Number>().Uint32Value());
  random.StandardNormal(std::span(values.Data(), values.ElementLength()));
  return env.Undefined();
}

Napi::Value CreateStopSource(const Napi::CallbackInfo& info) { return StopSource::New(info.Env()); }

Napi::Value Finish(const Napi::CallbackInfo& info) {
  SessionRegistry::Of(info.Env())->Finish();
  return info.Env().Undefined();
}

Napi::Value Devices(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return Guard(info, [&]() -> Napi::Value {
    const DeviceReport report = ReportDevices();
    Napi::Array devices = Napi::Array::New(env, report.devices.size());
    for (uint32_t i = 0; i < report.devices.size(); ++i) devices.Set(i, report.devices[i]);
    Napi::Object object = Napi::Object::New(env);
    object.Set("devices", devices);
    object.Set("cudaRuntime",
               report.cuda_runtime.empty() ? env.Null() : Napi::String::New(env, report.cuda_runtime));
    return object;
  });
}

Napi::Object Initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("builtForLibtorch", TORCH_VERSION);
  exports.Set("standardNormal", Napi::Function::New<StandardNormal>(env, "standardNormal"));
  exports.Set("devices", Napi::Function::New<Devices>(env, "devices"));
  exports.Set("createStopSource", Napi::Function::New<CreateStopSource>(env, "createStopSource"));
  exports.Set("finish", Napi::Function::New<Finish>(env, "finish"));
  exports.Set("loadModel", Napi::Function::New<ModelObject::Load>(env, "loadModel"));
  return exports;
}

}  // namespace
}  // namespace causal_tracer::node

static Napi::Object InitializeAddon(Napi::Env env, Napi::Object exports) {
  return causal_tracer::node::Initialize(env, exports);
}

NODE_API_MODULE(causal_tracer, InitializeAddon)
