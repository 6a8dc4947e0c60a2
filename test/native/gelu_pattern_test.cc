#include "../../native/core/linear/gelu_pattern.h"

#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/irparser.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include "../../native/core/program.h"
#include "checks.h"

namespace causal_tracer::test {
namespace {

std::string TanhGelu(const std::string& cubic) {
  return R"IR(
graph(%x : Tensor):
  %half : float = prim::Constant[value=0.5]()
  %three : float = prim::Constant[value=3.]()
  %cubic : float = prim::Constant[value=)IR" +
         cubic + R"IR(]()
  %factor : float = prim::Constant[value=0.7978845608028654]()
  %one_float : float = prim::Constant[value=1.]()
  %one : int = prim::Constant[value=1]()
  %1 : Tensor = aten::mul(%x, %half)
  %2 : Tensor = aten::pow(%x, %three)
  %3 : Tensor = aten::mul(%2, %cubic)
  %4 : Tensor = aten::add(%x, %3, %one)
  %5 : Tensor = aten::mul(%4, %factor)
  %6 : Tensor = aten::tanh(%5)
  %7 : Tensor = aten::add(%6, %one_float, %one)
  %8 : Tensor = aten::mul(%1, %7)
  return (%8))IR";
}

/// Operators of the graph after fusing, constants aside; checks that the numbers stay.
size_t CountFused(const std::string& text) {
  const auto graph = std::make_shared<torch::jit::Graph>();
  torch::jit::parseIR(text, graph.get());
  const at::Tensor x = at::linspace(-6.0, 6.0, 101);
  const at::Tensor before = Program(graph->copy()).Run({x}).at(0).toTensor();
  FuseTanhGelu(*graph);
  torch::jit::EliminateDeadCode(graph);
  const at::Tensor after = Program(graph->copy()).Run({x}).at(0).toTensor();
  Require((before - after).abs().max().item<double>() < 2e-6, "fusing changes numbers");
  size_t count = 0;
  for (const auto* node : graph->nodes()) count += node->kind() == c10::prim::Constant ? 0 : 1;
  return count;
}

const Registration gelu("the tanh approximation of GELU becomes one operator, and nothing else does", [] {
  RequireEqual(CountFused(TanhGelu("0.044715000000000003")), size_t{1}, "the formula");
  RequireEqual(CountFused(TanhGelu("0.05")), size_t{8}, "another formula");
});

}  // namespace
}  // namespace causal_tracer::test
