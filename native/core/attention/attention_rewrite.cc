#include "attention_rewrite.h"

#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include <optional>
#include <vector>

#include "../graph_query.h"
#include "attention_operator.h"
#include "eager_attention.h"

namespace causal_tracer {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

/// The heads before `x[:, :, None].expand(batch, heads, groups, position, size).reshape(...)`; `value` itself
/// where they were not repeated.
Value* BeforeRepeat(Value* value) {
  const Node* reshape = value->node();
  if (!IsKind(reshape, "aten::reshape") && !IsKind(reshape, "aten::view")) return value;
  const Node* expand = reshape->input(0)->node();
  if (!IsKind(expand, "aten::expand")) return value;
  Value* heads = expand->input(0);
  bool unsqueezed = false;
  while (IsKind(heads->node(), "aten::slice") || IsKind(heads->node(), "aten::unsqueeze")) {
    if (IsKind(heads->node(), "aten::unsqueeze")) {
      if (unsqueezed || torch::jit::constant_as<int64_t>(heads->node()->input(1)) != 2) return value;
      unsqueezed = true;
    }
    heads = heads->node()->input(0);
  }
  return unsqueezed ? heads : value;
}

std::optional<AttentionPattern> ReadFusedAttention(Node* node) {
  if (!IsKind(node, "aten::scaled_dot_product_attention")) return std::nullopt;
  const auto dropout = torch::jit::toIValue(node->input(4));
  const auto causal = torch::jit::constant_as<bool>(node->input(5));
  const auto scale = torch::jit::toIValue(node->input(6));
  if (!dropout || dropout->toScalar().toDouble() != 0.0 || !causal || !scale) return std::nullopt;
  AttentionPattern pattern{.query = node->input(0),
                           .key = node->input(1),
                           .value = node->input(2),
                           .masks = {},
                           .output = node->output(),
                           .causal = *causal};
  const auto mask = torch::jit::toIValue(node->input(3));
  // A fused attention's mask may be of either sort: true where a key is seen, or added.
  if (!mask || !mask->isNone()) pattern.masks.push_back({.value = node->input(3)});
  if (!scale->isNone()) pattern.scale = scale->toScalar().toDouble();
  return pattern;
}

/// A large negative number: far below every logit, and finite in every floating dtype.
constexpr double kHiddenLogit = -1e9;

/// The term as something that is added to the logits.
Value* AsAdded(Graph& graph, const MaskTerm& term) {
  if (term.meaning == MaskTerm::Meaning::kAdded) return term.value;
  Value* hidden = term.meaning == MaskTerm::Meaning::kHidden
                      ? term.value
                      : graph.insert(Kind("aten::logical_not"), {term.value});
  return graph.insert(Kind("aten::mul"), {hidden, kHiddenLogit});
}

/// All terms in one mask; null where there is none.
Value* CombinedMask(Graph& graph, const std::vector<MaskTerm>& terms) {
  if (terms.empty()) return nullptr;
  if (terms.size() == 1 && terms[0].meaning == MaskTerm::Meaning::kSeen) return terms[0].value;
  Value* combined = AsAdded(graph, terms[0]);
  for (size_t i = 1; i < terms.size(); ++i) {
    combined = graph.insert(Kind("aten::add"), {combined, AsAdded(graph, terms[i])});
  }
  return combined;
}

void Replace(Graph& graph, const AttentionPattern& pattern) {
  const torch::jit::WithInsertPoint insert(pattern.output->node());
  Value* mask = CombinedMask(graph, pattern.masks);
  const auto constant = [&](const c10::IValue& value) { return graph.insertConstant(value); };
  Node* attention = graph.insertNode(graph.create(
      Kind(kAttentionOperator), {pattern.query, BeforeRepeat(pattern.key), BeforeRepeat(pattern.value),
                                 mask != nullptr ? mask : constant(c10::IValue()),
                                 constant(pattern.scale ? c10::IValue(*pattern.scale) : c10::IValue()),
                                 constant(pattern.softcap), constant(pattern.causal)}));
  attention->output()->setType(c10::TensorType::get());
  pattern.output->replaceAllUsesWith(attention->output());
}

}  // namespace

void UseAttentionOperators(Graph& graph) {
  const std::vector<Node*> nodes(graph.nodes().begin(), graph.nodes().end());
  for (Node* node : nodes) {
    auto pattern = ReadFusedAttention(node);
    if (!pattern) pattern = ReadEagerAttention(node);
    if (pattern) Replace(graph, *pattern);
  }
  torch::jit::EliminateDeadCode(graph.block());
}

}  // namespace causal_tracer
