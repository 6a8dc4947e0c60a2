#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/ir/ir.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../program.h"
#include "decoder_graph.h"

namespace causal_tracer {

/// What a piece runs on.
enum class Grain {
  /// Single tokens from anywhere, side by side in one row; cut at every attention, too.
  kTokens,
  /// Whole rows.
  kRows,
};

/// A set of values by their place in a stage's `outgoing`.
using ValueSet = uint64_t;

/// A value that crosses a cut.
struct HiddenValue {
  const torch::jit::Value* value = nullptr;
  /// Where row and position stand in the tensor of the graph; both are the same where the two axes are
  /// merged.
  int64_t batch_axis = 0;
  int64_t position_axis = 0;
  /// For single tokens: the other sizes, in order.
  std::vector<int64_t> token_sizes = {};

  /// `tokens` is `[token, ...token_sizes]`; the result has the shape of the graph, with a batch of one.
  at::Tensor ToGraph(const at::Tensor& tokens) const;
  /// The reverse of ToGraph; contiguous `[token, width]`.
  at::Tensor FromGraph(const at::Tensor& tensor) const;
};

/// What separates a stage from the one before it.
struct Cut {
  enum class Kind {
    /// The embedding's output is corrupted.
    kEmbedding,
    /// Tokens see each other.
    kAttention,
    /// A layer module's output is restored.
    kSite,
  };
  Kind kind = Kind::kEmbedding;
  /// The layer of a site.
  int64_t layer = -1;
  /// At a site, the value that the cut takes: the module's output.
  size_t input = 0;
  /// The value that it gives.
  size_t output = 0;
};

/// One attention's inputs as numbers of hidden values, and its fixed numbers.
struct AttentionCut {
  size_t query = 0;
  size_t key = 0;
  size_t value = 0;
  /// Number of a context value.
  std::optional<size_t> mask = {};
  std::optional<double> scale = {};
  double softcap = 0.0;
};

/// The operators between two cuts, shortened to the outputs that somebody needs. For single tokens it treats
/// each by itself.
struct Piece {
  enum class Source {
    /// A hidden value, by number.
    kHidden,
    /// A context value, by number; for single tokens, at each one's position.
    kContext,
    kRowCount,
    kPositionCount,
    /// Rows times positions.
    kTokenCount,
  };
  struct Input {
    Source source = Source::kHidden;
    size_t number = 0;
  };
  std::vector<Input> inputs = {};
  /// Numbers of the hidden values it makes; for the last stage the logits are the only output and not listed.
  std::vector<size_t> outputs = {};
  std::unique_ptr<Program> program = nullptr;
};

/// A cut, and the piece behind it.
struct Stage {
  Cut cut;
  std::optional<AttentionCut> attention = {};
  /// Hidden values, by number, that a later stage uses: what has to be known of a token after this stage.
  std::vector<size_t> outgoing = {};
  /// Those of `outgoing` that the piece makes; the others are carried through or are the cut's own output.
  std::vector<size_t> made = {};
};

/// A value that no hidden state influences, such as a mask or a rotary table.
struct ContextValue {
  const torch::jit::Value* value = nullptr;
  /// Absent where it is the same at every position or has several such axes.
  std::optional<int64_t> position_axis = {};
  /// Absent where it is the same in every row.
  std::optional<int64_t> batch_axis = {};
};

/// A decoder graph cut at one kind's sites and, for single tokens, at every attention. The same for every
/// prompt.
class StageGraph {
 public:
  /// `layers` are the sites' (resolved) modules in order. Throws UnsupportedGraph where a value that crosses
  /// a cut does not belong to single tokens, or rows.
  StageGraph(const DecoderGraph& graph, const std::vector<std::string>& layers, Grain grain);
  ~StageGraph();
  StageGraph(const StageGraph&) = delete;
  StageGraph& operator=(const StageGraph&) = delete;

  const std::vector<Stage>& stages() const { return stages_; }
  const std::vector<HiddenValue>& hidden() const { return hidden_; }
  const std::vector<ContextValue>& context() const { return context_; }

  /// The piece of a stage that makes only the wanted ones of `outgoing`; the last stage's makes the logits.
  const Piece& PieceFor(size_t stage, ValueSet wanted) const;

  /// Runs what comes before the embedding's output: that output, then the context values in order.
  std::vector<c10::IValue> RunContext(std::vector<c10::IValue> inputs) const;

 private:
  class Builder;
  struct WholePiece;

  std::vector<Stage> stages_;
  std::vector<HiddenValue> hidden_;
  std::vector<ContextValue> context_;
  std::vector<WholePiece> whole_;
  std::unique_ptr<Program> context_program_;
  /// Keeps the values alive that the tables above refer to.
  std::shared_ptr<torch::jit::Graph> graph_;
  mutable std::map<std::pair<size_t, ValueSet>, Piece> pieces_;
};

}  // namespace causal_tracer
