#include "fingerprint.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <tuple>

namespace causal_tracer {

TensorChecksum Checksum(const at::Tensor& tensor) {
  const at::Tensor values = tensor.to(at::kCPU, at::kDouble).contiguous();
  const double* x = values.const_data_ptr<double>();
  const int64_t count = values.numel();
  double sum = 0.0;
  double squares = 0.0;
  double projection = 0.0;
  for (int64_t i = 0; i < count; ++i) {
    const auto mixed = static_cast<uint32_t>(static_cast<uint64_t>(i) * 2654435761ULL);
    sum += x[i];
    squares += x[i] * x[i];
    projection += x[i] * (static_cast<double>(mixed) / 4294967296.0 - 0.5);
  }
  return {.mean = count == 0 ? 0.0 : sum / static_cast<double>(count),
          .norm = std::sqrt(squares),
          .projection = projection};
}

Fingerprint TakeFingerprint(TracedModel& model, const at::Tensor& input_ids,
                            const std::vector<std::string>& modules, int64_t top_count,
                            const JobControl& control) {
  const c10::InferenceMode inference_mode;
  ForwardHooks hooks = model.MakeHooks(control);
  std::vector<HookPoint> hooked;
  for (const std::string& module : modules) {
    hooked.push_back(model.Resolve({.module = module}));
    hooks.Capture(hooked.back());
  }
  const at::Tensor logits = model.Run(input_ids, hooked, hooks);
  const at::Tensor last = logits.select(1, logits.size(1) - 1).to(at::kCPU, at::kDouble);
  const auto [values, ids] = last.topk(std::min(top_count, last.size(1)), 1);
  Fingerprint fingerprint;
  for (int64_t row = 0; row < last.size(0); ++row) {
    std::vector<TopLogit>& top = fingerprint.top_logits.emplace_back();
    for (int64_t i = 0; i < values.size(1); ++i) {
      top.push_back({.id = ids[row][i].item<int64_t>(), .logit = values[row][i].item<double>()});
    }
  }
  for (size_t i = 0; i < modules.size(); ++i) {
    const at::Tensor& output = hooks.Captured(hooked[i]);
    fingerprint.sites.push_back(
        {.module = modules[i], .shape = output.sizes().vec(), .checksum = Checksum(output)});
  }
  return fingerprint;
}

}  // namespace causal_tracer
