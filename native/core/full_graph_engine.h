#pragma once

#include "engine.h"
#include "traced_model.h"

namespace causal_tracer {

/// The reference: every cell and sample is one row of a whole forward pass, `batch_size` rows at a time, as
/// the Python package does it.
class FullGraphEngine final : public Engine {
 public:
  /// `model` must outlive the engine.
  explicit FullGraphEngine(TracedModel& model) : model_(model) {}

  std::string_view name() const override { return "full"; }
  TraceResult Trace(const TraceRequest& request, const JobControl& control) override;
  std::vector<TraceResult> TraceMany(const std::vector<TraceRequest>& requests,
                                     const JobControl& control) override;

 private:
  TracedModel& model_;
};

}  // namespace causal_tracer
