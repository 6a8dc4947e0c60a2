#include "readout.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include <string>

#include "error.h"

namespace causal_tracer {

at::Tensor Readout::Measure(const at::Tensor& logits) const {
  const at::Tensor values = logits.to(at::kFloat);
  at::Tensor probability = at::softmax(values, -1).narrow(1, answer_id, 1);
  if (logit_ids.empty()) return probability;
  const at::Tensor ids = at::tensor(logit_ids, at::kLong).to(values.device());
  return at::cat({probability, values.index_select(1, ids)}, 1);
}

std::vector<ReadoutValues> Readout::RowsOf(const at::Tensor& measured) {
  const at::Tensor values = measured.cpu().contiguous();
  const int64_t width = values.size(1);
  const float* row = values.const_data_ptr<float>();
  std::vector<ReadoutValues> rows;
  for (int64_t i = 0; i < values.size(0); ++i, row += width) rows.emplace_back(row, row + width);
  return rows;
}

void AddTo(ReadoutValues& sums, const ReadoutValues& values) {
  for (size_t i = 0; i < sums.size(); ++i) sums[i] += values[i];
}

ReadoutValues Mean(ReadoutValues sums, int64_t count) {
  for (double& sum : sums) sum /= static_cast<double>(count);
  return sums;
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
