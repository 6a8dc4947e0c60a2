#include "model_object.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "../core/engine_choice.h"
#include "../core/fingerprint.h"
#include "../core/meta_run.h"
#include "guard.h"
#include "run_values.h"
#include "trace_values.h"
#include "values.h"

namespace causal_tracer::node {
namespace {

/// The tensors that a run hands back, in the caller's order.
class Captures {
 public:
  Captures(const TracedModel& model, const std::vector<HookPoint>& points) : asked_(points) {
    for (const HookPoint& point : points) resolved_.push_back(model.Resolve(point));
  }

  void AddTo(ForwardHooks& hooks, std::vector<HookPoint>& hooked) const {
    for (const HookPoint& point : resolved_) {
      hooks.Capture(point);
      hooked.push_back(point);
    }
  }

  std::vector<at::Tensor> Tensors(const ForwardHooks& hooks) const {
    std::vector<at::Tensor> tensors;
    for (size_t i = 0; i < resolved_.size(); ++i) {
      const at::Tensor& tensor = hooks.Captured(resolved_[i]);
      if (!tensor.defined()) {
        throw Error(ErrorCode::kModuleNotHookable,
                    "The forward pass did not reach " + Describe(asked_[i]) + ".");
      }
      tensors.push_back(tensor);
    }
    return tensors;
  }

 private:
  std::vector<HookPoint> asked_;
  std::vector<HookPoint> resolved_;
};

/// Adds a request's edits, then its JavaScript hooks.
void AddEdits(const TracedModel& model, const RunRequest& request, const ModelSession::CallHook& call_hook,
              ForwardHooks& hooks, std::vector<HookPoint>& hooked) {
  for (const auto& [point, edit] : request.edits) {
    hooked.push_back(model.Resolve(point));
    hooks.AddEdit(hooked.back(), ApplyEdits(point, {edit}));
  }
  for (size_t i = 0; i < request.hooks.size(); ++i) {
    hooked.push_back(model.Resolve(request.hooks[i]));
    hooks.AddEdit(hooked.back(), [&call_hook, number = static_cast<int64_t>(i)](const at::Tensor& tensor) {
      return call_hook(number, tensor);
    });
  }
}

Napi::Array ModulesToJavaScript(Napi::Env env, const std::vector<ModuleInfo>& modules) {
  Napi::Array array = Napi::Array::New(env, modules.size());
  for (uint32_t i = 0; i < modules.size(); ++i) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", modules[i].name);
    object.Set("calls", static_cast<double>(modules[i].calls));
    object.Set("unhookable", modules[i].unhookable);
    object.Set("unhookableInput", modules[i].unhookable_input);
    array.Set(i, object);
  }
  return array;
}

Napi::Object FingerprintToJavaScript(Napi::Env env, const Fingerprint& fingerprint) {
  Napi::Array rows = Napi::Array::New(env, fingerprint.top_logits.size());
  for (uint32_t row = 0; row < fingerprint.top_logits.size(); ++row) {
    const auto& top = fingerprint.top_logits[row];
    Napi::Array logits = Napi::Array::New(env, top.size());
    for (uint32_t i = 0; i < top.size(); ++i) {
      Napi::Object entry = Napi::Object::New(env);
      entry.Set("id", static_cast<double>(top[i].id));
      entry.Set("logit", top[i].logit);
      logits.Set(i, entry);
    }
    rows.Set(row, logits);
  }
  Napi::Array sites = Napi::Array::New(env, fingerprint.sites.size());
  for (uint32_t i = 0; i < fingerprint.sites.size(); ++i) {
    const SiteFingerprint& site = fingerprint.sites[i];
    Napi::Object checksum = Napi::Object::New(env);
    checksum.Set("mean", site.checksum.mean);
    checksum.Set("norm", site.checksum.norm);
    checksum.Set("projection", site.checksum.projection);
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("module", site.module);
    entry.Set("shape", NumbersToJavaScript(env, site.shape));
    entry.Set("checksum", checksum);
    sites.Set(i, entry);
  }
  Napi::Object object = Napi::Object::New(env);
  object.Set("topLogits", rows);
  object.Set("sites", sites);
  return object;
}

/// Adds what to do to an out-of-memory error of a run over `input_ids`.
Error DescribeRunFailure(const std::exception& exception, const at::Tensor& input_ids) {
  std::ostringstream context;
  context << "running " << input_ids.size(0) << " rows of " << input_ids.size(1) << " tokens";
  Error error = DescribeException(exception, ErrorCode::kModelRunFailed, context.str());
  if (error.code() != ErrorCode::kOutOfMemory) return error;
  return {ErrorCode::kOutOfMemory, std::string(error.what()) + " Lower the number of rows, or batchSize."};
}

/// libtorch's own number of threads, read before any model changes it for its thread.
int DefaultThreads() {
  static const int threads = at::get_num_threads();
  return threads;
}

}  // namespace

