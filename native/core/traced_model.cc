#include "traced_model.h"

#include <ATen/Context.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/ones_like.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <unordered_map>
#include <utility>

#include "device.h"
#include "error.h"

namespace causal_tracer {
namespace {

const std::vector<std::string>& UsualInputs() {
  static const std::vector<std::string> names = {"input_ids", "attention_mask", "position_ids"};
  return names;
}

torch::jit::Module LoadModule(const std::string& path, c10::Device device) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    throw Error(ErrorCode::kModelFileNotFound, "There is no model file at " + path + ".");
  }
  try {
    torch::jit::Module module = torch::jit::load(path, device, /*load_debug_files=*/false);
    module.eval();
    return module;
  } catch (const std::exception& exception) {
    const Error error = DescribeException(exception, ErrorCode::kModelFileInvalid, "loading " + path);
    if (error.code() != ErrorCode::kModelFileInvalid) throw error;
    throw Error(ErrorCode::kModelFileInvalid,
                path +
                    " is not a readable TorchScript file (truncated, or made by "
                    "something else than torch.jit.save). Export the model again. " +
                    Summary(exception));
  }
}

std::vector<std::string> ChooseInputs(const torch::jit::Module& module,
                                      const std::vector<std::string>& names) {
  if (!module.find_method("forward")) {
    throw Error(ErrorCode::kModelFileInvalid,
                "The TorchScript file has no forward method. Export the model again.");
  }
  const size_t count = module.get_method("forward").num_inputs() - 1;
  if (names.empty() && count >= 1 && count <= UsualInputs().size()) {
    return {UsualInputs().begin(), UsualInputs().begin() + static_cast<std::ptrdiff_t>(count)};
  }
  if (names.size() == count && count > 0) return names;
  throw Error(ErrorCode::kModelFileInvalid,
              "The model's forward takes " + std::to_string(count) + " inputs, but " +
                  (names.empty() ? "one to three are expected (input_ids, attention_mask, position_ids)."
                                 : std::to_string(names.size()) + " are declared. Export the model again."));
}

/// Counts each module's calls; a module counts as hookable if every call of it is.
std::vector<ModuleInfo> DescribeModules(const torch::jit::Module& module, const FlatGraph& flat) {
  std::vector<ModuleInfo> modules;
  std::unordered_map<std::string, size_t> index;
  for (const auto& named : module.named_modules()) {
    if (named.name.empty()) continue;
    index.emplace(named.name, modules.size());
    modules.push_back({.name = named.name, .calls = 0, .unhookable = "", .unhookable_input = ""});
  }
  for (const Site& site : flat.sites) {
    const auto found = index.find(site.point.module);
    if (found == index.end()) continue;
    ModuleInfo& info = modules[found->second];
    const bool is_output = site.point.at == HookAt::kOutput;
    if (is_output) ++info.calls;
    std::string& unhookable = is_output ? info.unhookable : info.unhookable_input;
    if (unhookable.empty()) unhookable = site.unhookable;
  }
  return modules;
}

/// The storages of a module's parameters and buffers: two names of one module have the same.
std::set<const void*> Storages(const torch::jit::Module& module) {
  std::set<const void*> storages;
  for (const at::Tensor& tensor : module.parameters()) storages.insert(tensor.storage().data());
  for (const at::Tensor& tensor : module.buffers()) storages.insert(tensor.storage().data());
  return storages;
}

std::string DtypeName(const torch::jit::Module& module) {
  for (const at::Tensor& parameter : module.parameters()) {
    if (!parameter.is_floating_point()) continue;
    switch (parameter.scalar_type()) {
      case at::kFloat:
        return "float32";
      case at::kBFloat16:
        return "bfloat16";
      case at::kHalf:
        return "float16";
      case at::kDouble:
        return "float64";
      default:
        return c10::toString(parameter.scalar_type());
    }
  }
  return "float32";
}

/// Bytes of parameters and buffers, shared ones counted once.
int64_t CountBytes(const torch::jit::Module& module) {
  std::set<const void*> counted;
  int64_t bytes = 0;
  const auto count = [&](const at::Tensor& tensor) {
    if (counted.insert(tensor.storage().data()).second) {
      bytes += static_cast<int64_t>(tensor.storage().nbytes());
    }
  };
  for (const at::Tensor& tensor : module.parameters()) count(tensor);
  for (const at::Tensor& tensor : module.buffers()) count(tensor);
  return bytes;
}

