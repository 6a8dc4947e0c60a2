#include "engine.h"

#include <string>

namespace causal_tracer {

void CheckRequest(const TraceRequest& request) {
  const auto length = static_cast<int64_t>(request.input_ids.size());
  const auto layers = static_cast<int64_t>(request.layer_modules.size());
  bool fits = 0 <= request.subject_begin && request.subject_begin < request.subject_end &&
              request.subject_end <= length;
  for (const TraceCell& cell : request.cells) {
    fits = fits && 0 <= cell.token && cell.token < length && 0 <= cell.layer && cell.layer < layers;
  }
  if (!fits) {
    throw Error(ErrorCode::kInvalidOption,
                "The subject, token or layer range does not lie inside the prompt's " +
                    std::to_string(length) + " tokens and the model's " + std::to_string(layers) +
                    " layers.");
  }
  if (request.samples < 1 || request.window < 1 || request.batch_size < 0) {
    throw Error(ErrorCode::kInvalidOption, "samples, window and batchSize must be at least 1.");
  }
}

Error DescribeTraceFailure(const std::exception& exception, const TraceRequest& request) {
  const std::string batch_size =
      request.batch_size > 0 ? std::to_string(request.batch_size) : std::string("auto");
  Error error = DescribeException(
      exception, ErrorCode::kModelRunFailed,
      "tracing " + std::to_string(request.input_ids.size()) + " tokens with batchSize " + batch_size);
  if (error.code() != ErrorCode::kOutOfMemory) return error;
  return {ErrorCode::kOutOfMemory, std::string(error.what()) + " Lower batchSize or samples."};
}

std::vector<TraceResult> Engine::TraceMany(const std::vector<TraceRequest>& requests,
                                           const JobControl& control) {
  std::vector<TraceResult> results;
  for (const TraceRequest& request : requests) {
    const auto part = static_cast<int64_t>(results.size());
    results.push_back(Trace(request, control.Part(part, 1, static_cast<int64_t>(requests.size()))));
  }
  return results;
}

}  // namespace causal_tracer