Napi::Value ModelObject::Load(const Napi::CallbackInfo& info) {
  return Guard(info, [&]() -> Napi::Value {
    const Napi::Env env = info.Env();
    const ObjectReader reader(info[0]);
    const TracedModel::Options options{.path = reader.String("path"),
                                       .inputs = reader.Strings("inputs"),
                                       .device = reader.String("device"),
                                       .allow_tf32 = reader.Boolean("allowTf32")};
    const KernelChoice kernels = ReadKernelChoice(reader);
    const auto asked_threads = static_cast<int>(reader.Integer("threads", 0, 4096));
    const int threads = asked_threads > 0 ? asked_threads : DefaultThreads();
    const auto registry = SessionRegistry::Of(env);
    ModelSession& session = registry->Create();
    const Napi::Value promise = session.Submit(
        env, env.Undefined(), env.Undefined(),
        [&session, options, threads, kernels](LoadedModel& loaded, const JobControl&) {
          at::set_num_threads(threads);
          loaded.model = std::make_unique<TracedModel>(options);
          loaded.model->ChooseKernels(kernels);
          loaded.engines = std::make_unique<Engines>(*loaded.model);
          const Description description{.session = &session,
                                        .modules = loaded.model->modules(),
                                        .dtype = loaded.model->dtype(),
                                        .device = loaded.model->device().str(),
                                        .memory_bytes = loaded.model->memory_bytes()};
          return [description](Napi::Env event_loop_env) { return New(event_loop_env, description); };
        });
    session.WhenNothingLoaded([registry, &session](Napi::Env) { registry->Remove(&session); });
    return promise;
  });
}

Napi::Value ModelObject::New(Napi::Env env, const Description& description) {
  const Napi::Function constructor = DefineClass(
      env, "NativeModel",
      {InstanceMethod<&ModelObject::EmbeddingNoiseScale>("embeddingNoiseScale"),
       InstanceMethod<&ModelObject::Run>("run"), InstanceMethod<&ModelObject::Predict>("predict"),
       InstanceMethod<&ModelObject::TakeFingerprint>("fingerprint"),
       InstanceMethod<&ModelObject::PrepareEngines>("prepareEngines"),
       InstanceMethod<&ModelObject::LogitsShapeOnMeta>("logitsShapeOnMeta"),
       InstanceMethod<&ModelObject::Trace>("trace"), InstanceMethod<&ModelObject::Dispose>("dispose")});
  const Napi::Object object = constructor.New({Napi::External<ModelSession>::New(env, description.session)});
  description.session->AccountMemory(env, description.memory_bytes);
  object.Set("modules", ModulesToJavaScript(env, description.modules));
  object.Set("dtype", description.dtype);
  object.Set("device", description.device);
  return object;
}

ModelObject::ModelObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ModelObject>(info), registry_(SessionRegistry::Of(info.Env())) {
  if (!info[0].IsExternal()) {
    throw Napi::TypeError::New(info.Env(), "A model is made by loadModel(), not by its constructor.");
  }
  session_ = info[0].As<Napi::External<ModelSession>>().Data();
}

Napi::Value ModelObject::Submit(const Napi::CallbackInfo& info, ModelSession::Work work) {
  return session_->Submit(info.Env(), info[1], info.This(), std::move(work));
}

Napi::Value ModelObject::EmbeddingNoiseScale(const Napi::CallbackInfo& info) {
  return Guard(info, [&]() -> Napi::Value {
    if (!info[0].IsString()) throw Error(ErrorCode::kInvalidOption, "The embedding module must be a string.");
    const std::string module = info[0].As<Napi::String>().Utf8Value();
    return Submit(info, [module](LoadedModel& loaded, const JobControl&) {
      const c10::InferenceMode inference_mode;
      constexpr double kStandardDeviations = 3.0;
      const double scale = kStandardDeviations * loaded.model->EmbeddingWeight(module).std().item<double>();
      return [scale](Napi::Env env) { return Napi::Number::New(env, scale); };
    });
  });
}

Napi::Value ModelObject::Run(const Napi::CallbackInfo& info) {
  return Guard(info, [&]() -> Napi::Value {
    const RunRequest request = ReadRunRequest(ObjectReader(info[0]));
    return session_->SubmitHooked(
        info.Env(), info[1], info.This(),
        [request](LoadedModel& loaded, const JobControl& control, const ModelSession::CallHook& call_hook) {
          try {
            ForwardHooks hooks = loaded.model->MakeHooks(control);
            std::vector<HookPoint> hooked;
            AddEdits(*loaded.model, request, call_hook, hooks, hooked);
            const Captures captures(*loaded.model, request.capture);
            captures.AddTo(hooks, hooked);
            at::Tensor logits = loaded.model->Run(request.input_ids, hooked, hooks);
            const c10::InferenceMode inference_mode;
            if (request.logits == "last") logits = logits.select(1, logits.size(1) - 1);
            const bool wanted = request.logits != "none";
            const auto captured = captures.Tensors(hooks);
            return [logits, captured, wanted](Napi::Env env) -> Napi::Value {
              const c10::InferenceMode copying_mode;
              Napi::Object result = Napi::Object::New(env);
              result.Set("logits", wanted ? TensorToJavaScript(env, logits) : env.Null());
              result.Set("captured", TensorsToJavaScript(env, captured));
              return result;
            };
          } catch (const std::exception& exception) {
            throw DescribeRunFailure(exception, request.input_ids);
          }
        });
  });
}

