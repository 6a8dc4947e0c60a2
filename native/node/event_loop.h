#pragma once

#include <napi.h>

#include <cstddef>
#include <functional>

namespace causal_tracer::node {

/// Runs functions on the event loop of one Node environment, from any thread.
class EventLoop {
 public:
  using Task = std::function<void(Napi::Env)>;

  explicit EventLoop(Napi::Env env);
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Queues `task`; it is dropped if the environment is going away.
  void Post(Task task);

  /// Keeps the process alive between the two calls, which nest. On the event loop only.
  void Hold(Napi::Env env);
  void Release(Napi::Env env);

 private:
  static void Call(Napi::Env env, Napi::Function callback, std::nullptr_t* context, Task* task);

  using Function = Napi::TypedThreadSafeFunction<std::nullptr_t, Task, Call>;
  Function function_;
  int holds_ = 0;
};

}  // namespace causal_tracer::node
