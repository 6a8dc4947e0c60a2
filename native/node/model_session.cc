#include "model_session.h"

#include <c10/core/InferenceMode.h>

#include <chrono>
#include <future>
#include <utility>

#include "../core/freed_memory.h"
#include "stop_source.h"
#include "values.h"

namespace causal_tracer::node {
namespace {

/// A job that takes as long may have freed much memory; handing it back takes a few milliseconds.
constexpr auto kLongJob = std::chrono::milliseconds(200);

}  // namespace

ModelSession::~ModelSession() { StopJobs(); }

Napi::Value ModelSession::Submit(Napi::Env env, const Napi::Value& job, const Napi::Value& owner, Work work) {
  return SubmitHooked(env, job, owner,
                      [work = std::move(work)](LoadedModel& loaded, const JobControl& control,
                                               const CallHook&) { return work(loaded, control); });
}

Napi::Value ModelSession::SubmitHooked(Napi::Env env, const Napi::Value& job, const Napi::Value& owner,
                                       HookedWork work) {
  if (disposed_) throw Error(ErrorCode::kDisposed, "The model has been disposed of. Load it again.");
  Job entry{.deferred = Napi::Promise::Deferred::New(env),
            .stop = {},
            .on_progress = {},
            .on_hook = {},
            .owner = {},
            .failure = {}};
  if (job.IsObject()) {
    const auto object = job.As<Napi::Object>();
    entry.stop = StopSource::Unwrap(object.Get("stop"));
    const Napi::Value on_progress = object.Get("onProgress");
    if (on_progress.IsFunction()) entry.on_progress = Napi::Persistent(on_progress.As<Napi::Function>());
    const Napi::Value on_hook = object.Get("onHook");
    if (on_hook.IsFunction()) entry.on_hook = Napi::Persistent(on_hook.As<Napi::Function>());
  }
  if (owner.IsObject()) entry.owner = Napi::Persistent(owner.As<Napi::Object>());
  const uint64_t number = next_number_++;
  const StopFlag stop = entry.stop;
  const bool reports = !entry.on_progress.IsEmpty();
  const Napi::Value promise = entry.deferred.Promise();
  jobs_.emplace(number, std::move(entry));
  loop_->Hold(env);
  worker_.Post([this, number, stop, reports, work = std::move(work)] {
    const auto started = std::chrono::steady_clock::now();
    RunOnWorker(number, stop, reports, work);
    if (std::chrono::steady_clock::now() - started >= kLongJob) ReturnFreedMemory();
  });
  return promise;
}

void ModelSession::Dispose(Napi::Env env) {
  if (disposed_) return;
  disposed_ = true;
  StopJobs();
  worker_.Post([this] {
    loaded_ = {};
    ReturnFreedMemory();
  });
  AccountMemory(env, -accounted_bytes_);
}

void ModelSession::Finish() {
  disposed_ = true;
  StopJobs();
  worker_.Finish();
}

void ModelSession::WhenNothingLoaded(EventLoop::Task task) {
  worker_.Post([this, task = std::move(task)] {
    if (loaded_.model == nullptr) loop_->Post(task);
  });
}

void ModelSession::AccountMemory(Napi::Env env, int64_t bytes) {
  Napi::MemoryManagement::AdjustExternalMemory(env, bytes);
  accounted_bytes_ += bytes;
}

void ModelSession::RunOnWorker(uint64_t number, const StopFlag& stop, bool reports, const HookedWork& work) {
  JobControl::Progress progress;
  if (reports) {
    progress = [this, number](int64_t done, int64_t total) {
      loop_->Post([this, number, done, total](Napi::Env env) { ReportProgress(env, number, done, total); });
    };
  }
  try {
    const JobControl control(stop, std::move(progress));
    control.ThrowIfStopped();
    const CallHook call_hook = [this, number, &control](int64_t hook, const at::Tensor& tensor) {
      return WaitForHook(number, control, hook, tensor);
    };
    Completion complete = work(loaded_, control, call_hook);
    loop_->Post(
        [this, number, complete = std::move(complete)](Napi::Env env) { Settle(env, number, complete); });
  } catch (const std::exception& exception) {
    const Error error = DescribeException(exception, ErrorCode::kModelRunFailed, "running the model");
    loop_->Post([this, number, error](Napi::Env env) { Fail(env, number, error); });
  }
}

void ModelSession::ReportProgress(Napi::Env env, uint64_t number, int64_t done, int64_t total) {
  const auto found = jobs_.find(number);
  if (found == jobs_.end() || !found->second.failure.IsEmpty()) return;
  try {
    found->second.on_progress.Call({Napi::Number::New(env, static_cast<double>(done)),
                                    Napi::Number::New(env, static_cast<double>(total))});
  } catch (const Napi::Error& error) {
    EndWith(number, error);
  }
}

at::Tensor ModelSession::WaitForHook(uint64_t number, const JobControl& control, int64_t hook,
                                     const at::Tensor& tensor) {
  const auto answer = std::make_shared<std::promise<at::Tensor>>();
  std::future<at::Tensor> future = answer->get_future();
  loop_->Post([this, number, hook, tensor, answer](Napi::Env env) {
    answer->set_value(RunHook(env, number, hook, tensor));
  });
  // The event loop may be waiting for this thread to end: never wait for it without an eye on the stop flag.
  constexpr auto kPatience = std::chrono::milliseconds(10);
  while (future.wait_for(kPatience) != std::future_status::ready) control.ThrowIfStopped();
  control.ThrowIfStopped();
  return future.get();
}

at::Tensor ModelSession::RunHook(Napi::Env env, uint64_t number, int64_t hook, const at::Tensor& tensor) {
  const c10::InferenceMode inference_mode;
  const auto found = jobs_.find(number);
  // A stopped job has ended while this call was on its way.
  if (found == jobs_.end() || found->second.stop.stopped()) return tensor;
  try {
    const Napi::Value result = found->second.on_hook.Call(
        {Napi::Number::New(env, static_cast<double>(hook)), TensorToJavaScript(env, tensor)});
    return result.IsObject() ? TensorFromJavaScript(result, tensor) : tensor;
  } catch (const Napi::Error& error) {
    EndWith(number, error);
  } catch (const std::exception& exception) {
    EndWith(number,
            ToJavaScript(env, DescribeException(exception, ErrorCode::kModelRunFailed, "calling a hook")));
  }
  return tensor;
}

void ModelSession::EndWith(uint64_t number, const Napi::Error& error) {
  // Looked up only now: the callback may have started or ended other jobs.
  if (const auto job = jobs_.find(number); job != jobs_.end()) {
    job->second.failure = error;
    job->second.stop.RequestStop();
  }
}

void ModelSession::Settle(Napi::Env env, uint64_t number,
                          const std::function<Napi::Value(Napi::Env)>& complete) {
  const Job job = TakeJob(env, number);
  if (!job.failure.IsEmpty()) {
    job.deferred.Reject(job.failure.Value());
    return;
  }
  try {
    job.deferred.Resolve(complete(env));
  } catch (const Napi::Error& error) {
    job.deferred.Reject(error.Value());
  } catch (const std::exception& exception) {
    const Error error = DescribeException(exception, ErrorCode::kModelRunFailed, "copying the result");
    job.deferred.Reject(ToJavaScript(env, error).Value());
  }
}

void ModelSession::Fail(Napi::Env env, uint64_t number, const Error& error) {
  const Job job = TakeJob(env, number);
  if (!job.failure.IsEmpty()) {
    job.deferred.Reject(job.failure.Value());
  } else if (disposed_ && error.code() == ErrorCode::kAborted) {
    const Error disposed(ErrorCode::kDisposed,
                         "The model was disposed of while it was at work. Load it again.");
    job.deferred.Reject(ToJavaScript(env, disposed).Value());
  } else {
    job.deferred.Reject(ToJavaScript(env, error).Value());
  }
}

ModelSession::Job ModelSession::TakeJob(Napi::Env env, uint64_t number) {
  Job job = std::move(jobs_.extract(number).mapped());
  loop_->Release(env);
  return job;
}

void ModelSession::StopJobs() {
  for (const auto& [number, job] : jobs_) job.stop.RequestStop();
}

}  // namespace causal_tracer::node
