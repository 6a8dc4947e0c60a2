#include "../../native/core/block_range.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <utility>

#include "../../native/core/graph_query.h"
#include "checks.h"
#include "tiny_model.h"

namespace causal_tracer::test {
namespace {

struct NamedBlocks {
  std::string model;
  std::string prefix;
};

const std::vector<NamedBlocks>& Models() {
  static const std::vector<NamedBlocks> models = {{.model = "tiny-gpt2", .prefix = "transformer.h."},
                                                  {.model = "tiny-llama", .prefix = "model.layers."},
                                                  {.model = "tiny-neox", .prefix = "gpt_neox.layers."}};
  return models;
}

std::vector<std::string> Blocks(const std::string& prefix) { return Modules("", prefix, "").layers; }

/// The model with another epsilon in one of its layer norms.
TracedModel WithOtherEpsilon(const TracedModel& model, size_t layer_norm) {
  auto graph = model.graph().copy();
  std::vector<torch::jit::Node*> norms;
  for (torch::jit::Node* node : graph->nodes()) {
    if (IsKind(node, "aten::layer_norm")) norms.push_back(node);
  }
  const torch::jit::WithInsertPoint insert(norms.at(layer_norm));
  norms[layer_norm]->replaceInput(4, graph->insertConstant(0.25));
  return {model, graph};
}

const Registration alike("blocks that are alike need three of them in the range", [] {
  for (const auto& [name, prefix] : Models()) {
    const TracedModel model = LoadTinyModel(name);
    const auto range = FindBlockRange(model, Blocks(prefix));
    Require(range.has_value(), name + " has a range");
    RequireEqual(range->blocks, 3, name);
  }
});

const Registration unlike("a block with another number in it belongs to the range", [] {
  const TracedModel model = LoadTinyModel("tiny-gpt2");
  const TracedModel fourth = WithOtherEpsilon(model, 6);
  const auto range = FindBlockRange(fourth, Blocks("transformer.h."));
  Require(range.has_value(), "the first four blocks are a range");
  RequireEqual(range->blocks, 4, "blocks");
  const TracedModel fifth = WithOtherEpsilon(model, 8);
  Require(!FindBlockRange(fifth, Blocks("transformer.h.")), "no range is shorter than the model");
});

const Registration crossing("a model whose blocks are passed by is not shortened", [] {
  const TracedModel model = LoadTinyModel("tiny-gpt2");
  auto graph = model.graph().copy();
  std::vector<torch::jit::Node*> additions;
  for (torch::jit::Node* node : graph->nodes()) {
    if (IsKind(node, "aten::add") && IsTensor(node->input(1))) additions.push_back(node);
  }
  // The final norm sees a sum of the fourth block, too.
  torch::jit::Node* last = additions.back();
  const torch::jit::WithInsertPoint insert(last->next());
  torch::jit::Value* sum = graph->insert(
      Kind("aten::add"), {last->output(), additions.at(additions.size() - 3)->output(), int64_t{1}});
  last->output()->replaceAllUsesAfterNodeWith(sum->node(), sum);
  const TracedModel passing(model, graph);
  const auto range = FindBlockRange(passing, Blocks("transformer.h."));
  Require(!range, "the fourth block reaches the fifth one's end beside the hidden state");
});

/// The logits of `model` if its last block, the fifth, hands on the output of block `number`; that output.
std::pair<at::Tensor, at::Tensor> RunBypassing(TracedModel& model, const std::vector<std::string>& blocks,
                                               size_t number, const at::Tensor& ids) {
  const JobControl control;
  at::Tensor kept;
  ForwardHooks hooks = model.MakeHooks(control);
  hooks.AddEdit({.module = blocks.at(number)},
                [&](const at::Tensor& output) { return kept = output.clone(); });
  hooks.AddEdit({.module = blocks.at(4)}, [&](const at::Tensor&) { return kept.clone(); });
  at::Tensor logits = model.Run(ids, OutputsOf({blocks.at(number), blocks.at(4)}), hooks);
  return {logits, kept};
}

const Registration equal("a range equals the model whose last block hands on the range's output", [] {
  const at::Tensor ids = at::tensor({5, 9, 3, 7, 1, 4}, at::kLong).reshape({2, 3});
  const JobControl control;
  for (const auto& [name, prefix] : Models()) {
    TracedModel model = LoadTinyModel(name);
    const std::vector<std::string> blocks = Blocks(prefix);
    const auto range = FindBlockRange(model, blocks);
    Require(range.has_value(), name + " has a range");
    ForwardHooks none = model.MakeHooks(control);
    const at::Tensor logits = RunBypassing(model, blocks, 0, ids).first;
    Require(at::allclose(range->head->Run(ids, {}, none), logits, 1e-5, 1e-6), name + ", head");
    const at::Tensor third = RunBypassing(model, blocks, 2, ids).second;
    Require(at::allclose(range->without_head->Run(ids, {}, none), third, 1e-5, 1e-6),
            name + ", without head");
  }
});

}  // namespace
}  // namespace causal_tracer::test
