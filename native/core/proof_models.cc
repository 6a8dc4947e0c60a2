#include "proof_models.h"

namespace causal_tracer {
namespace {

std::vector<LayerModules> FirstLayers(const std::vector<LayerModules>& kinds, int64_t count) {
  std::vector<LayerModules> first = kinds;
  for (LayerModules& kind : first) kind.layers.resize(static_cast<size_t>(count));
  return first;
}

}  // namespace

ProofModels::ProofModels(const EngineSet& engines, const std::vector<LayerModules>& kinds,
                         int64_t whole_bytes) {
  TracedModel& model = engines.model();
  if (model.memory_bytes() > whole_bytes && !kinds.empty()) {
    range_ = FindBlockRange(model, model.ResolveModules(kinds[0].layers));
  }
  if (!range_) {
    entries_.push_back({.engines = &engines, .kinds = kinds});
    return;
  }
  const std::vector<LayerModules> first = FirstLayers(kinds, range_->blocks);
  const std::vector<LayerModules> head = FirstLayers(kinds, 1);
  without_head_ = std::make_unique<EngineSet>(*range_->without_head);
  head_ = std::make_unique<EngineSet>(*range_->head);
  without_head_->MakeFaster(first);
  head_->MakeFaster(head);
  entries_.push_back({.engines = without_head_.get(), .kinds = first});
  entries_.push_back({.engines = head_.get(), .kinds = head, .scope = ProofScope::kBaseRuns});
}

}  // namespace causal_tracer