/// For modules that are never called the called one that shares their parameters.
std::map<std::string, std::string> FindAliases(const torch::jit::Module& module,
                                               const std::vector<ModuleInfo>& infos) {
  std::unordered_map<std::string, std::set<const void*>> storages;
  for (const auto& named : module.named_modules()) storages.emplace(named.name, Storages(named.value));
  std::map<std::set<const void*>, std::string> called;
  for (const ModuleInfo& info : infos) {
    if (info.calls > 0 && info.unhookable.empty()) called.emplace(storages.at(info.name), info.name);
  }
  std::map<std::string, std::string> aliases;
  for (const ModuleInfo& info : infos) {
    if (info.calls > 0 || storages.at(info.name).empty()) continue;
    const auto found = called.find(storages.at(info.name));
    if (found != called.end()) aliases.emplace(info.name, found->second);
  }
  return aliases;
}

/// The parameters `weight` that are still constants of the graph, by module: embeddings, not linear layers.
std::map<std::string, at::Tensor> FindWeights(const torch::jit::Module& module, torch::jit::Graph& graph) {
  std::set<const void*> constants;
  for (torch::jit::Node* node : graph.nodes()) {
    if (node->kind() != c10::prim::Constant) continue;
    const auto value = torch::jit::toIValue(node->output());
    if (value && value->isTensor() && value->toTensor().has_storage()) {
      constants.insert(value->toTensor().storage().data());
    }
  }
  std::map<std::string, at::Tensor> weights;
  for (const auto& named : module.named_modules()) {
    if (!named.value.hasattr("weight") || !named.value.attr("weight").isTensor()) continue;
    const at::Tensor weight = named.value.attr("weight").toTensor();
    if (constants.contains(weight.storage().data())) weights.emplace(named.name, weight.detach());
  }
  return weights;
}

}  // namespace

TracedModel::TracedModel(const Options& options) : device_(ChooseDevice(options.device)) {
  if (device_.is_cuda()) at::globalContext().setAllowTF32CuBLAS(options.allow_tf32);
  const torch::jit::Module module = LoadModule(options.path, device_);
  functions_ = module._ivalue()->compilation_unit();
  inputs_ = ChooseInputs(module, options.inputs);
  try {
    flat_ = FlattenWithSites(module);
  } catch (const std::exception& exception) {
    throw DescribeException(exception, ErrorCode::kModelFileInvalid, "reading the graph of " + options.path);
  }
  dtype_ = DtypeName(module);
  memory_bytes_ = CountBytes(module);
  modules_ = DescribeModules(module, flat_);
  aliases_ = FindAliases(module, modules_);
  points_by_site_.reserve(flat_.sites.size());
  for (const Site& site : flat_.sites) points_by_site_.push_back(site.point);
  if (!device_.is_cpu()) MoveToDevice(*flat_.graph, device_);
  UseLinearLayers(*flat_.graph, linear_layers_);
  weights_ = FindWeights(module, *flat_.graph);
}

TracedModel::TracedModel(const TracedModel& whole, std::shared_ptr<torch::jit::Graph> graph)
    : functions_(whole.functions_),
      device_(whole.device_),
      dtype_(whole.dtype_),
      memory_bytes_(whole.memory_bytes_),
      inputs_(whole.inputs_),
      flat_{.graph = std::move(graph), .sites = whole.flat_.sites},
      points_by_site_(whole.points_by_site_),
      modules_(whole.modules_),
      aliases_(whole.aliases_),
      weights_(whole.weights_) {}

void TracedModel::ChooseKernels(KernelChoice choice) { causal_tracer::ChooseKernels(linear_layers_, choice); }

