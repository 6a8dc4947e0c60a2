#pragma once

#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

namespace causal_tracer {

/// Why an operation failed; the names are part of the JavaScript API (src/errors.ts).
enum class ErrorCode {
  kAborted,
  kDeviceNotAvailable,
  kDisposed,
  kEngineNotProven,
  kInvalidOption,
  kModelFileInvalid,
  kModelFileNotFound,
  kModelRunFailed,
  kModuleNotFound,
  kModuleNotHookable,
  kOutOfMemory,
};

/// The code as JavaScript sees it, e.g. `MODULE_NOT_FOUND`.
std::string_view ErrorCodeName(ErrorCode code);

/// A failure whose message says what was wrong, where, and what to do.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

/// The exception's own words, without libtorch's stack traces.
std::string Summary(const std::exception& exception);

/// Turns whatever libtorch threw into an Error. Running out of memory is told apart by the allocator's words,
/// because the interpreter rethrows everything as std::runtime_error. `context` says what was being done.
Error DescribeException(const std::exception& exception, ErrorCode fallback, const std::string& context);

}  // namespace causal_tracer
