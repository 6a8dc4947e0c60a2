#include "stage_graph.h"

#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include <algorithm>
#include <functional>
#include <set>
#include <unordered_map>
#include <utility>

#include "../attention/attention_operator.h"
#include "../graph_query.h"
#include "../site_operator.h"

namespace causal_tracer {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

/// A stage's piece with everything it can make.
struct StageGraph::WholePiece {
  std::shared_ptr<Graph> graph = std::make_shared<Graph>();
  std::vector<Piece::Input> inputs;
  std::vector<size_t> outputs;
};

namespace {

std::string Describe(const Value* value) {
  return std::string("a result of ") + value->node()->kind().toQualString();
}

Value* Argument(const Node* attention, AttentionArgument argument) {
  return const_cast<Node*>(attention)->input(static_cast<size_t>(argument));
}

}  // namespace

at::Tensor HiddenValue::ToGraph(const at::Tensor& tokens) const {
  if (batch_axis == position_axis) return tokens.movedim(0, batch_axis);
  return tokens.unsqueeze(0).movedim({0, 1}, {batch_axis, position_axis});
}

at::Tensor HiddenValue::FromGraph(const at::Tensor& tensor) const {
  const at::Tensor tokens = batch_axis == position_axis
                                ? tensor.movedim(batch_axis, 0)
                                : tensor.movedim({batch_axis, position_axis}, {0, 1}).flatten(0, 1);
  return tokens.flatten(1).contiguous();
}

class StageGraph::Builder {
 public:
  Builder(const DecoderGraph& decoder, const std::vector<std::string>& layers, Grain grain,
          StageGraph& result)
      : decoder_(decoder), grain_(grain), result_(result) {
    for (size_t layer = 0; layer < layers.size(); ++layer) {
      const auto site = decoder.sites.find(layers[layer]);
      if (site == decoder.sites.end())
        throw UnsupportedGraph("the module " + layers[layer] + " is not called");
      layer_of_[site->second] = static_cast<int64_t>(layer);
    }
  }

  void Build() {
    result_.graph_ = decoder_.graph;
    FindStages();
    BuildPieces();
    CompileContext();
    FindOutgoing();
  }

 private:
  bool IsHidden(const Value* value) const { return decoder_.DependenceOf(value) == Dependence::kHidden; }

  std::optional<Cut> CutAt(Node* node) const {
    if (node == decoder_.embedding) return Cut{.kind = Cut::Kind::kEmbedding};
    if (grain_ == Grain::kTokens && node->kind() == Kind(kAttentionOperator)) {
      return Cut{.kind = Cut::Kind::kAttention};
    }
    const auto layer = layer_of_.find(node);
    if (layer == layer_of_.end()) return std::nullopt;
    return Cut{.kind = Cut::Kind::kSite, .layer = layer->second};
  }

  /// A node's stage is the latest of its inputs'; a cut opens a new one.
  void FindStages() {
    for (Node* node : decoder_.graph->nodes()) {
      int64_t stage = -1;
      for (const Value* input : node->inputs()) stage = std::max(stage, StageOf(input));
      if (const auto cut = CutAt(node)) {
        if (cut->kind != Cut::Kind::kEmbedding && stage < 0) {
          throw UnsupportedGraph("an attention or a layer does not depend on the embedding");
        }
        stage = static_cast<int64_t>(cuts_.size());
        cuts_.push_back(node);
        result_.stages_.push_back({.cut = *cut});
      }
      for (const Value* output : node->outputs()) stage_of_[output] = stage;
    }
    if (cuts_.empty() || cuts_[0] != decoder_.embedding) {
      throw UnsupportedGraph("an attention or a layer comes before the embedding");
    }
    if (decoder_.graph->outputs().size() != 1 || !IsHidden(decoder_.graph->outputs()[0])) {
      throw UnsupportedGraph("it has other outputs than logits");
    }
  }

  int64_t StageOf(const Value* value) const {
    const auto found = stage_of_.find(value);
    return found == stage_of_.end() ? -1 : found->second;
  }

