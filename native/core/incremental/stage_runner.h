#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "../attention/attention_kernel.h"
#include "../engine.h"
#include "../job_control.h"
#include "stage_graph.h"
#include "trace_plan.h"

namespace causal_tracer {

/// One hidden value of many tokens, wherever each of them lies.
struct TokenColumn {
  /// Where each token's vector begins; null where it was not computed.
  std::vector<const std::byte*> tokens = {};
  at::ScalarType dtype = at::kFloat;
  /// The tensors that the vectors lie in. A value that is carried through keeps its tensors here.
  std::vector<at::Tensor> owners = {};
};

/// What is known of a run's tokens after a stage: a column for each of the stage's outgoing values.
struct StageState {
  std::vector<TokenColumn> columns = {};
};

/// A run that patched runs refer to: its state after every stage.
struct BaseRun {
  std::vector<StageState> states = {};
  int64_t first_position = 0;
  int64_t samples = 1;
};

/// What all runs over one prompt have in common.
struct PromptContext {
  int64_t length = 0;
  /// By number of the context value.
  std::vector<at::Tensor> values = {};
  /// By stage; empty but for attentions.
  std::vector<AttentionMask> masks = {};
};

/// What to run one stage on.
struct StageRequest {
  size_t stage = 0;
  const StagePlan& plan;
  /// The planned tokens after the stage before; absent for the first.
  const StageState* previous = nullptr;
  /// For the first stage: the embedding's output, `[token, sample, hidden]`.
  at::Tensor embedded;
  /// Each planned token stands for these samples.
  int64_t sample_begin = 0;
  int64_t sample_end = 1;
};

/// Runs planned tokens through the stages of a model.
class StageRunner {
 public:
  /// Takes logits `[row, vocabulary]` of the last stage; `rows[i]` is `token * samples + sample`.
  using TakeLogits = std::function<void(const std::vector<int64_t>& rows, const at::Tensor& logits)>;

  /// All references must outlive the runner. The base runs may be absent while they are being made.
  StageRunner(const StageGraph& graph, const PromptContext& context, const BaseRun* clean,
              const BaseRun* corrupted, const JobControl& control, TraceWork& work)
      : graph_(graph),
        context_(context),
        clean_(clean),
        corrupted_(corrupted),
        control_(control),
        work_(work) {}

  StageState Run(const StageRequest& request, const TakeLogits& take_logits) const;

 private:
  class StageRun;

  const StageGraph& graph_;
  const PromptContext& context_;
  const BaseRun* clean_;
  const BaseRun* corrupted_;
  const JobControl& control_;
  TraceWork& work_;
};

}  // namespace causal_tracer
