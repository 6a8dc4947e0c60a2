#include "../../native/core/flat_graph.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <map>

#include "../../native/core/forward_hooks.h"
#include "../../native/core/program.h"
#include "../../native/core/tensor_edit.h"
#include "checks.h"

namespace causal_tracer::test {
namespace {

using torch::jit::Module;

Module MakeModule(const std::string& name, const std::string& code) {
  Module module(name);
  module.define(code);
  return module;
}

/// A model whose `child` is called as `code` says.
Module MakeParent(const Module& child, const std::string& code) {
  Module parent("Parent");
  parent.register_module("child", child);
  parent.define(code);
  return parent;
}

std::vector<HookPoint> PointsBySite(const FlatGraph& flat) {
  std::vector<HookPoint> points;
  for (const Site& site : flat.sites) points.push_back(site.point);
  return points;
}

/// Runs the flat graph on a tensor of `[1, 2, 2]` ones with every site kept.
class HookedRun {
 public:
  explicit HookedRun(const Module& module)
      : module_(module),
        flat_(FlattenWithSites(module)),
        points_(PointsBySite(flat_)),
        hooks_(points_, control_) {}

  ForwardHooks& hooks() { return hooks_; }
  const FlatGraph& flat() const { return flat_; }

  /// The first element of the result.
  double Run() {
    std::vector<int64_t> sites;
    for (size_t i = 0; i < points_.size(); ++i) sites.push_back(static_cast<int64_t>(i));
    const Program program(KeepSites(flat_, sites));
    const auto outputs = program.Run({at::full({1, 2, 2}, 1.0)}, hooks_);
    return outputs.at(0).toTensor().flatten()[0].item<double>();
  }

