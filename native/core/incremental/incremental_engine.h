#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../engine.h"
#include "../traced_model.h"
#include "decoder_graph.h"
#include "token_pieces.h"

namespace causal_tracer {

/// Computes a trace from what differs: a patched run equals the corrupted run at every layer before the first
/// restored one and at every position before the restored one, and runs that restored the same layers so far
/// are one run. See docs/engine.md.
class IncrementalEngine final : public Engine {
 public:
  /// For one embedding and the layer modules of some kinds (all resolved). `model` must outlive the engine.
  /// Throws UnsupportedGraph where the model cannot be cut into token-wise pieces.
  IncrementalEngine(TracedModel& model, const std::string& embedding,
                    const std::vector<std::string>& modules);
  ~IncrementalEngine() override;

  std::string_view name() const override { return "incremental"; }

  TraceResult Trace(const TraceRequest& request, const JobControl& control) override;

 private:
  const TokenPieces& PiecesFor(const std::vector<std::string>& layers);

  TracedModel& model_;
  std::string embedding_;
  DecoderGraph graph_;
  std::map<std::vector<std::string>, std::unique_ptr<TokenPieces>> pieces_;
};

}  // namespace causal_tracer
