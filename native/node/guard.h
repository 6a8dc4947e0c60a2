#pragma once

#include <napi.h>

#include <exception>

#include "../core/error.h"
#include "values.h"

namespace causal_tracer::node {

/// Runs `call` on the event loop and turns whatever it throws into a JavaScript error with a code: any other
/// C++ exception that reached Node would end the process.
template <typename Call>
Napi::Value Guard(const Napi::CallbackInfo& info, Call call) {
  try {
    return call();
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& exception) {
    throw ToJavaScript(info.Env(),
                       DescribeException(exception, ErrorCode::kModelRunFailed, "answering a call"));
  }
}

}  // namespace causal_tracer::node
