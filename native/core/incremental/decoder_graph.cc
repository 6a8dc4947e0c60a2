#include "decoder_graph.h"

#include <ATen/ops/zeros.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include <algorithm>
#include <set>
#include <utility>

#include "../attention/attention_operator.h"
#include "../attention/attention_rewrite.h"
#include "../graph_query.h"
#include "../linear/linear_rewrite.h"
#include "../site_operator.h"

namespace causal_tracer {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

/// Dropout does nothing in evaluation.
void RemoveDropouts(Graph& graph) {
  for (auto iterator = graph.nodes().begin(); iterator != graph.nodes().end();) {
    Node* node = *iterator++;
    if (node->kind() != Kind("aten::dropout")) continue;
    const auto training = torch::jit::constant_as<bool>(node->input(2));
    if (training != false) continue;
    node->output()->replaceAllUsesWith(node->input(0));
    node->destroy();
  }
}

void RequireStraightLine(Graph& graph) {
  for (const Node* node : graph.nodes()) {
    if (!node->blocks().empty()) {
      throw UnsupportedGraph(std::string("its graph has branches or loops (") + node->kind().toQualString() +
                             ")");
    }
  }
}

/// Gives every use of a list its own copy of the node that makes it, so that a list of sizes belongs to the
/// operator it is for.
void SplitLists(Graph& graph) {
  const std::vector<Node*> nodes(graph.nodes().begin(), graph.nodes().end());
  for (Node* node : nodes) {
    if (node->kind() != c10::prim::ListConstruct) continue;
    const auto uses = node->output()->uses();
    for (size_t i = 1; i < uses.size(); ++i) {
      const torch::jit::WithInsertPoint insert(node);
      Node* copy = graph.insertNode(graph.createClone(node, [](Value* value) { return value; }));
      uses[i].user->replaceInput(uses[i].offset, copy->output());
    }
  }
}

class Preparation {
 public:
  Preparation(const TracedModel& model, const std::string& embedding, const std::vector<std::string>& layers)
      : model_(model) {
    std::set<std::string> hooked(layers.begin(), layers.end());
    hooked.insert(embedding);
    result_.graph = model.GraphWithSites({hooked.begin(), hooked.end()});
    FindSites(embedding);
  }

  DecoderGraph Run() {
    Graph& graph = *result_.graph;
    RequireStraightLine(graph);
    RemoveDropouts(graph);
    FuseActivations(graph);
    UseAttentionOperators(graph);
    SplitLists(graph);
    InsertSizes(graph);
    FindDependence();
    Probe();
    ReplaceScalars(graph);
    torch::jit::EliminateDeadCode(graph.block());
    graph.lint();
    FindDependence();
    return std::move(result_);
  }

 private:
  void FindSites(const std::string& embedding) {
    for (Node* node : result_.graph->nodes()) {
      if (node->kind() != Kind(kSiteOperator)) continue;
      const auto site = torch::jit::constant_as<int64_t>(node->input(1));
      if (!site) continue;
      const std::string& module = model_.sites().at(static_cast<size_t>(*site)).point.module;
      const bool first = module == embedding ? std::exchange(result_.embedding, node) == nullptr
                                             : result_.sites.emplace(module, node).second;
      if (!first) throw UnsupportedGraph("the module " + module + " is called more than once");
    }
    if (result_.embedding == nullptr) throw UnsupportedGraph("the embedding is not called");
  }

  /// The sizes of the input as values of the graph, before everything else.
  void InsertSizes(Graph& graph) {
    const torch::jit::WithInsertPoint insert(*graph.nodes().begin());
    Value* ids = graph.inputs().at(model_.input_ids_index());
    const auto size = [&](int64_t axis) { return graph.insert(Kind("aten::size"), {ids, axis}); };
    result_.batch = size(0);
    result_.length = size(1);
    result_.batch_length = graph.insert(Kind("aten::mul"), {result_.batch, result_.length});
  }

