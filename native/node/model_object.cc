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
#include "trace_values.h"
#include "values.h"

namespace causal_tracer::node {
namespace {

/// Row-major `[batch, position]` ids of a request.
at::Tensor ReadInputIds(const ObjectReader& request) {
  const std::vector<int64_t> ids = request.Integers("inputIds");
  const int64_t batch = request.Integer("batch", 1);
  if (ids.empty() || static_cast<int64_t>(ids.size()) % batch != 0) {
    throw Error(ErrorCode::kInvalidOption, "inputIds must hold batch rows of one length.");
  }
  return at::tensor(ids, at::kLong).reshape({batch, -1});
}

std::map<std::string, std::vector<PositionEdit>> ReadEdits(const ObjectReader& request) {
  const Napi::Value value = request.Get("edits");
  if (!value.IsArray()) throw Error(ErrorCode::kInvalidOption, "edits must be an array.");
  const auto array = value.As<Napi::Array>();
  std::map<std::string, std::vector<PositionEdit>> edits;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const ObjectReader edit(array.Get(i));
    const std::string operation = edit.String("operation");
    if (operation != "set" && operation != "add") {
      throw Error(ErrorCode::kInvalidOption,
                  "An edit's operation must be 'set' or 'add', not '" + operation + "'.");
    }
    edits[edit.String("module")].push_back(
        {.row = edit.Integer("row", 0),
         .position = edit.Integer("position", 0),
         .operation = operation == "set" ? PositionEdit::Operation::kSet : PositionEdit::Operation::kAdd,
         .values = edit.Floats("values")});
  }
  return edits;
}

/// The modules whose outputs a run hands back, by the names that the caller used.
class Captures {
 public:
  Captures(const TracedModel& model, const std::vector<std::string>& names) {
    for (const std::string& name : names) resolved_.emplace_back(name, model.ResolveModule(name));
  }

  void AddTo(ForwardHooks& hooks, std::vector<std::string>& hooked) const {
    for (const auto& [name, module] : resolved_) {
      hooks.Capture(module);
      hooked.push_back(module);
    }
  }

  std::map<std::string, at::Tensor> Outputs(const ForwardHooks& hooks) const {
    std::map<std::string, at::Tensor> outputs;
    for (const auto& [name, module] : resolved_) {
      const at::Tensor& output = hooks.Captured(module);
      if (!output.defined()) {
        throw Error(ErrorCode::kModuleNotHookable, "The forward pass did not reach the module " + name + ".");
      }
      outputs.emplace(name, output);
    }
    return outputs;
  }

 private:
  std::vector<std::pair<std::string, std::string>> resolved_;
};

Napi::Array ModulesToJavaScript(Napi::Env env, const std::vector<ModuleInfo>& modules) {
  Napi::Array array = Napi::Array::New(env, modules.size());
  for (uint32_t i = 0; i < modules.size(); ++i) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", modules[i].name);
    object.Set("calls", static_cast<double>(modules[i].calls));
    object.Set("unhookable", modules[i].unhookable);
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

/// Runs `call` and turns what it throws into a JavaScript error with a code.
template <typename Call>
Napi::Value Guard(const Napi::CallbackInfo& info, Call call) {
  try {
    return call();
  } catch (const Error& error) {
    throw ToJavaScript(info.Env(), error);
  }
}

}  // namespace

Napi::Value ModelObject::Load(const Napi::CallbackInfo& info) {
  return Guard(info, [&]() -> Napi::Value {
    const Napi::Env env = info.Env();
    const ObjectReader reader(info[0]);
    const TracedModel::Options options{
        .path = reader.String("path"), .inputs = reader.Strings("inputs"), .device = reader.String("device")};
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
                                        .device = loaded.model->device(),
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
    const ObjectReader request(info[0]);
    const at::Tensor input_ids = ReadInputIds(request);
    const auto edits = ReadEdits(request);
    const std::vector<std::string> capture = request.Strings("capture");
    const std::string wanted = request.String("logits");
    if (wanted != "last" && wanted != "all" && wanted != "none") {
      throw Error(ErrorCode::kInvalidOption, "logits must be 'last', 'all' or 'none', not '" + wanted + "'.");
    }
    return Submit(info, [=](LoadedModel& loaded, const JobControl& control) {
      try {
        ForwardHooks hooks = loaded.model->MakeHooks(control);
        std::vector<std::string> hooked;
        for (const auto& [name, changes] : edits) {
          hooked.push_back(loaded.model->ResolveModule(name));
          hooks.AddEdit(hooked.back(), EditPositions(name, changes));
        }
        const Captures captures(*loaded.model, capture);
        captures.AddTo(hooks, hooked);
        at::Tensor logits = loaded.model->Run(input_ids, hooked, hooks);
        const c10::InferenceMode inference_mode;
        if (wanted == "last") logits = logits.select(1, logits.size(1) - 1);
        const auto outputs = captures.Outputs(hooks);
        return [logits, outputs, wanted](Napi::Env env) -> Napi::Value {
          const c10::InferenceMode copying_mode;
          Napi::Object result = Napi::Object::New(env);
          result.Set("logits", wanted == "none" ? env.Null() : TensorToJavaScript(env, logits));
          result.Set("captured", TensorsToJavaScript(env, outputs));
          return result;
        };
      } catch (const std::exception& exception) {
        throw DescribeRunFailure(exception, input_ids);
      }
    });
  });
}

Napi::Value ModelObject::Predict(const Napi::CallbackInfo& info) {
  return Guard(info, [&]() -> Napi::Value {
    const ObjectReader request(info[0]);
    const at::Tensor input_ids = ReadInputIds(request);
    const std::vector<int64_t> answer_ids = request.Integers("answerIds");
    const std::vector<std::string> capture = request.Strings("capture");
    if (static_cast<int64_t>(answer_ids.size()) != input_ids.size(0)) {
      throw Error(ErrorCode::kInvalidOption,
                  "answerIds must hold one id a row; -1 asks for the most probable one.");
    }
    return Submit(info, [=](LoadedModel& loaded, const JobControl& control) {
      try {
        const c10::InferenceMode inference_mode;
        ForwardHooks hooks = loaded.model->MakeHooks(control);
        std::vector<std::string> hooked;
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
        const auto outputs = captures.Outputs(hooks);
        return [ids, scores, outputs](Napi::Env env) -> Napi::Value {
          const c10::InferenceMode copying_mode;
          Napi::Object result = Napi::Object::New(env);
          const int64_t* values = ids.const_data_ptr<int64_t>();
          result.Set("answerIds", NumbersToJavaScript(env, {values, values + ids.numel()}));
          result.Set("probabilities", TensorToJavaScript(env, scores).Get("data"));
          result.Set("captured", TensorsToJavaScript(env, outputs));
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