  /// Numbers a value that crosses a cut and notes that `stage` needs it.
  size_t NumberHidden(const Value* value, size_t stage) {
    const auto [found, added] = number_of_.emplace(value, result_.hidden_.size());
    if (added) {
      result_.hidden_.push_back(DescribeHidden(value));
      last_use_.push_back(0);
    }
    last_use_[found->second] = std::max(last_use_[found->second], stage);
    return found->second;
  }

  HiddenValue DescribeHidden(const Value* value) const {
    const auto probed = decoder_.probed.find(value);
    if (probed == decoder_.probed.end() || !probed->second.is_tensor) {
      throw UnsupportedGraph(Describe(value) + " crosses an attention or a layer, but is no tensor");
    }
    const ProbedValue& shape = probed->second;
    const auto merged = shape.AxisOf(Extent::kBatchPosition);
    const auto batch = merged ? merged : shape.AxisOf(Extent::kBatch);
    const auto position = merged ? merged : shape.AxisOf(Extent::kPosition);
    const auto varying = static_cast<int64_t>(shape.axes.size()) - shape.CountAxes(Extent::kConstant);
    const bool is_per_token = batch && position && varying == (merged ? 1 : 2);
    const bool is_per_row = batch && shape.CountAxes(Extent::kUnknown) == 0;
    const bool fits = grain_ == Grain::kTokens ? is_per_token : is_per_row;
    if (!batch || !fits) {
      throw UnsupportedGraph(Describe(value) + " crosses an attention or a layer, but is not one vector a " +
                             (grain_ == Grain::kTokens ? "token" : "row"));
    }
    HiddenValue hidden{.value = value, .batch_axis = *batch, .position_axis = position.value_or(-1)};
    if (grain_ == Grain::kRows) return hidden;
    for (int64_t axis = 0; axis < static_cast<int64_t>(shape.axes.size()); ++axis) {
      if (axis != hidden.batch_axis && axis != hidden.position_axis) {
        hidden.token_sizes.push_back(shape.sizes[static_cast<size_t>(axis)]);
      }
    }
    return hidden;
  }

  size_t NumberContext(const Value* value) {
    const auto [found, added] = context_number_of_.emplace(value, result_.context_.size());
    if (added) {
      const auto probed = decoder_.probed.find(value);
      if (probed == decoder_.probed.end() || !probed->second.is_tensor) {
        throw UnsupportedGraph(Describe(value) + " depends on the input in an unknown way");
      }
      result_.context_.push_back({.value = value, .position_axis = probed->second.AxisOf(Extent::kPosition)});
    }
    return found->second;
  }

  void BuildPieces() {
    result_.whole_.resize(cuts_.size());
    for (size_t stage = 0; stage < cuts_.size(); ++stage) {
      ReadCut(stage);
      BuildPiece(stage);
    }
  }

  void ReadCut(size_t stage) {
    Stage& described = result_.stages_[stage];
    Node* node = cuts_[stage];
    if (described.cut.kind == Cut::Kind::kAttention) {
      described.attention = ReadAttention(node, stage);
    } else if (described.cut.kind == Cut::Kind::kSite) {
      described.cut.input = NumberHidden(node->input(0), stage);
    }
    described.cut.output = NumberHidden(node->output(), stage);
  }

  AttentionCut ReadAttention(const Node* node, size_t stage) {
    using enum AttentionArgument;
    AttentionCut attention{.query = NumberHidden(Argument(node, kQuery), stage),
                           .key = NumberHidden(Argument(node, kKey), stage),
                           .value = NumberHidden(Argument(node, kValue), stage)};
    for (const size_t number : {attention.query, attention.key, attention.value}) {
      if (result_.hidden_[number].token_sizes.size() != 2) {
        throw UnsupportedGraph("an attention's heads are not an axis of their own");
      }
    }
    const auto mask = torch::jit::toIValue(Argument(node, kMask));
    if (!mask) {
      if (decoder_.DependenceOf(Argument(node, kMask)) != Dependence::kInput) {
        throw UnsupportedGraph("an attention mask depends on hidden states");
      }
      attention.mask = NumberContext(Argument(node, kMask));
    } else if (mask->isTensor() || !torch::jit::constant_as<bool>(Argument(node, kCausal)).value_or(false)) {
      throw UnsupportedGraph("an attention has no causal mask");
    }
    const auto scale = torch::jit::toIValue(Argument(node, kScale));
    if (scale && !scale->isNone()) attention.scale = scale->toDouble();
    attention.softcap = torch::jit::constant_as<double>(Argument(node, kSoftcap)).value_or(0.0);
    return attention;
  }