 private:
  Module module_;
  FlatGraph flat_;
  std::vector<HookPoint> points_;
  JobControl control_;
  ForwardHooks hooks_;
};

double First(const at::Tensor& tensor) { return tensor.flatten()[0].item<double>(); }

/// A model that adds both results of a child: its own input handed back, and three times that.
Module ParentOfAlias() {
  return MakeParent(MakeModule("Child", R"(
    def forward(self, x):
      y = x * 3
      return (torch.detach(x), y)
  )"),
                    R"(
    def forward(self, x):
      a, b = self.child.forward(x)
      return a + b
  )");
}

const Registration alias_first("the output is not the callee's own input, even where that comes first", [] {
  HookedRun run(ParentOfAlias());
  run.hooks().Capture({.module = "child"});
  RequireEqual(run.Run(), 4.0, "the model's result");
  RequireEqual(First(run.hooks().Captured({.module = "child"})), 3.0, "the captured output");
});

const Registration edited_tuple("editing a tuple's output leaves its other elements alone", [] {
  const Module child = MakeModule("Child", R"(
    def forward(self, x):
      return (x * 3, x * 5)
  )");
  HookedRun run(MakeParent(child, R"(
    def forward(self, x):
      a, b = self.child.forward(x)
      return a + b
  )"));
  run.hooks().AddEdit({.module = "child"}, [](const at::Tensor& output) { return output.mul(10); });
  RequireEqual(run.Run(), 35.0, "the model's result");
});

const Registration repeated_calls(
    "a module called twice is edited at both calls and captured at the last", [] {
      const Module child = MakeModule("Child", R"(
    def forward(self, x):
      return x + 1
  )");
      HookedRun run(MakeParent(child, R"(
    def forward(self, x):
      return self.child.forward(self.child.forward(x))
  )"));
      run.hooks().AddEdit({.module = "child"}, [](const at::Tensor& output) { return output.mul(2); });
      run.hooks().Capture({.module = "child"});
      RequireEqual(run.flat().sites.size(), size_t{4}, "two inputs and two outputs");
      RequireEqual(run.Run(), 10.0, "((1 + 1) * 2 + 1) * 2");
      RequireEqual(First(run.hooks().Captured({.module = "child"})), 10.0, "the captured output");
    });

const Registration nested_names(
    "a nested module has its full name, and shared graphs are left as they are", [] {
      const Module leaf = MakeModule("Leaf", R"(
    def forward(self, x):
      return x * 2
  )");
      Module middle("Middle");
      middle.register_module("leaf", leaf);
      middle.define(R"(
    def forward(self, x):
      return self.leaf.forward(x) + 1
  )");
      const Module parent = MakeParent(middle, R"(
    def forward(self, x):
      return self.child.forward(x)
  )");
      const std::string before = parent.get_method("forward").graph()->toString();
      HookedRun run(parent);
      run.hooks().Capture({.module = "child.leaf"});
      run.hooks().Capture({.module = "child"});
      RequireEqual(run.Run(), 3.0, "the model's result");
      RequireEqual(First(run.hooks().Captured({.module = "child.leaf"})), 2.0, "child.leaf");
      RequireEqual(First(run.hooks().Captured({.module = "child"})), 3.0, "child");
      RequireEqual(parent.get_method("forward").graph()->toString(), before, "the module's own graph");
    });

const Registration no_tensor("a module without a tensor output says so", [] {
  const Module child = MakeModule("Child", R"(
    def forward(self, x):
      return x.size(1)
  )");
  HookedRun run(MakeParent(child, R"(
    def forward(self, x):
      return x * self.child.forward(x)
  )"));
  RequireEqual(run.flat().sites.at(1).unhookable, std::string("its output is of type int, not a tensor"),
               "the reason");
});

const Registration edited_input(
    "editing an input changes what the module sees, not what its caller goes on with", [] {
      const Module child = MakeModule("Child", R"(
    def forward(self, x):
      return x * 3
  )");
      HookedRun run(MakeParent(child, R"(
    def forward(self, x):
      return x + self.child.forward(x)
  )"));
      const HookPoint input{.module = "child", .at = HookAt::kInput};
      run.hooks().AddEdit(input, [](const at::Tensor& tensor) { return tensor.mul(10); });
      run.hooks().Capture(input);
      RequireEqual(run.Run(), 31.0, "the model's result");
      RequireEqual(First(run.hooks().Captured(input)), 10.0, "the captured input");
    });

const Registration alias_of_edited_input("an alias of a module's input in its result is the unedited input",
                                         [] {
                                           HookedRun run(ParentOfAlias());
                                           run.hooks().AddEdit(
                                               {.module = "child", .at = HookAt::kInput},
                                               [](const at::Tensor& tensor) { return tensor.mul(10); });
                                           RequireEqual(run.Run(), 31.0, "the model's result");
                                         });

const Registration parameter_argument("a parameter that a module is called with is not its input", [] {
  Module parent("Parent");
  parent.register_module("child", MakeModule("Child", R"(
    def forward(self, weight, x):
      return x * weight
  )"));
  parent.register_parameter("weight", at::full({2}, 5.0), /*is_buffer=*/false);
  parent.define(R"(
    def forward(self, x):
      return self.child.forward(self.weight, x)
  )");
  HookedRun run(parent);
  const HookPoint input{.module = "child", .at = HookAt::kInput};
  run.hooks().Capture(input);
  RequireEqual(run.Run(), 5.0, "the model's result");
  RequireEqual(First(run.hooks().Captured(input)), 1.0, "the captured input");
});

const Registration edits("edits set, add and scale chosen rows and positions, in order", [] {
  const HookPoint point{.module = "child"};
  using Operation = TensorEdit::Operation;
  const auto edit = ApplyEdits(
      point,
      {{.operation = Operation::kSet, .rows = {1}, .values = at::tensor({5.0})},
       {.operation = Operation::kAdd, .positions = {-1}, .values = at::tensor({1.0, 2.0})},
       {.operation = Operation::kScale, .rows = {0, 1}, .positions = {0}, .values = at::tensor({2.0})}});
  const at::Tensor ones = at::full({2, 2, 2}, 1.0);
  const at::Tensor expected =
      at::tensor({2.0, 2.0, 2.0, 3.0, 10.0, 10.0, 6.0, 7.0}).reshape({2, 2, 2}).to(ones.scalar_type());
  Require(at::equal(edit(ones), expected), "the edited tensor");
  Require(at::equal(ones, at::full({2, 2, 2}, 1.0)), "the tensor itself is left as it is");
});

const Registration original_exception("an exception of a hook comes out as it was thrown", [] {
  const Module child = MakeModule("Child", R"(
    def forward(self, x):
      return x + 1
  )");
  HookedRun run(MakeParent(child, R"(
    def forward(self, x):
      return self.child.forward(x)
  )"));
  const HookPoint point{.module = "child"};
  run.hooks().AddEdit(point, ApplyEdits(point, {{.positions = {9}, .values = at::zeros({2})}}));
  try {
    run.Run();
  } catch (const Error& error) {
    Require(error.code() == ErrorCode::kInvalidOption, "the code");
    Require(std::string(error.what()).find("position 9") != std::string::npos, error.what());
    return;
  }
  throw std::runtime_error("nothing was thrown");
});

}  // namespace
}  // namespace causal_tracer::test
