#pragma once

#include <memory>
#include <vector>

#include "block_range.h"
#include "engine_proof.h"
#include "engine_set.h"

namespace causal_tracer {

/// The models on which the engines of one model prove themselves: that model, or two shorter ones that
/// together have each operator of it.
class ProofModels {
 public:
  struct Entry {
    const EngineSet* engines = nullptr;
    /// As in `kinds`, with the layers that this model has.
    std::vector<LayerModules> kinds = {};
    ProofScope scope = ProofScope::kCells;
  };

  /// A model of `whole_bytes` or less proves itself as a whole; so does a larger one that has no shorter
  /// likeness. `engines` and what it belongs to must outlive this.
  ProofModels(const EngineSet& engines, const std::vector<LayerModules>& kinds, int64_t whole_bytes);

  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::optional<BlockRange> range_;
  std::unique_ptr<EngineSet> without_head_;
  std::unique_ptr<EngineSet> head_;
  std::vector<Entry> entries_;
};

}  // namespace causal_tracer
