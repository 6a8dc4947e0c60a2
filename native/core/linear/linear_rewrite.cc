#include "linear_rewrite.h"

#include <ATen/Parallel.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "../graph_query.h"
#include "gelu_pattern.h"

namespace causal_tracer {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

/// A product with constant weights as it stands in the graph.
struct Product {
  Value* x = nullptr;
  /// `[out, in]`
  at::Tensor weight;
  at::Tensor bias;
};

bool IsOne(Value* value) {
  const auto constant = torch::jit::toIValue(value);
  return constant && ((constant->isInt() && constant->toInt() == 1) ||
                      (constant->isDouble() && constant->toDouble() == 1.0));
}

/// A weight is a constant float32 matrix on the CPU; undefined for everything else.
at::Tensor WeightOf(Value* value) {
  const auto constant = torch::jit::toIValue(value);
  if (!constant || !constant->isTensor()) return {};
  at::Tensor weight = constant->toTensor();
  const bool fits = weight.dim() == 2 && weight.scalar_type() == at::kFloat && weight.device().is_cpu();
  return fits ? weight : at::Tensor();
}

/// A bias is a constant vector or None; nullopt for everything else.
std::optional<at::Tensor> BiasOf(Value* value) {
  const auto constant = torch::jit::toIValue(value);
  if (!constant) return std::nullopt;
  if (constant->isNone()) return at::Tensor();
  if (!constant->isTensor() || constant->toTensor().dim() != 1) return std::nullopt;
  return constant->toTensor();
}

std::optional<Product> ReadProduct(Node* node) {
  if (node->kind() == Kind("aten::linear")) {
    const at::Tensor weight = WeightOf(node->input(1));
    const auto bias = BiasOf(node->input(2));
    if (!weight.defined() || !bias) return std::nullopt;
    return Product{.x = node->input(0), .weight = weight, .bias = *bias};
  }
  if (node->kind() == Kind("aten::addmm")) {
    const at::Tensor weight = WeightOf(node->input(2));
    const auto bias = BiasOf(node->input(0));
    if (!weight.defined() || !bias || !bias->defined()) return std::nullopt;
    if (!IsOne(node->input(3)) || !IsOne(node->input(4))) return std::nullopt;
    return Product{.x = node->input(1), .weight = weight.t(), .bias = *bias};
  }
  return std::nullopt;
}

std::optional<Activation> ReadActivation(Node* node) {
  if (node->kind() == Kind("aten::silu")) return Activation::kSilu;
  if (node->kind() == Kind("aten::relu")) return Activation::kRelu;
  if (node->kind() != Kind("aten::gelu")) return std::nullopt;
  const auto approximate = torch::jit::toIValue(node->input(1));
  if (!approximate || !approximate->isString()) return std::nullopt;
  return approximate->toStringRef() == "tanh" ? Activation::kGeluTanh : Activation::kGelu;
}

/// The linear node whose product reaches `value` unchanged but for its shape, each step with a single use.
Node* OnlySource(Value* value) {
  while (value->uses().size() == 1) {
    Node* node = value->node();
    if (node->kind() == Kind(kLinearOperator)) return node;
    if (node->kind() != Kind("aten::view") && node->kind() != Kind("aten::reshape")) return nullptr;
    value = node->input(0);
  }
  return nullptr;
}

void ReplaceProducts(Graph& graph, LinearLayers& layers) {
  const std::vector<Node*> nodes(graph.nodes().begin(), graph.nodes().end());
  for (Node* node : nodes) {
    const auto product = ReadProduct(node);
    if (!product) continue;
    const int64_t number = layers.Add(std::make_unique<LinearLayer>(product->weight, product->bias));
    const torch::jit::WithInsertPoint insert(node);
    Value* id = graph.insertConstant(number);
    Value* none = graph.insertConstant(static_cast<int64_t>(Activation::kNone));
    Node* linear = graph.insertNode(graph.create(Kind(kLinearOperator), {product->x, id, none}));
    linear->output()->setType(node->output()->type());
    node->output()->replaceAllUsesWith(linear->output());
  }
}

void TakeActivationsIn(Graph& graph) {
  for (Node* node : graph.nodes()) {
    const auto activation = ReadActivation(node);
    if (!activation) continue;
    Node* linear = OnlySource(node->input(0));
    if (linear == nullptr) continue;
    const auto present = torch::jit::constant_as<int64_t>(linear->input(2));
    if (present != static_cast<int64_t>(Activation::kNone)) continue;
    const torch::jit::WithInsertPoint insert(linear);
    linear->replaceInput(2, graph.insertConstant(static_cast<int64_t>(*activation)));
    node->output()->replaceAllUsesWith(node->input(0));
  }
}

/// Rows to measure with: a usual chunk, fewer where the product is so large that measuring would take long.
int64_t RowsToMeasure(const LinearLayer& layer) {
  constexpr int64_t kMultiplications = 150'000'000;
  return std::clamp<int64_t>(kMultiplications / (layer.in() * layer.out()), 16, 256);
}

/// Whether the prepacked kernel is the faster one for layers of this shape; measured once a process.
bool PrefersPacking(const LinearLayer& layer) {
  static std::mutex mutex;
  static std::map<std::tuple<int64_t, int64_t, int>, bool> measured;
  const std::scoped_lock lock(mutex);
  const auto key = std::tuple{layer.in(), layer.out(), at::get_num_threads()};
  if (const auto found = measured.find(key); found != measured.end()) return found->second;
  const int64_t rows = RowsToMeasure(layer);
  const bool packed = layer.MeasureSeconds(LinearKernel::kPrepacked, rows) <
                      layer.MeasureSeconds(LinearKernel::kDefault, rows);
  return measured.emplace(key, packed).first->second;
}

}  // namespace

void UseLinearLayers(Graph& graph, LinearLayers& layers) {
  ReplaceProducts(graph, layers);
  torch::jit::EliminateDeadCode(graph.block());
}

void FuseActivations(Graph& graph) {
  FuseTanhGelu(graph);
  torch::jit::EliminateDeadCode(graph.block());
  TakeActivationsIn(graph);
  torch::jit::EliminateDeadCode(graph.block());
}

void StandInForLinearLayers(Graph& graph) {
  const std::vector<Node*> nodes(graph.nodes().begin(), graph.nodes().end());
  for (Node* node : nodes) {
    if (!IsKind(node, kLinearOperator)) continue;
    const torch::jit::WithInsertPoint insert(node);
    Node* stand_in = graph.insertNode(graph.create(Kind(kLinearStandIn), {node->input(0), node->input(1)}));
    stand_in->output()->setType(node->output()->type());
    node->output()->replaceAllUsesWith(stand_in->output());
    node->destroy();
  }
}

void ChooseKernels(const LinearLayers& layers, KernelChoice choice) {
  if (choice == KernelChoice::kDefault) return;
  for (const int64_t number : layers.numbers()) {
    LinearLayer& layer = LinearLayers::Get(number);
    if (layer.CanPack() && PrefersPacking(layer)) layer.Pack(RowsToMeasure(layer));
  }
}

}  // namespace causal_tracer