HookPoint TracedModel::Resolve(const HookPoint& point) const {
  const auto info = std::ranges::find(modules_, point.module, &ModuleInfo::name);
  if (info == modules_.end()) {
    throw Error(ErrorCode::kModuleNotFound, "The model has no module named " + point.module + ".");
  }
  if (info->calls > 0) {
    const std::string& unhookable = point.at == HookAt::kInput ? info->unhookable_input : info->unhookable;
    if (unhookable.empty()) return point;
    throw Error(ErrorCode::kModuleNotHookable,
                "There is no hook for " + Describe(point) + ": " + unhookable + ".");
  }
  if (const auto alias = aliases_.find(point.module); alias != aliases_.end()) {
    return Resolve({.module = alias->second, .at = point.at});
  }
  throw Error(ErrorCode::kModuleNotHookable,
              "The module " + point.module + " cannot be hooked: the traced forward pass never calls it.");
}

std::vector<std::string> TracedModel::ResolveModules(const std::vector<std::string>& names) const {
  std::vector<std::string> modules;
  modules.reserve(names.size());
  for (const std::string& name : names) modules.push_back(ResolveModule(name));
  return modules;
}

const at::Tensor& TracedModel::EmbeddingWeight(const std::string& module) const {
  if (std::ranges::find(modules_, module, &ModuleInfo::name) == modules_.end()) {
    throw Error(ErrorCode::kModuleNotFound, "The model has no module named " + module + ".");
  }
  const auto found = weights_.find(module);
  if (found == weights_.end()) {
    throw Error(
        ErrorCode::kModuleNotFound,
        "The module " + module + " has no weight to take the noise from. Give the noise as a number.");
  }
  return found->second;
}

std::vector<c10::IValue> TracedModel::MakeInputs(const at::Tensor& input_ids) const {
  const at::Tensor ids = input_ids.to(device_);
  std::vector<c10::IValue> inputs;
  for (const std::string& name : inputs_) {
    if (name == "input_ids") {
      inputs.emplace_back(ids);
    } else if (name == "attention_mask") {
      inputs.emplace_back(at::ones_like(ids));
    } else if (name == "position_ids") {
      inputs.emplace_back(at::arange(ids.size(1), ids.options()).unsqueeze(0).expand_as(ids));
    } else {
      throw Error(ErrorCode::kModelFileInvalid,
                  "The model declares an unknown input " + name +
                      ". Known are input_ids, attention_mask and position_ids.");
    }
  }
  return inputs;
}

size_t TracedModel::input_ids_index() const {
  return static_cast<size_t>(std::ranges::find(inputs_, "input_ids") - inputs_.begin());
}

at::Tensor TracedModel::Run(const at::Tensor& input_ids, const std::vector<HookPoint>& hooked,
                            ForwardHooks& hooks) {
  const auto outputs = ProgramFor(hooked).Run(MakeInputs(input_ids), hooks);
  if (outputs.size() != 1 || !outputs[0].isTensor() || outputs[0].toTensor().dim() != 3) {
    throw Error(ErrorCode::kModelFileInvalid,
                "The model does not return logits of shape [batch, position, vocabulary]. Export it again.");
  }
  return outputs[0].toTensor();
}

std::vector<int64_t> TracedModel::SitesOf(const std::vector<HookPoint>& hooked) const {
  std::vector<int64_t> sites;
  for (size_t site = 0; site < flat_.sites.size(); ++site) {
    if (std::ranges::find(hooked, flat_.sites[site].point) != hooked.end()) {
      sites.push_back(static_cast<int64_t>(site));
    }
  }
  return sites;
}

std::shared_ptr<torch::jit::Graph> TracedModel::GraphWithSites(const std::vector<std::string>& hooked) const {
  return KeepSites(flat_, SitesOf(OutputsOf(hooked)));
}

const Program& TracedModel::ProgramFor(const std::vector<HookPoint>& hooked) {
  const std::vector<int64_t> sites = SitesOf(hooked);
  if (const auto found = programs_.find(sites); found != programs_.end()) return found->second;
  // Programs are small, but an unbounded cache would grow with every new set of hooks.
  constexpr size_t kMaximumPrograms = 16;
  if (programs_.size() >= kMaximumPrograms) programs_.clear();
  const auto graph = KeepSites(flat_, sites);
  FuseActivations(*graph);
  return programs_.emplace(sites, Program(graph)).first->second;
}

}  // namespace causal_tracer
