#include "flat_graph.h"

#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/lower_tuples.h>

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "error.h"
#include "graph_query.h"
#include "site_operator.h"

namespace causal_tracer {
namespace {

using torch::jit::Block;
using torch::jit::Function;
using torch::jit::Graph;
using torch::jit::GraphFunction;
using torch::jit::Node;
using torch::jit::Value;

const c10::Symbol& SiteSymbol() {
  static const c10::Symbol symbol = c10::Symbol::fromQualString(kSiteOperator);
  return symbol;
}

/// Operators whose result is, or may be, their first argument unchanged.
bool PassesInputThrough(const Node* node) {
  static const std::unordered_set<c10::Symbol> kinds = {
      c10::Symbol::fromQualString("aten::to"),         c10::Symbol::fromQualString("aten::dropout"),
      c10::Symbol::fromQualString("aten::contiguous"), c10::Symbol::fromQualString("aten::detach"),
      c10::Symbol::fromQualString("aten::alias"),      SiteSymbol(),
  };
  return kinds.contains(node->kind());
}

/// The value that `value` is, or may be, unchanged.
const Value* Source(const Value* value) {
  while (PassesInputThrough(value->node())) value = value->node()->input(0);
  return value;
}

/// Whether `value` is one of the graph's inputs, or handed through from one.
bool IsInputHandedBack(const Value* value) { return Source(value)->node()->kind() == c10::prim::Param; }

/// The submodule that `self` names, relative to the graph's own module; nullopt where it is no chain of
/// attributes.
std::optional<std::string> AttributePath(const Value* self, const Value* root) {
  std::vector<std::string> names;
  while (self != root) {
    const Node* node = self->node();
    if (node->kind() != c10::prim::GetAttr) return std::nullopt;
    names.push_back(node->s(c10::attr::name));
    self = node->input(0);
  }
  std::string path;
  for (auto name = names.rbegin(); name != names.rend(); ++name) path += (path.empty() ? "" : ".") + *name;
  return path;
}

std::string JoinPath(const std::string& prefix, const std::string& path) {
  if (prefix.empty() || path.empty()) return prefix + path;
  return prefix + "." + path;
}

/// The function that a call node calls; null for every other node.
Function* Callee(const Node* node) {
  if (node->kind() == c10::prim::CallMethod) {
    const auto type = node->input(0)->type()->cast<c10::ClassType>();
    return type == nullptr ? nullptr : type->findMethod(node->s(c10::attr::name));
  }
  if (node->kind() == c10::prim::CallFunction) {
    const auto type = node->input(0)->type()->cast<c10::FunctionType>();
    return type == nullptr ? nullptr : type->function();
  }
  return nullptr;
}

class Flattener {
 public:
  std::vector<Site> sites;

  /// Inlines every call below `block`. `prefix` is the name of the module whose method this is.
  void Flatten(Block* block, const Value* self, const std::string& prefix) {
    for (auto iterator = block->nodes().begin(); iterator != block->nodes().end();) {
      Node* node = *iterator++;
      for (Block* inner : node->blocks()) Flatten(inner, self, prefix);
      if (Function* callee = Callee(node)) InlineCall(node, *callee, self, prefix);
    }
  }

 private:
  void InlineCall(Node* call, Function& callee, const Value* self, const std::string& prefix) {
    GraphFunction* function = torch::jit::tryToGraphFunction(callee);
    if (function == nullptr) {
      throw Error(
          ErrorCode::kModelFileInvalid,
          "The model calls " + callee.name() + ", which has no TorchScript graph. Export the model again.");
    }
    const auto body = function->graph()->copy();
    if (call->kind() == c10::prim::CallFunction) {
      Flatten(body->block(), nullptr, prefix);
      // The first input of CallFunction is the function itself, which the callee's graph does not take.
      call->removeInput(0);
    } else {
      const auto path = AttributePath(call->input(0), self);
      const std::string module = path ? JoinPath(prefix, *path) : prefix;
      Flatten(body->block(), body->inputs().at(0), module);
      // Tuples of inner calls would hide which values are the callee's own inputs.
      torch::jit::LowerSimpleTuples(body);
      if (path && !path->empty()) {
        MarkInput(*body, module);
        MarkOutput(call, *body, module);
      }
    }
    torch::jit::inlineCallTo(call, function, body.get());
  }

