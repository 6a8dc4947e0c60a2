#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace causal_tracer {

/// One row's values of a readout, or sums of such.
using ReadoutValues = std::vector<double>;

/// What a trace measures at the last position.
struct Readout {
  int64_t answer_id = 0;
  /// Tokens whose logits are read beside the answer's probability.
  std::vector<int64_t> logit_ids;

  int64_t width() const { return 1 + static_cast<int64_t>(logit_ids.size()); }
  /// Of logits `[row, vocabulary]` each row's values, float32 `[row, width]` on the logits' device: the
  /// answer's probability, then the logits.
  at::Tensor Measure(const at::Tensor& logits) const;
  /// The same, copied out, `[row][width]`.
  std::vector<ReadoutValues> Read(const at::Tensor& logits) const { return RowsOf(Measure(logits)); }

  /// What Measure gave, copied out.
  static std::vector<ReadoutValues> RowsOf(const at::Tensor& measured);
};

void AddTo(ReadoutValues& sums, const ReadoutValues& values);

/// `sums` divided by `count`.
ReadoutValues Mean(ReadoutValues sums, int64_t count);

/// The most probable token of logits `[vocabulary]`.
int64_t MostProbable(const at::Tensor& logits);

/// Throws kInvalidOption unless the answer is one of the vocabulary's tokens.
void CheckAnswer(int64_t answer_id, int64_t vocabulary);

}  // namespace causal_tracer
