#include "error.h"

#include <c10/util/Exception.h>

#include <array>
#include <new>

namespace causal_tracer {
namespace {

/// The interpreter wraps a failure in its own stack trace; only the last "RuntimeError:" line is for the
/// reader.
std::string InnermostMessage(const std::string& text) {
  constexpr std::string_view kMarker = "RuntimeError: ";
  const auto marker = text.rfind(kMarker);
  const auto begin = marker == std::string::npos ? 0 : marker + kMarker.size();
  const auto end = text.find('\n', begin);
  return text.substr(begin, end == std::string::npos ? end : end - begin);
}

bool SaysOutOfMemory(const std::string& text) {
  constexpr std::array<std::string_view, 4> kPhrases = {"can't allocate memory", "not enough memory",
                                                        "out of memory", "bad_alloc"};
  for (const auto phrase : kPhrases) {
    if (text.find(phrase) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

std::string Summary(const std::exception& exception) {
  if (const auto* torch_error = dynamic_cast<const c10::Error*>(&exception)) {
    return InnermostMessage(torch_error->what_without_backtrace());
  }
  return InnermostMessage(exception.what());
}

std::string_view ErrorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kAborted:
      return "ABORTED";
    case ErrorCode::kDeviceNotAvailable:
      return "DEVICE_NOT_AVAILABLE";
    case ErrorCode::kEngineNotProven:
      return "ENGINE_NOT_PROVEN";
    case ErrorCode::kDisposed:
      return "DISPOSED";
    case ErrorCode::kInvalidOption:
      return "INVALID_OPTION";
    case ErrorCode::kModelFileInvalid:
      return "MODEL_FILE_INVALID";
    case ErrorCode::kModelFileNotFound:
      return "MODEL_FILE_NOT_FOUND";
    case ErrorCode::kModelRunFailed:
      return "MODEL_RUN_FAILED";
    case ErrorCode::kModuleNotFound:
      return "MODULE_NOT_FOUND";
    case ErrorCode::kModuleNotHookable:
      return "MODULE_NOT_HOOKABLE";
    case ErrorCode::kOutOfMemory:
      return "OUT_OF_MEMORY";
  }
  return "MODEL_RUN_FAILED";
}

Error DescribeException(const std::exception& exception, ErrorCode fallback, const std::string& context) {
  if (const auto* ours = dynamic_cast<const Error*>(&exception)) return *ours;
  const std::string text = exception.what();
  const bool memory = dynamic_cast<const std::bad_alloc*>(&exception) != nullptr || SaysOutOfMemory(text);
  if (memory) return {ErrorCode::kOutOfMemory, "Out of memory while " + context + "."};
  return {fallback, "libtorch failed while " + context + ": " + Summary(exception)};
}

}  // namespace causal_tracer