  int64_t AddSite(const std::string& module, HookAt at) {
    sites.push_back({.point = {.module = module, .at = at}, .unhookable = ""});
    return static_cast<int64_t>(sites.size()) - 1;
  }

  /// Puts a marker behind each tensor argument in `body`, the flattened body of a call of `module`.
  /// InputChooser chooses among them.
  void MarkInput(Graph& body, const std::string& module) {
    const int64_t site = AddSite(module, HookAt::kInput);
    const auto handed_back = HandedBackElements(body);
    const auto arguments = body.inputs().slice(1);
    Node* first = body.param_node()->next();
    for (Value* argument : arguments) {
      if (!argument->type()->isSubtypeOf(*c10::TensorType::get())) continue;
      Value* marked = InsertMarker(first, argument, site);
      argument->replaceAllUsesAfterNodeWith(marked->node(), marked);
    }
    Node* tuple = body.outputs().at(0)->node();
    for (const auto& [element, argument] : handed_back) {
      tuple->replaceInput(element, body.inputs().at(argument));
    }
  }

  /// Elements of the body's result tuple that are one of its arguments, and which, beside the element that
  /// counts as the output.
  static std::vector<std::pair<size_t, size_t>> HandedBackElements(const Graph& body) {
    const Node* tuple = body.outputs().at(0)->node();
    if (tuple->kind() != c10::prim::TupleConstruct) return {};
    const auto chosen = OutputElement(body, body.outputs().at(0)->type()->expectRef<c10::TupleType>());
    std::vector<std::pair<size_t, size_t>> elements;
    for (size_t i = 0; i < tuple->inputs().size(); ++i) {
      if (i == chosen || !IsInputHandedBack(tuple->input(i))) continue;
      elements.emplace_back(i, Source(tuple->input(i))->offset());
    }
    return elements;
  }

  /// Puts a marker behind `call`, a call of `module` whose flattened body is `body`.
  void MarkOutput(Node* call, const Graph& body, const std::string& module) {
    const int64_t site = AddSite(module, HookAt::kOutput);
    Value* output = call->output();
    if (output->type()->isSubtypeOf(*c10::TensorType::get())) {
      ReplaceUsesAfter(call, output, InsertMarker(call->next(), output, site));
      return;
    }
    if (output->type()->kind() != c10::TypeKind::TupleType) {
      sites.back().unhookable = output->type()->kind() == c10::TypeKind::NoneType
                                    ? "nothing uses its output, so tracing dropped it"
                                    : "its output is of type " + output->type()->str() + ", not a tensor";
      return;
    }
    MarkTupleElement(call, body, site);
  }

  void MarkTupleElement(Node* call, const Graph& body, int64_t site) {
    Graph& graph = *call->owningGraph();
    Value* output = call->output();
    const auto chosen = OutputElement(body, output->type()->expectRef<c10::TupleType>());
    if (!chosen) {
      sites[static_cast<size_t>(site)].unhookable = "its output is a tuple without a tensor of its own";
      return;
    }
    Node* unpack = graph.createTupleUnpack(output)->insertAfter(call);
    std::vector<Value*> elements(unpack->outputs().begin(), unpack->outputs().end());
    elements[*chosen] = InsertMarker(unpack->next(), elements[*chosen], site);
    Node* repacked = graph.createTuple(elements)->insertAfter(elements[*chosen]->node());
    repacked->output()->setType(output->type());
    ReplaceUsesAfter(repacked, output, repacked->output());
  }

  static std::optional<size_t> OutputElement(const Graph& body, const c10::TupleType& type) {
    const Node* tuple = body.outputs().at(0)->node();
    std::optional<size_t> first_tensor;
    for (size_t i = 0; i < type.elements().size(); ++i) {
      if (!type.elements()[i]->isSubtypeOf(*c10::TensorType::get())) continue;
      if (!first_tensor) first_tensor = i;
      if (tuple->kind() != c10::prim::TupleConstruct || !IsInputHandedBack(tuple->input(i))) return i;
    }
    return first_tensor;
  }

  static Value* InsertMarker(Node* before, Value* tensor, int64_t site) {
    Graph& graph = *before->owningGraph();
    const torch::jit::WithInsertPoint insert(before);
    Value* id = graph.insertConstant(site);
    Node* marker = graph.insertNode(graph.create(SiteSymbol(), {tensor, id}));
    marker->output()->setType(c10::TensorType::get());
    return marker->output();
  }

