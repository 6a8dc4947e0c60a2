#include "gelu_pattern.h"

#include <torch/csrc/jit/ir/constants.h>

#include <cmath>
#include <numbers>
#include <optional>
#include <utility>
#include <vector>

#include "../graph_query.h"

namespace causal_tracer {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

bool IsConstant(Value* value, double expected) {
  const auto number = ConstantNumber(value);
  return number && std::abs(*number - expected) < 1e-4 * std::abs(expected);
}

/// The other factor of `value = factor * other`, in either order; null if it is no such product.
Value* OtherFactor(Value* value, double factor) {
  if (!IsKind(value, "aten::mul")) return nullptr;
  for (size_t i = 0; i < 2; ++i) {
    if (IsConstant(value->node()->input(i), factor)) return value->node()->input(1 - i);
  }
  return nullptr;
}

/// The two terms of an addition without a scale.
std::optional<std::pair<Value*, Value*>> Terms(Value* value) {
  if (!IsKind(value, "aten::add") || !IsConstant(value->node()->input(2), 1.0)) return std::nullopt;
  return std::pair{value->node()->input(0), value->node()->input(1)};
}

bool IsCubeTerm(Value* value, const Value* x) {
  Value* cube = OtherFactor(value, 0.044715);
  return cube != nullptr && IsKind(cube, "aten::pow") && cube->node()->input(0) == x &&
         IsConstant(cube->node()->input(1), 3.0);
}

/// The x of `sqrt(2 / pi) (x + 0.044715 x^3)`; null for every other value.
Value* InnerArgument(Value* value) {
  Value* sum = OtherFactor(value, std::sqrt(2.0 / std::numbers::pi));
  const auto terms = sum == nullptr ? std::nullopt : Terms(sum);
  if (!terms) return nullptr;
  if (IsCubeTerm(terms->second, terms->first)) return terms->first;
  if (IsCubeTerm(terms->first, terms->second)) return terms->second;
  return nullptr;
}

Value* OnlyUser(const Value* value, const char* kind) {
  if (value->uses().size() != 1) return nullptr;
  Node* user = value->uses()[0].user;
  return user->kind() == Kind(kind) ? user->output() : nullptr;
}

/// Looks at one hyperbolic tangent; replaces the whole formula if it stands in one.
void FuseAround(Graph& graph, Node* tangent) {
  Value* x = InnerArgument(tangent->input(0));
  Value* sum = x == nullptr ? nullptr : OnlyUser(tangent->output(), "aten::add");
  if (sum == nullptr) return;
  const auto terms = Terms(sum);
  if (!terms || (!IsConstant(terms->first, 1.0) && !IsConstant(terms->second, 1.0))) return;
  Value* product = OnlyUser(sum, "aten::mul");
  if (product == nullptr) return;
  Node* node = product->node();
  Value* half = node->input(0) == sum ? node->input(1) : node->input(0);
  if (OtherFactor(half, 0.5) != x) return;
  const torch::jit::WithInsertPoint insert(node);
  Value* fused =
      graph.insert(Kind("aten::gelu"), {x}, {torch::jit::NamedValue("approximate", std::string("tanh"))});
  fused->setType(product->type());
  product->replaceAllUsesWith(fused);
}

}  // namespace

void FuseTanhGelu(Graph& graph) {
  std::vector<Node*> tangents;
  for (Node* node : graph.nodes()) {
    if (node->kind() == Kind("aten::tanh")) tangents.push_back(node);
  }
  for (Node* tangent : tangents) FuseAround(graph, tangent);
}

}  // namespace causal_tracer
