#include "event_loop.h"

#include <memory>
#include <utility>

namespace causal_tracer::node {

EventLoop::EventLoop(Napi::Env env) : function_(Function::New(env, "causal-tracer", 0, 1)) {
  function_.Unref(env);
}

void EventLoop::Post(Task task) {
  auto owned = std::make_unique<Task>(std::move(task));
  if (function_.NonBlockingCall(owned.get()) == napi_ok) static_cast<void>(owned.release());
}

void EventLoop::Hold(Napi::Env env) {
  if (holds_++ == 0) function_.Ref(env);
}

void EventLoop::Release(Napi::Env env) {
  if (--holds_ == 0) function_.Unref(env);
}

void EventLoop::Call(Napi::Env env, Napi::Function /*callback*/, std::nullptr_t* /*context*/, Task* task) {
  const std::unique_ptr<Task> owned(task);
  // A null environment means that it is being torn down: nobody is left to be told.
  if (static_cast<napi_env>(env) == nullptr) return;
  try {
    (*owned)(env);
  } catch (const Napi::Error&) {  // NOLINT(bugprone-empty-catch)
    // JavaScript runs no more, because the worker thread or the process is being ended: nobody is left to be
    // told.
  }
}

}  // namespace causal_tracer::node