  void BuildPiece(size_t stage) {
    values_.clear();
    WholePiece& piece = result_.whole_[stage];
    for (Node* node : decoder_.graph->nodes()) {
      const bool belongs = !node->outputs().empty() && IsHidden(node->output(0)) &&
                           StageOf(node->output(0)) == static_cast<int64_t>(stage) && node != cuts_[stage];
      if (belongs) Clone(node, stage, piece);
    }
  }

  Value* Clone(Node* node, size_t stage, WholePiece& piece) {
    if (node->kind() == Kind(kSiteOperator))
      return values_[node->output()] = Map(node->input(0), stage, piece);
    Node* copy = piece.graph->createClone(node, [&](Value* input) { return Map(input, stage, piece); });
    piece.graph->appendNode(copy);
    for (size_t i = 0; i < node->outputs().size(); ++i) values_[node->output(i)] = copy->output(i);
    return copy->output(0);
  }

  /// The value of the piece that stands for `value` of the whole graph.
  Value* Map(Value* value, size_t stage, WholePiece& piece) {
    if (const auto found = values_.find(value); found != values_.end()) return found->second;
    Node* node = value->node();
    if (node->kind() == c10::prim::Constant) return Clone(node, stage, piece);
    if (value == decoder_.batch) return AddInput(value, {Piece::Source::kRowCount, 0}, piece);
    if (value == decoder_.batch_length || (grain_ == Grain::kTokens && value == decoder_.length)) {
      return AddInput(value, {Piece::Source::kTokenCount, 0}, piece);
    }
    if (value == decoder_.length) return AddInput(value, {Piece::Source::kPositionCount, 0}, piece);
    if (IsHidden(value)) return AddInput(value, {Piece::Source::kHidden, NumberHidden(value, stage)}, piece);
    if (node->kind() == c10::prim::ListConstruct || decoder_.DependenceOf(value) == Dependence::kShape) {
      Clone(node, stage, piece);
      return values_.at(value);
    }
    if (grain_ == Grain::kTokens) RequirePerToken(value);
    return AddInput(value, {Piece::Source::kContext, NumberContext(value)}, piece);
  }

  /// A context value that a token-wise operator uses must have a row for each position, or be the same for
  /// all.
  void RequirePerToken(const Value* value) const {
    const auto probed = decoder_.probed.find(value);
    const bool fits = probed != decoder_.probed.end() && probed->second.is_tensor &&
                      probed->second.CountAxes(Extent::kPosition) <= 1 &&
                      probed->second.CountAxes(Extent::kUnknown) == 0 &&
                      probed->second.CountAxes(Extent::kBatchPosition) == 0;
    if (!fits) throw UnsupportedGraph(Describe(value) + " is not one vector a position");
  }

  Value* AddInput(Value* value, Piece::Input input, WholePiece& piece) {
    Value* added = piece.graph->addInput();
    added->setType(value->type());
    piece.inputs.push_back(input);
    return values_[value] = added;
  }

  void CompileContext() {
    auto graph = decoder_.graph->copy();
    const std::vector<Node*> originals(decoder_.graph->nodes().begin(), decoder_.graph->nodes().end());
    const std::vector<Node*> copies(graph->nodes().begin(), graph->nodes().end());
    std::unordered_map<const Node*, Node*> copy_of;
    for (size_t i = 0; i < originals.size(); ++i) copy_of[originals[i]] = copies[i];
    graph->eraseOutput(0);
    graph->registerOutput(copy_of.at(decoder_.embedding)->input(0));
    for (const ContextValue& context : result_.context_) {
      if (context.value->node()->kind() == c10::prim::Param) {
        graph->registerOutput(graph->inputs().at(context.value->offset()));
      } else {
        graph->registerOutput(copy_of.at(context.value->node())->output(context.value->offset()));
      }
    }
    torch::jit::EliminateDeadCode(graph->block());
    graph->lint();
    result_.context_program_ = std::make_unique<Program>(graph);
  }

