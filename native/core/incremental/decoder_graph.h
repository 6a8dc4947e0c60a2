#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "../traced_model.h"
#include "value_probe.h"

namespace causal_tracer {

/// Why an engine cannot be used for a model; not an error of the user's.
class UnsupportedGraph : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// How a value comes about.
enum class Dependence {
  /// From the token ids, their number and constants alone: masks, positions, rotary tables.
  kInput,
  /// From the shape of hidden states.
  kShape,
  /// From the numbers of hidden states.
  kHidden,
};

/// A model's forward pass, prepared for running token by token: a straight line of operators in which every
/// attention is one operator and hidden states meet sizes only where it is known what these count.
struct DecoderGraph {
  std::shared_ptr<torch::jit::Graph> graph;
  /// The markers behind the embedding and behind each layer module.
  torch::jit::Node* embedding = nullptr;
  std::map<std::string, torch::jit::Node*> sites;
  /// The number of rows and of positions, and their product, as values of the graph.
  torch::jit::Value* batch = nullptr;
  torch::jit::Value* length = nullptr;
  torch::jit::Value* batch_length = nullptr;
  std::unordered_map<const torch::jit::Value*, Dependence> dependence;
  ProbedValues probed;

  Dependence DependenceOf(const torch::jit::Value* value) const;
};

/// Prepares the graph of `model` with markers behind `embedding` and `layers` (resolved module names). Throws
/// UnsupportedGraph where hidden states cannot be cut apart by position.
DecoderGraph PrepareDecoderGraph(const TracedModel& model, const std::string& embedding,
                                 const std::vector<std::string>& layers);

}  // namespace causal_tracer
