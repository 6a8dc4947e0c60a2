#include "readout.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include <string>

#include "error.h"

namespace causal_tracer {

at::Tensor Readout::Read(const at::Tensor& logits) const {
  const at::Tensor values = logits.to(at::kFloat);
  at::Tensor read = at::softmax(values, -1).narrow(1, answer_id, 1);
  if (!logit_ids.empty()) {
    const at::Tensor ids = at::tensor(logit_ids, at::kLong).to(values.device());
    read = at::cat({read, values.index_select(1, ids)}, 1);
  }
  return read.cpu().contiguous();
}

int64_t MostProbable(const at::Tensor& logits) {
  return at::softmax(logits.to(at::kFloat), -1).argmax().item<int64_t>();
}

void CheckAnswer(int64_t answer_id, int64_t vocabulary) {
  if (answer_id < vocabulary) return;
  throw Error(ErrorCode::kInvalidOption, "The answer id " + std::to_string(answer_id) +
                                             " is outside the vocabulary of " + std::to_string(vocabulary) +
                                             " tokens.");
}

}  // namespace causal_tracer
