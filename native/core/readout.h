#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace causal_tracer {

/// What a trace measures at the last position.
struct Readout {
  int64_t answer_id = 0;
  /// Tokens whose logits are read beside the answer's probability.
  std::vector<int64_t> logit_ids;

  int64_t width() const { return 1 + static_cast<int64_t>(logit_ids.size()); }
  /// `[row, vocabulary]` logits to float32 `[row, width]` on the CPU: the answer's probability, then the
  /// logits.
  at::Tensor Read(const at::Tensor& logits) const;
};

/// The most probable token of logits `[vocabulary]`.
int64_t MostProbable(const at::Tensor& logits);

/// Throws kInvalidOption unless the answer is one of the vocabulary's tokens.
void CheckAnswer(int64_t answer_id, int64_t vocabulary);

}  // namespace causal_tracer
