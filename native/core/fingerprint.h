#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "job_control.h"
#include "traced_model.h"

namespace causal_tracer {

/// Order-sensitive summary of a tensor over its elements x[i] in row-major order, in float64: the mean, the
/// Euclidean norm, and the projection Σ x[i]·w[i] with w[i] = ((i · 2654435761) mod 2³²) / 2³² − 0.5.
struct TensorChecksum {
  double mean = 0.0;
  double norm = 0.0;
  double projection = 0.0;
};

TensorChecksum Checksum(const at::Tensor& tensor);

struct TopLogit {
  int64_t id = 0;
  double logit = 0.0;
};

struct SiteFingerprint {
  std::string module;
  std::vector<int64_t> shape;
  TensorChecksum checksum;
};

/// What a model computes on fixed ids, small enough to be stored beside it.
struct Fingerprint {
  /// For each row the largest logits of its last position, best first.
  std::vector<std::vector<TopLogit>> top_logits;
  std::vector<SiteFingerprint> sites;
};

/// `input_ids` is int64 `[batch, position]`.
Fingerprint TakeFingerprint(TracedModel& model, const at::Tensor& input_ids,
                            const std::vector<std::string>& modules, int64_t top_count,
                            const JobControl& control);

}  // namespace causal_tracer
