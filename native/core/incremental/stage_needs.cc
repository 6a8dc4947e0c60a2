#include "stage_needs.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

namespace causal_tracer {
namespace {

ValueSet Bit(const StageGraph& graph, size_t stage, size_t value) {
  const auto& outgoing = graph.stages()[stage].outgoing;
  return ValueSet{1} << static_cast<size_t>(std::ranges::find(outgoing, value) - outgoing.begin());
}

/// At a site: whether its output is all that is known of a token.
bool ReplacesToken(const StageGraph& graph, size_t number) {
  const Stage& stage = graph.stages()[number];
  if (stage.cut.kind != Cut::Kind::kSite) return false;
  for (const Piece::Input& input : graph.PieceFor(number, AllValues(graph, number)).inputs) {
    if (input.source == Piece::Source::kHidden && input.number != stage.cut.output) return false;
  }
  return std::ranges::all_of(stage.outgoing, [&](size_t value) {
    return value == stage.cut.output || std::ranges::find(stage.made, value) != stage.made.end();
  });
}

}  // namespace

ValueSet AllValues(const StageGraph& graph, size_t stage) {
  const size_t count = graph.stages()[stage].outgoing.size();
  if (stage + 1 == graph.stages().size()) return 1;
  return count == 64 ? ~ValueSet{0} : (ValueSet{1} << count) - 1;
}

TokenNeeds StageNeeds::operator()(size_t stage, bool restored, ValueSet wanted) {
  const auto key = std::tuple{stage, restored, wanted};
  if (const auto found = known_.find(key); found != known_.end()) return found->second;
  return known_.emplace(key, Find(stage, restored, wanted)).first->second;
}

TokenNeeds StageNeeds::Find(size_t number, bool restored, ValueSet wanted) const {
  const Stage& stage = graph_.stages()[number];
  std::vector<size_t> values;
  for (const Piece::Input& input : graph_.PieceFor(number, wanted).inputs) {
    if (input.source == Piece::Source::kHidden) values.push_back(input.number);
  }
  for (size_t place = 0; place < stage.outgoing.size(); ++place) {
    const bool made = std::ranges::find(stage.made, stage.outgoing[place]) != stage.made.end();
    if (!made && (wanted >> place & 1U) != 0) values.push_back(stage.outgoing[place]);
  }
  TokenNeeds needs;
  for (const size_t value : values) {
    if (value != stage.cut.output) {
      needs.own |= Bit(graph_, number - 1, value);
    } else if (stage.attention) {
      needs.own |= Bit(graph_, number - 1, stage.attention->query);
      needs.seen |=
          Bit(graph_, number - 1, stage.attention->key) | Bit(graph_, number - 1, stage.attention->value);
    } else if (!restored) {
      needs.own |= Bit(graph_, number - 1, stage.cut.input);
    }
  }
  return needs;
}

std::vector<PlannedStage> DescribeStages(const StageGraph& graph) {
  std::vector<PlannedStage> stages;
  for (size_t stage = 0; stage < graph.stages().size(); ++stage) {
    const Cut& cut = graph.stages()[stage].cut;
    stages.push_back({.kind = cut.kind, .layer = cut.layer, .replaces_token = ReplacesToken(graph, stage)});
  }
  return stages;
}

int64_t BytesOfToken(const StageGraph& graph) {
  int64_t most = 0;
  int64_t before = 0;
  for (const Stage& stage : graph.stages()) {
    int64_t bytes = 0;
    for (const size_t value : stage.outgoing) {
      const auto& sizes = graph.hidden()[value].token_sizes;
      bytes += std::reduce(sizes.begin(), sizes.end(), int64_t{sizeof(float)}, std::multiplies<>());
    }
    most = std::max(most, before + bytes);
    before = bytes;
  }
  return most;
}

}  // namespace causal_tracer
