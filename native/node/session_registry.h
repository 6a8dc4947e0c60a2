#pragma once

#include <napi.h>

#include <list>
#include <memory>

#include "event_loop.h"
#include "model_session.h"

namespace causal_tracer::node {

/// The sessions of one Node environment. They end when their JavaScript object is collected, or with the
/// environment.
class SessionRegistry {
 public:
  /// The registry of `env`, made at its first use.
  static std::shared_ptr<SessionRegistry> Of(Napi::Env env);

  ModelSession& Create();
  /// Stops all work and waits for the threads. Afterwards every call fails as on a disposed model.
  void Finish();
  /// Ends a session; does nothing where it has ended already.
  void Remove(const ModelSession* session);

 private:
  explicit SessionRegistry(Napi::Env env) : loop_(std::make_shared<EventLoop>(env)) {}

  std::shared_ptr<EventLoop> loop_;
  std::list<std::unique_ptr<ModelSession>> sessions_;
};

}  // namespace causal_tracer::node
