#include "attention_rewrite.h"

#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include <optional>
#include <vector>

#include "attention_operator.h"
#include "eager_attention.h"

namespace causal_tracer {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

c10::Symbol Kind(const char* name) { return c10::Symbol::fromQualString(name); }

bool IsKind(const Node* node, const char* name) { return node->kind() == Kind(name); }

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
                           .mask = node->input(3),
                           .output = node->output(),
                           .causal = *causal};
  const auto mask = torch::jit::toIValue(pattern.mask);
  if (mask && mask->isNone()) pattern.mask = nullptr;
  if (!scale->isNone()) pattern.scale = scale->toScalar().toDouble();
  return pattern;
}

void Replace(Graph& graph, const AttentionPattern& pattern) {
  const torch::jit::WithInsertPoint insert(pattern.output->node());
  const auto constant = [&](const c10::IValue& value) { return graph.insertConstant(value); };
  Node* attention = graph.insertNode(graph.create(
      Kind(kAttentionOperator), {pattern.query, BeforeRepeat(pattern.key), BeforeRepeat(pattern.value),
                                 pattern.mask != nullptr ? pattern.mask : constant(c10::IValue()),
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
