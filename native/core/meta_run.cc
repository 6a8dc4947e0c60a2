#include "meta_run.h"

#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <utility>

#include "device.h"
#include "error.h"
#include "meta_kernels.h"
#include "program.h"

namespace causal_tracer {

std::vector<int64_t> LogitsShapeOnMeta(const TracedModel& model, int64_t batch, int64_t length) {
  CompleteMetaKernels();
  const c10::InferenceMode inference_mode;
  const c10::Device meta(c10::DeviceType::Meta);
  const auto graph = model.GraphWithSites({});
  MoveToDevice(*graph, meta);
  std::vector<c10::IValue> inputs;
  for (const c10::IValue& input : model.MakeInputs(at::zeros({batch, length}, at::kLong))) {
    inputs.emplace_back(input.toTensor().to(meta));
  }
  const at::Tensor logits = Program(graph).Run(std::move(inputs)).at(0).toTensor();
  if (logits.is_meta()) return logits.sizes().vec();
  throw Error(
      ErrorCode::kModelRunFailed,
      "The model computes its logits on the CPU whatever device it is given. Export the model again with "
      "this version of causal-tracer, or use 'cpu'.");
}

}  // namespace causal_tracer
