#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "flat_graph.h"
#include "forward_hooks.h"
#include "linear/linear_rewrite.h"
#include "program.h"

namespace causal_tracer {

/// A module of the model as the user sees it.
struct ModuleInfo {
  std::string name;
  /// Calls in one forward pass.
  int64_t calls = 0;
  /// Why its output cannot be hooked; empty where it can.
  std::string unhookable;
  /// The same of its input.
  std::string unhookable_input;
};

/// A loaded TorchScript language model `(input_ids[, attention_mask[, position_ids]]) -> logits`, with
/// forward hooks by module name. Not thread-safe: one thread uses it at a time.
class TracedModel {
 public:
  struct Options {
    std::string path;
    /// Names of the inputs in order; empty takes as many of the usual three as the model has.
    std::vector<std::string> inputs;
    /// A name for ChooseDevice.
    std::string device = "cpu";
    /// Lets a GPU round float32 products to 10 bits, which is faster. For the whole process.
    bool allow_tf32 = false;
  };

  /// Throws kModelFileNotFound, kModelFileInvalid, kDeviceNotAvailable or kOutOfMemory.
  explicit TracedModel(const Options& options);

  /// A model of the same modules whose forward pass is `graph`, made of nodes of `whole`'s. `whole` must
  /// outlive it.
  TracedModel(const TracedModel& whole, std::shared_ptr<torch::jit::Graph> graph);

  const std::vector<ModuleInfo>& modules() const { return modules_; }
  const std::vector<Site>& sites() const { return flat_.sites; }
  /// Dtype of the parameters, e.g. `float32`.
  const std::string& dtype() const { return dtype_; }
  c10::Device device() const { return device_; }
  /// Bytes of parameters and buffers.
  int64_t memory_bytes() const { return memory_bytes_; }

  /// The name under which a module is called: `name` itself, or the module that shares its parameters. Throws
  /// kModuleNotFound or kModuleNotHookable with the reason.
  std::string ResolveModule(const std::string& name) const { return Resolve({.module = name}).module; }
  /// The same for an input or an output.
  HookPoint Resolve(const HookPoint& point) const;
  std::vector<std::string> ResolveModules(const std::vector<std::string>& names) const;

  /// An embedding's parameter `weight`; throws kModuleNotFound where there is none. Linear layers' weights
  /// are kept in their kernels' own order only.
  const at::Tensor& EmbeddingWeight(const std::string& module) const;

  /// Chooses how the linear layers are computed; until then they run on ATen's own kernels.
  void ChooseKernels(KernelChoice choice);

  /// Hooks that fit this model. `control` must outlive them.
  ForwardHooks MakeHooks(const JobControl& control) const { return {points_by_site_, control}; }

  /// One forward pass over unpadded rows: `input_ids` is int64 `[batch, position]`, the result `[batch,
  /// position, vocabulary]`. `hooked` has the points (of resolved modules) that `hooks` edits or captures.
  at::Tensor Run(const at::Tensor& input_ids, const std::vector<HookPoint>& hooked, ForwardHooks& hooks);

  /// A copy of the forward pass as one graph with markers behind the outputs of `hooked` modules. Its inputs
  /// are MakeInputs'.
  std::shared_ptr<torch::jit::Graph> GraphWithSites(const std::vector<std::string>& hooked) const;
  /// The forward pass as one graph with markers behind every module.
  torch::jit::Graph& graph() const { return *flat_.graph; }
  /// The graph's inputs for unpadded rows `[batch, position]`.
  std::vector<c10::IValue> MakeInputs(const at::Tensor& input_ids) const;
  /// Which of the inputs are the token ids.
  size_t input_ids_index() const;

 private:
  std::vector<int64_t> SitesOf(const std::vector<HookPoint>& hooked) const;
  const Program& ProgramFor(const std::vector<HookPoint>& hooked);

  /// The module's functions, without its parameters: the graphs' nodes point to them to say where they are
  /// from.
  std::shared_ptr<torch::jit::CompilationUnit> functions_;
  c10::Device device_;
  std::string dtype_;
  int64_t memory_bytes_ = 0;
  std::vector<std::string> inputs_;
  FlatGraph flat_;
  LinearLayers linear_layers_;
  std::vector<HookPoint> points_by_site_;
  std::vector<ModuleInfo> modules_;
  std::map<std::string, std::string> aliases_;
  std::map<std::string, at::Tensor> weights_;
  std::map<std::vector<int64_t>, Program> programs_;
};

}  // namespace causal_tracer
