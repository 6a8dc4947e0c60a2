#pragma once

#include <napi.h>

#include "../core/job_control.h"

namespace causal_tracer::node {

/// The JavaScript object that stops a call: `{ requestStop() }` over a StopFlag.
class StopSource {
 public:
  static Napi::Object New(Napi::Env env);

  /// The flag behind `value`, which may be undefined. Throws kInvalidOption for anything else that is no stop
  /// source.
  static StopFlag Unwrap(const Napi::Value& value);
};

}  // namespace causal_tracer::node