Napi::Value ModelObject::Predict(const Napi::CallbackInfo& info) {
  return Guard(info, [&]() -> Napi::Value {
    const ObjectReader request(info[0]);
    const at::Tensor input_ids = ReadInputIds(request);
    const std::vector<int64_t> answer_ids = request.Integers("answerIds");
    const std::vector<HookPoint> capture = ReadHookPoints(request, "capture");
    if (static_cast<int64_t>(answer_ids.size()) != input_ids.size(0)) {
      throw Error(ErrorCode::kInvalidOption,
                  "answerIds must hold one id a row; -1 asks for the most probable one.");
    }
    return Submit(info, [=](LoadedModel& loaded, const JobControl& control) {
      try {
        const c10::InferenceMode inference_mode;
        ForwardHooks hooks = loaded.model->MakeHooks(control);
        std::vector<HookPoint> hooked;
        const Captures captures(*loaded.model, capture);
        captures.AddTo(hooks, hooked);
        const at::Tensor logits = loaded.model->Run(input_ids, hooked, hooks);
        const at::Tensor probabilities =
            at::softmax(logits.select(1, logits.size(1) - 1).to(at::kFloat), -1).cpu();
        const at::Tensor chosen = at::tensor(answer_ids, at::kLong);
        const at::Tensor ids = at::where(chosen.lt(0), probabilities.argmax(1), chosen);
        if (ids.max().item<int64_t>() >= probabilities.size(1)) {
          throw Error(ErrorCode::kInvalidOption, "An answer id is outside the vocabulary of " +
                                                     std::to_string(probabilities.size(1)) + " tokens.");
        }
        const at::Tensor scores = probabilities.gather(1, ids.unsqueeze(1)).squeeze(1);
        const auto captured = captures.Tensors(hooks);
        return [ids, scores, captured](Napi::Env env) -> Napi::Value {
          const c10::InferenceMode copying_mode;
          Napi::Object result = Napi::Object::New(env);
          const int64_t* values = ids.const_data_ptr<int64_t>();
          result.Set("answerIds", NumbersToJavaScript(env, {values, values + ids.numel()}));
          result.Set("probabilities", TensorToJavaScript(env, scores).Get("data"));
          result.Set("captured", TensorsToJavaScript(env, captured));
          return result;
        };
      } catch (const std::exception& exception) {
        throw DescribeRunFailure(exception, input_ids);
      }
    });
  });
}

Napi::Value ModelObject::TakeFingerprint(const Napi::CallbackInfo& info) {
  return Guard(info, [&]() -> Napi::Value {
    const ObjectReader request(info[0]);
    const at::Tensor input_ids = ReadInputIds(request);
    const std::vector<std::string> modules = request.Strings("modules");
    const int64_t top_count = request.Integer("topCount", 1);
    return Submit(info, [=](LoadedModel& loaded, const JobControl& control) {
      const Fingerprint fingerprint =
          causal_tracer::TakeFingerprint(*loaded.model, input_ids, modules, top_count, control);
      return [fingerprint](Napi::Env env) { return FingerprintToJavaScript(env, fingerprint); };
    });
  });
}

Napi::Value ModelObject::PrepareEngines(const Napi::CallbackInfo& info) {
  return Guard(info, [&]() -> Napi::Value {
    const ObjectReader request(info[0]);
    const EngineRequest asked = ReadEngineRequest(request);
    const std::vector<LayerModules> kinds = ReadKinds(request);
    return Submit(info, [asked, kinds](LoadedModel& loaded, const JobControl& control) {
      const auto choices = loaded.engines->Prepare(asked, kinds, control);
      return [choices](Napi::Env env) { return EngineChoicesToJavaScript(env, choices); };
    });
  });
}

Napi::Value ModelObject::LogitsShapeOnMeta(const Napi::CallbackInfo& info) {
  return Guard(info, [&]() -> Napi::Value {
    const ObjectReader request(info[0]);
    const int64_t batch = request.Integer("batch", 1);
    const int64_t length = request.Integer("length", 1);
    return Submit(info, [batch, length](LoadedModel& loaded, const JobControl&) {
      const std::vector<int64_t> shape = causal_tracer::LogitsShapeOnMeta(*loaded.model, batch, length);
      return [shape](Napi::Env env) { return NumbersToJavaScript(env, shape); };
    });
  });
}

Napi::Value ModelObject::Trace(const Napi::CallbackInfo& info) {
  return Guard(info, [&]() -> Napi::Value {
    const std::vector<TraceRequest> requests = ReadTraceRequests(info[0]);
    return Submit(info, [requests](LoadedModel& loaded, const JobControl& control) {
      const auto results = loaded.engines->TraceMany(requests, control);
      return [requests, results](Napi::Env env) { return TraceResultsToJavaScript(env, requests, results); };
    });
  });
}

Napi::Value ModelObject::Dispose(const Napi::CallbackInfo& info) {
  session_->Dispose(info.Env());
  return info.Env().Undefined();
}

}  // namespace causal_tracer::node