  static void ReplaceUsesAfter(Node* call, Value* from, Value* to) {
    Node* after = to->node()->kind() == SiteSymbol() ? to->node() : call;
    from->replaceAllUsesAfterNodeWith(after, to);
  }
};

/// Replaces the attributes that are read from `module` by constants and drops the graph's input for it.
void BindAttributes(Graph& graph, const torch::jit::Module& module) {
  std::unordered_map<const Value*, c10::IValue> objects = {{graph.inputs().at(0), module._ivalue()}};
  const auto bind = [&](auto&& self, Block* block) -> void {
    for (auto iterator = block->nodes().begin(); iterator != block->nodes().end();) {
      Node* node = *iterator++;
      for (Block* inner : node->blocks()) self(self, inner);
      if (node->kind() != c10::prim::GetAttr) continue;
      const c10::IValue attribute = objects.at(node->input()).toObjectRef().getAttr(node->s(c10::attr::name));
      if (attribute.isObject()) {
        objects.emplace(node->output(), attribute);
        continue;
      }
      const torch::jit::WithInsertPoint insert(node);
      Value* constant =
          graph.insertConstant(attribute.isTensor() ? c10::IValue(attribute.toTensor().detach()) : attribute);
      node->output()->replaceAllUsesWith(constant);
    }
  };
  bind(bind, graph.block());
  torch::jit::EliminateDeadCode(graph.block());
  graph.eraseInput(0);
}

/// Of the markers behind a call's arguments keeps the first one that is not behind a parameter: tracing hands
/// tied weights to modules as arguments.
class InputChooser {
 public:
  explicit InputChooser(std::vector<Site>& sites) : sites_(sites), chosen_(sites.size()) {}

  void Choose(Block* block) {
    for (auto iterator = block->nodes().begin(); iterator != block->nodes().end();) {
      Node* node = *iterator++;
      for (Block* inner : node->blocks()) Choose(inner);
      if (node->kind() != SiteSymbol()) continue;
      const auto site = static_cast<size_t>(ConstantInteger(node->input(1)));
      if (sites_[site].point.at != HookAt::kInput) continue;
      const bool is_parameter = node->input(0)->node()->kind() == c10::prim::Constant;
      if (!is_parameter && !chosen_[site]) {
        chosen_[site] = true;
        continue;
      }
      node->output()->replaceAllUsesWith(node->input(0));
      node->destroy();
    }
  }

  void ExplainMissing() {
    for (size_t site = 0; site < sites_.size(); ++site) {
      if (sites_[site].point.at != HookAt::kInput || chosen_[site]) continue;
      sites_[site].unhookable = "it takes no tensor but parameters";
    }
  }

 private:
  std::vector<Site>& sites_;
  std::vector<bool> chosen_;
};

}  // namespace

FlatGraph FlattenWithSites(const torch::jit::Module& module) {
  FlatGraph flat;
  flat.graph = module.get_method("forward").graph()->copy();
  Flattener flattener;
  flattener.Flatten(flat.graph->block(), flat.graph->inputs().at(0), "");
  flat.sites = std::move(flattener.sites);
  torch::jit::LowerSimpleTuples(flat.graph);
  torch::jit::EliminateDeadCode(flat.graph);
  BindAttributes(*flat.graph, module);
  InputChooser chooser(flat.sites);
  chooser.Choose(flat.graph->block());
  chooser.ExplainMissing();
  flat.graph->lint();
  return flat;
}

std::shared_ptr<torch::jit::Graph> KeepSites(const FlatGraph& flat, const std::vector<int64_t>& sites) {
  auto graph = flat.graph->copy();
  const auto remove = [&sites](auto&& self, Block* block) -> void {
    for (auto iterator = block->nodes().begin(); iterator != block->nodes().end();) {
      Node* node = *iterator++;
      for (Block* inner : node->blocks()) self(self, inner);
      if (node->kind() != SiteSymbol()) continue;
      const auto id = torch::jit::constant_as<int64_t>(node->input(1));
      if (id && std::ranges::find(sites, *id) != sites.end()) continue;
      node->output()->replaceAllUsesWith(node->input(0));
      node->destroy();
    }
  };
  remove(remove, graph->block());
  torch::jit::EliminateDeadCode(graph);
  graph->lint();
  return graph;
}

}  // namespace causal_tracer
