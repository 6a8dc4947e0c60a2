#pragma once

#include <napi.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "../core/engine_choice.h"
#include "../core/traced_model.h"
#include "event_loop.h"
#include "worker_thread.h"

namespace causal_tracer::node {

/// What the worker thread of a session owns and alone touches.
struct LoadedModel {
  std::unique_ptr<TracedModel> model;
  std::unique_ptr<Engines> engines;
};

/// A loaded model with the thread on which all its work runs, in the order of the calls. Its methods are for
/// the event loop; JavaScript values stay there too: the worker knows a job only by its number.
class ModelSession {
 public:
  /// Makes the JavaScript value of a finished job, on the event loop.
  using Completion = std::function<Napi::Value(Napi::Env)>;
  using Work = std::function<Completion(LoadedModel&, const JobControl&)>;
  /// Calls the job's `onHook` on the event loop and waits for its answer: the tensor to go on with. Throws
  /// kAborted if the job is stopped while it waits, or by an exception of the callback.
  using CallHook = std::function<at::Tensor(int64_t hook, const at::Tensor& tensor)>;
  using HookedWork = std::function<Completion(LoadedModel&, const JobControl&, const CallHook&)>;

  explicit ModelSession(std::shared_ptr<EventLoop> loop) : loop_(std::move(loop)) {}
  /// Stops all work and waits for the thread.
  ~ModelSession();
  ModelSession(const ModelSession&) = delete;
  ModelSession& operator=(const ModelSession&) = delete;

  /// Queues `work` and returns its promise. `job` is the call's NativeJob or undefined; `owner`, if it is an
  /// object, is kept alive until the job has ended.
  Napi::Value Submit(Napi::Env env, const Napi::Value& job, const Napi::Value& owner, Work work);
  Napi::Value SubmitHooked(Napi::Env env, const Napi::Value& job, const Napi::Value& owner, HookedWork work);

  /// Stops all work and frees the model without waiting. Jobs that have not ended fail with kDisposed.
  void Dispose(Napi::Env env);

  /// Stops all work and waits for the thread.
  void Finish();

  /// Runs `task` on the event loop after the jobs so far, if no model is loaded by then.
  void WhenNothingLoaded(EventLoop::Task task);

  /// Bytes that JavaScript's garbage collector has been told of; given back by Dispose.
  void AccountMemory(Napi::Env env, int64_t bytes);

 private:
  struct Job {
    Napi::Promise::Deferred deferred;
    StopFlag stop;
    Napi::FunctionReference on_progress;
    Napi::FunctionReference on_hook;
    Napi::ObjectReference owner;
    /// What a callback threw; ends the job.
    Napi::Error failure;
  };

  void RunOnWorker(uint64_t number, const StopFlag& stop, bool reports, const HookedWork& work);
  at::Tensor WaitForHook(uint64_t number, const JobControl& control, int64_t hook, const at::Tensor& tensor);
  at::Tensor RunHook(Napi::Env env, uint64_t number, int64_t hook, const at::Tensor& tensor);
  /// Ends a job with what one of its callbacks threw.
  void EndWith(uint64_t number, const Napi::Error& error);
  void ReportProgress(Napi::Env env, uint64_t number, int64_t done, int64_t total);
  void Settle(Napi::Env env, uint64_t number, const std::function<Napi::Value(Napi::Env)>& complete);
  void Fail(Napi::Env env, uint64_t number, const Error& error);
  Job TakeJob(Napi::Env env, uint64_t number);
  void StopJobs();

  std::shared_ptr<EventLoop> loop_;
  std::map<uint64_t, Job> jobs_;
  uint64_t next_number_ = 0;
  int64_t accounted_bytes_ = 0;
  bool disposed_ = false;
  LoadedModel loaded_;
  /// Last, so that it is joined before anything that its tasks use goes away.
  WorkerThread worker_;
};

}  // namespace causal_tracer::node