  /// A value goes out of every stage from the one that makes it to the one before its last use.
  void FindOutgoing() {
    const size_t last = cuts_.size() - 1;
    for (size_t number = 0; number < result_.hidden_.size(); ++number) {
      const Value* value = result_.hidden_[number].value;
      const auto made = static_cast<size_t>(StageOf(value));
      for (size_t stage = made; stage < last_use_[number]; ++stage) {
        result_.stages_[stage].outgoing.push_back(number);
      }
      if (made < last_use_[number] && value != cuts_[made]->output()) {
        result_.stages_[made].made.push_back(number);
      }
    }
    for (size_t stage = 0; stage <= last; ++stage) RebuildWithOutputs(stage, stage == last);
  }

  /// What a piece has to make is known only once all of them have said what they use.
  void RebuildWithOutputs(size_t stage, bool last) {
    if (result_.stages_[stage].outgoing.size() > 64) {
      throw UnsupportedGraph("too many values cross an attention or a layer");
    }
    WholePiece& piece = result_.whole_[stage];
    piece = WholePiece();
    BuildPiece(stage);
    for (const size_t number : result_.stages_[stage].made) {
      piece.graph->registerOutput(values_.at(result_.hidden_[number].value));
      piece.outputs.push_back(number);
    }
    if (last) piece.graph->registerOutput(Map(decoder_.graph->outputs()[0], stage, piece));
    piece.graph->lint();
  }

  const DecoderGraph& decoder_;
  Grain grain_;
  StageGraph& result_;
  std::unordered_map<const Node*, int64_t> layer_of_;
  std::vector<Node*> cuts_;
  std::unordered_map<const Value*, int64_t> stage_of_;
  std::unordered_map<const Value*, size_t> number_of_;
  std::unordered_map<const Value*, size_t> context_number_of_;
  std::vector<size_t> last_use_;
  /// Values of the whole graph to those of the piece being built.
  std::unordered_map<const Value*, Value*> values_;
};

StageGraph::StageGraph(const DecoderGraph& graph, const std::vector<std::string>& layers, Grain grain) {
  Builder(graph, layers, grain, *this).Build();
}

StageGraph::~StageGraph() = default;

const Piece& StageGraph::PieceFor(size_t stage, ValueSet wanted) const {
  const auto key = std::pair{stage, wanted};
  if (const auto found = pieces_.find(key); found != pieces_.end()) return found->second;
  const WholePiece& whole = whole_[stage];
  const auto& outgoing = stages_[stage].outgoing;
  const auto graph = whole.graph->copy();
  Piece piece;
  for (size_t i = whole.outputs.size(); i-- > 0;) {
    const auto place = static_cast<size_t>(std::ranges::find(outgoing, whole.outputs[i]) - outgoing.begin());
    if ((wanted >> place & 1U) == 0) {
      graph->eraseOutput(i);
    } else {
      piece.outputs.insert(piece.outputs.begin(), whole.outputs[i]);
    }
  }
  torch::jit::EliminateDeadCode(graph->block());
  piece.inputs = whole.inputs;
  for (size_t i = whole.inputs.size(); i-- > 0;) {
    if (graph->inputs()[i]->hasUses()) continue;
    graph->eraseInput(i);
    piece.inputs.erase(piece.inputs.begin() + static_cast<std::ptrdiff_t>(i));
  }
  piece.program = std::make_unique<Program>(graph);
  return pieces_.emplace(key, std::move(piece)).first->second;
}

std::vector<c10::IValue> StageGraph::RunContext(std::vector<c10::IValue> inputs) const {
  return context_program_->Run(std::move(inputs));
}

}  // namespace causal_tracer
