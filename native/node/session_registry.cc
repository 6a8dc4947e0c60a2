#include "session_registry.h"

namespace causal_tracer::node {

std::shared_ptr<SessionRegistry> SessionRegistry::Of(Napi::Env env) {
  using Holder = std::shared_ptr<SessionRegistry>;
  if (auto* holder = env.GetInstanceData<Holder>()) return *holder;
  const Holder registry(new SessionRegistry(env));
  auto holder = std::make_unique<Holder>(registry);
  env.SetInstanceData<Holder>(holder.release());
  // Threads must have ended before the environment that they report to is gone.
  env.AddCleanupHook([registry] { registry->sessions_.clear(); });
  return registry;
}

ModelSession& SessionRegistry::Create() {
  return *sessions_.emplace_back(std::make_unique<ModelSession>(loop_));
}

void SessionRegistry::Finish() {
  for (const auto& session : sessions_) session->Finish();
}

void SessionRegistry::Remove(const ModelSession* session) {
  sessions_.remove_if([session](const auto& owned) { return owned.get() == session; });
}

}  // namespace causal_tracer::node
