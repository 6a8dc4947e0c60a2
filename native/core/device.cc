#include "device.h"

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/csrc/jit/ir/constants.h>

#include <unordered_map>

#include "error.h"

namespace causal_tracer {
namespace {

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;

int64_t CudaDevices() { return at::globalContext().hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0; }

Error NotAvailable(const std::string& name, const std::string& reason) {
  return {ErrorCode::kDeviceNotAvailable, "The device '" + name + "' is not available: " + reason};
}

c10::Device RequireCuda(const std::string& name, c10::Device device) {
  if (!at::globalContext().hasCUDART()) {
    throw NotAvailable(
        name,
        "the libtorch in use was built without CUDA. Use 'cpu'; or run 'causal-tracer install --cuda', "
        "or set CAUSAL_TRACER_LIBTORCH to the torch folder of a PyTorch of the same version with CUDA. (A "
        "process keeps the libtorch that its first model was loaded with.)");
  }
  const int64_t count = CudaDevices();
  if (count == 0) {
    throw NotAvailable(
        name,
        "libtorch has CUDA, but finds no GPU, or no NVIDIA driver that is new enough. See what "
        "nvidia-smi says, or use 'cpu'.");
  }
  if (device.has_index() && device.index() >= count) {
    const std::string last = "'cuda:" + std::to_string(count - 1) + "'";
    throw NotAvailable(name, count == 1 ? "the only CUDA device here is " + last + "."
                                        : "the CUDA devices here are 'cuda:0' to " + last + ".");
  }
  return device.has_index() ? device : c10::Device(c10::DeviceType::CUDA, 0);
}

/// Replaces constants below `block` that name another device or lie on one.
class Mover {
 public:
  explicit Mover(c10::Device device) : device_(device) {}

  void Move(Graph& graph, Block* block) {
    for (auto iterator = block->nodes().begin(); iterator != block->nodes().end();) {
      Node* node = *iterator++;
      for (Block* inner : node->blocks()) Move(graph, inner);
      if (node->kind() == c10::prim::Constant) MoveConstant(graph, node);
    }
  }

 private:
  void MoveConstant(Graph& graph, Node* node) {
    const auto value = torch::jit::toIValue(node->output());
    if (!value) return;
    if (value->isDevice() && value->toDevice() != device_) Replace(graph, node, device_);
    if (!value->isTensor()) return;
    const at::Tensor tensor = value->toTensor();
    if (tensor.defined() && tensor.dim() > 0 && tensor.device() != device_) {
      Replace(graph, node, Moved(tensor));
    }
  }

  /// One copy of a tensor, however many constants it is: tied weights stay tied.
  at::Tensor Moved(const at::Tensor& tensor) {
    at::Tensor& moved = moved_[tensor.unsafeGetTensorImpl()];
    if (!moved.defined()) moved = tensor.to(device_);
    return moved;
  }

  static void Replace(Graph& graph, Node* node, const c10::IValue& value) {
    const torch::jit::WithInsertPoint insert(node);
    node->output()->replaceAllUsesWith(graph.insertConstant(value));
  }

  c10::Device device_;
  std::unordered_map<const c10::TensorImpl*, at::Tensor> moved_;
};

}  // namespace

c10::Device ChooseDevice(const std::string& name) {
  const c10::Device cpu(c10::DeviceType::CPU);
  if (name == "auto") return CudaDevices() > 0 ? c10::Device(c10::DeviceType::CUDA, 0) : cpu;
  c10::Device device = cpu;
  try {
    device = c10::Device(name);
  } catch (const std::exception&) {
    throw NotAvailable(name, "there is none of that name. Use 'cpu', 'cuda', 'cuda:<number>' or 'auto'.");
  }
  if (device.is_cpu()) return cpu;
  if (device.is_cuda()) return RequireCuda(name, device);
  throw NotAvailable(name, "models run on 'cpu', 'cuda', 'cuda:<number>' or 'auto'.");
}

DeviceReport ReportDevices() {
  DeviceReport report{.devices = {"cpu"}, .cuda_runtime = ""};
  if (!at::globalContext().hasCUDART()) return report;
  // 13000 stands for 13.0.
  const long version = at::globalContext().versionCUDART();
  report.cuda_runtime = std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
  for (int64_t i = 0; i < CudaDevices(); ++i) report.devices.push_back("cuda:" + std::to_string(i));
  return report;
}

void MoveToDevice(Graph& graph, c10::Device device) { Mover(device).Move(graph, graph.block()); }

}  // namespace causal_tracer
