#include "block_range.h"

#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include <algorithm>
#include <map>
#include <span>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "graph_query.h"
#include "linear/linear_operator.h"
#include "site_operator.h"

namespace causal_tracer {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

/// With two, no attention behind a restored layer would see a patched token's keys from another token.
constexpr size_t kFewestBlocks = 3;

/// The markers behind the outputs of `modules`, in the modules' order; empty where one is not called exactly
/// once outside branches and loops.
std::vector<Node*> FindMarkers(Graph& graph, const std::vector<Site>& sites,
                               std::span<const std::string> modules) {
  std::map<std::string, std::vector<Node*>> markers;
  for (Node* node : graph.nodes()) {
    if (!IsKind(node, kSiteOperator)) continue;
    const auto site = torch::jit::constant_as<int64_t>(node->input(1));
    if (!site) continue;
    const HookPoint& point = sites.at(static_cast<size_t>(*site)).point;
    if (point.at == HookAt::kOutput) markers[point.module].push_back(node);
  }
  std::vector<Node*> found;
  for (const std::string& module : modules) {
    if (markers[module].size() != 1) return {};
    found.push_back(markers[module][0]);
  }
  return found;
}

/// What a constant is, without the numbers of a weight.
std::string DescribeConstant(const Value* value) {
  std::ostringstream description;
  const auto constant = torch::jit::toIValue(value);
  if (!constant) return "constant";
  if (constant->isTensor() && constant->toTensor().defined() && constant->toTensor().numel() != 1) {
    description << constant->toTensor().scalar_type() << constant->toTensor().sizes();
  } else {
    description << *constant;
  }
  return description.str();
}

std::string DescribeLinearLayer(const Value* number) {
  const LinearLayer& layer = LinearLayers::Get(ConstantInteger(number));
  return "linear " + std::to_string(layer.in()) + " " + std::to_string(layer.out());
}

/// For each block its nodes and where their inputs come from, as a text that equal blocks have in common.
std::vector<std::string> DescribeBlocks(Graph& graph, const std::vector<Node*>& ends) {
  std::unordered_map<const Value*, std::pair<size_t, size_t>> makers;
  std::vector<std::string> descriptions;
  std::ostringstream description;
  const Value* entry = nullptr;
  size_t index = 0;
  for (const Node* node : graph.nodes()) {
    if (descriptions.size() == ends.size()) break;
    if (node->kind() == c10::prim::Constant) continue;
    const size_t block = descriptions.size();
    description << node->kind().toQualString();
    for (size_t i = 0; i < node->inputs().size(); ++i) {
      const Value* input = node->input(i);
      description << ' ';
      const bool is_site_number = IsKind(node, kSiteOperator) && i == 1;
      if (is_site_number) continue;
      if (IsKind(node, kLinearOperator) && i == 1) {
        description << DescribeLinearLayer(input);
      } else if (input->node()->kind() == c10::prim::Constant) {
        description << DescribeConstant(input);
      } else if (input == entry) {
        description << "entry";
      } else if (const auto made = makers.find(input); made != makers.end() && made->second.first == block) {
        description << '%' << made->second.second;
      } else {
        description << input->debugName();
      }
    }
    description << '\n';
    for (const Value* output : node->outputs()) makers.emplace(output, std::pair{block, index++});
    if (node == ends[block]) {
      descriptions.push_back(std::exchange(description, {}).str());
      entry = node->output();
      index = 0;
    }
  }
  return descriptions;
}

/// How many blocks from the first one on have an example of every description.
size_t CountUntilAllSeen(const std::vector<std::string>& descriptions) {
  size_t count = 0;
  for (size_t i = 0; i < descriptions.size(); ++i) {
    const auto first = std::ranges::find(descriptions, descriptions[i]) - descriptions.begin();
    count = std::max(count, static_cast<size_t>(first) + 1);
  }
  return count;
}

/// A copy of `whole` that leaves out the `blocks` from `kept` on; null where their outputs reach what stays
/// on another way than through the last one.
std::shared_ptr<Graph> LeaveOutBlocks(Graph& whole, const std::vector<Site>& sites,
                                      std::span<const std::string> blocks, size_t kept) {
  auto graph = whole.copy();
  const std::vector<Node*> ends = FindMarkers(*graph, sites, blocks);
  ends.back()->output()->replaceAllUsesWith(ends[kept - 1]->output());
  torch::jit::EliminateDeadCode(graph);
  const auto left_out = blocks.subspan(kept);
  for (Node* node : graph->nodes()) {
    if (!IsKind(node, kSiteOperator)) continue;
    const auto site = ConstantInteger(node->input(1));
    const std::string& module = sites.at(static_cast<size_t>(site)).point.module;
    if (std::ranges::find(left_out, module) != left_out.end()) return nullptr;
  }
  graph->lint();
  return graph;
}

/// Makes the output of the last kept block the graph's, behind an operator that leaves it as it is.
void EndBehind(Graph& graph, Node* end) {
  const torch::jit::WithInsertPoint insert(graph.return_node());
  Value* output = graph.insert(Kind("aten::mul"), {end->output(), 1.0});
  graph.eraseOutput(0);
  graph.registerOutput(output);
  torch::jit::EliminateDeadCode(graph.block());
  graph.lint();
}

}  // namespace

std::optional<BlockRange> FindBlockRange(const TracedModel& model, const std::vector<std::string>& blocks) {
  const auto marked = model.GraphWithSites(blocks);
  const std::vector<Node*> ends = FindMarkers(*marked, model.sites(), blocks);
  if (ends.empty()) return std::nullopt;
  const std::vector<std::string> descriptions = DescribeBlocks(*marked, ends);
  const size_t kept = std::max(kFewestBlocks, CountUntilAllSeen(descriptions));
  if (descriptions.size() != blocks.size() || kept >= blocks.size()) return std::nullopt;
  const auto without_head = LeaveOutBlocks(model.graph(), model.sites(), blocks, kept);
  if (without_head == nullptr) return std::nullopt;
  const std::span<const std::string> first(blocks.begin(), kept);
  const auto head = LeaveOutBlocks(*without_head, model.sites(), first, 1);
  if (head == nullptr) return std::nullopt;
  EndBehind(*without_head, FindMarkers(*without_head, model.sites(), first).back());
  return BlockRange{.blocks = static_cast<int64_t>(kept),
                    .without_head = std::make_unique<TracedModel>(model, without_head),
                    .head = std::make_unique<TracedModel>(model, head)};
}

}  // namespace causal_tracer
