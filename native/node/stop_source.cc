#include "stop_source.h"

#include <memory>

namespace causal_tracer::node {
namespace {

constexpr napi_type_tag kTypeTag = {0x6d1f0c8f5b7a4e21, 0x9f3c2ad845e1b07c};
constexpr const char* kFlagProperty = "flag";

}  // namespace

Napi::Object StopSource::New(Napi::Env env) {
  auto flag = std::make_unique<StopFlag>();
  const StopFlag shared = *flag;
  const auto external = Napi::External<StopFlag>::New(
      env, flag.release(),
      [](Napi::BasicEnv, StopFlag* owned) { const std::unique_ptr<StopFlag> deleted(owned); });
  external.TypeTag(&kTypeTag);
  Napi::Object object = Napi::Object::New(env);
  object.Set(kFlagProperty, external);
  object.Set("requestStop",
             Napi::Function::New(env, [shared](const Napi::CallbackInfo&) { shared.RequestStop(); }));
  return object;
}

StopFlag StopSource::Unwrap(const Napi::Value& value) {
  if (value.IsUndefined()) return {};
  const Napi::Value flag = value.IsObject() ? value.As<Napi::Object>().Get(kFlagProperty) : value;
  if (!flag.IsExternal() || !flag.As<Napi::External<StopFlag>>().CheckTypeTag(&kTypeTag)) {
    throw Error(ErrorCode::kInvalidOption, "stop must come from createStopSource().");
  }
  return *flag.As<Napi::External<StopFlag>>().Data();
}

}  // namespace causal_tracer::node
