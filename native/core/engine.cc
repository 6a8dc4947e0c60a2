#include "engine.h"

#include <ATen/DeviceAccelerator.h>

#include <algorithm>
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

bool ShareBaseRuns(const TraceRequest& a, const TraceRequest& b) {
  return a.input_ids == b.input_ids && a.embedding_module == b.embedding_module &&
         a.subject_begin == b.subject_begin && a.subject_end == b.subject_end && a.noise == b.noise &&
         a.seed == b.seed && a.samples == b.samples && a.answer_id == b.answer_id &&
         a.logit_ids == b.logit_ids;
}

std::vector<std::pair<size_t, size_t>> GroupsWithSharedBaseRuns(const std::vector<TraceRequest>& requests) {
  std::vector<std::pair<size_t, size_t>> groups;
  for (size_t i = 0; i < requests.size(); ++i) {
    if (!groups.empty() && ShareBaseRuns(requests[groups.back().first], requests[i])) {
      groups.back().second = i + 1;
    } else {
      groups.emplace_back(i, i + 1);
    }
  }
  return groups;
}

int64_t RowsAtOnce(const TraceRequest& request, int64_t most, const at::Tensor& embedded,
                   int64_t vocabulary) {
  if (request.batch_size > 0) return request.batch_size;
  int64_t memory = request.memory_in_flight;
  if (embedded.is_cuda()) {
    // A GPU is fast with many rows only.
    constexpr int64_t kMostOnGpu = 1024;
    most = kMostOnGpu;
    memory = static_cast<int64_t>(at::accelerator::getMemoryInfo(embedded.get_device()).first / 2);
  }
  // Of a block's values the widest are an MLP's, several times the hidden size, a few of them at a time.
  constexpr int64_t kHiddenStates = 16;
  const auto length = static_cast<int64_t>(request.input_ids.size());
  const int64_t row_bytes =
      length * (vocabulary + kHiddenStates * embedded.size(-1)) * static_cast<int64_t>(sizeof(float));
  return std::clamp<int64_t>(memory / row_bytes, 1, most);
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