  void FindDependence() {
    result_.dependence.clear();
    for (const Node* node : result_.graph->nodes()) {
      Dependence dependence = Dependence::kInput;
      for (const Value* input : node->inputs()) {
        const Dependence of_input = result_.DependenceOf(input);
        // A number taken from a hidden state is its size, dtype or device; reading its values would need
        // aten::item, which straight-line decoders do not have.
        const bool only_shape = IsTensor(input) && !IsTensor(node->outputs().at(0)) && IsShapeQuery(node);
        dependence = std::max(dependence, only_shape ? std::min(of_input, Dependence::kShape) : of_input);
      }
      if (node == result_.embedding) dependence = Dependence::kHidden;
      for (const Value* output : node->outputs()) result_.dependence[output] = dependence;
    }
  }

  static bool IsShapeQuery(const Node* node) {
    static const std::set<c10::Symbol> kinds = {Kind("aten::size"),   Kind("aten::dim"),
                                                Kind("aten::numel"),  Kind("prim::dtype"),
                                                Kind("prim::device"), Kind("aten::len")};
    return kinds.contains(node->kind());
  }

  void Probe() {
    result_.probed = ProbeValues(*result_.graph, [this](int64_t batch, int64_t length) {
      return model_.MakeInputs(at::zeros({batch, length}, at::kLong));
    });
  }

  /// Numbers that reach hidden states, or tensors made from their shapes, are replaced by what they count. A
  /// number that counts something else stays: StageGraph allows it inside one piece.
  void ReplaceScalars(Graph& graph) {
    const std::vector<Node*> nodes(graph.nodes().begin(), graph.nodes().end());
    for (Node* node : nodes) {
      if (!MakesTensor(node) || result_.DependenceOf(node->output(0)) == Dependence::kInput) continue;
      for (size_t i = 0; i < node->inputs().size(); ++i) {
        Node* source = node->input(i)->node();
        if (source->kind() != c10::prim::ListConstruct) {
          ReplaceScalar(graph, node, i);
          continue;
        }
        for (size_t k = 0; k < source->inputs().size(); ++k) ReplaceScalar(graph, source, k);
      }
    }
  }

  bool MakesTensor(const Node* node) const {
    if (node->outputs().empty() || node->kind() == c10::prim::ListConstruct) return false;
    const auto found = result_.probed.find(node->output(0));
    return found == result_.probed.end() ? IsTensorList(node->output(0)) : !found->second.IsScalar();
  }

  static bool IsTensorList(const Value* value) {
    return value->type()->isSubtypeOf(*c10::ListType::ofTensors());
  }

  void ReplaceScalar(Graph& graph, Node* holder, size_t index) {
    const auto found = result_.probed.find(holder->input(index));
    if (found == result_.probed.end() || found->second.is_tensor) return;
    const auto replacement = [&]() -> Value* {
      switch (found->second.extent) {
        case Extent::kBatch:
          return result_.batch;
        case Extent::kPosition:
          return result_.length;
        case Extent::kBatchPosition:
          return result_.batch_length;
        case Extent::kConstant: {
          const torch::jit::WithInsertPoint insert(holder);
          return graph.insertConstant(found->second.scalar);
        }
        case Extent::kUnknown:
          break;
      }
      return nullptr;
    };
    if (Value* value = replacement()) holder->replaceInput(index, value);
  }

  const TracedModel& model_;
  DecoderGraph result_;
};

}  // namespace

Dependence DecoderGraph::DependenceOf(const Value* value) const {
  const auto found = dependence.find(value);
  return found == dependence.end() ? Dependence::kInput : found->second;
}

DecoderGraph PrepareDecoderGraph(const TracedModel& model, const std::string& embedding,
                                 const std::vector<std::string>& layers) {
  return Preparation(model, embedding, layers).Run();
}

}  // namespace causal_tracer
