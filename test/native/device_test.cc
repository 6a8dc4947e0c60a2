#include "../../native/core/device.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <torch/csrc/jit/api/module.h>

#include "../../native/core/flat_graph.h"
#include "../../native/core/meta_run.h"
#include "../../native/core/program.h"
#include "../../native/core/traced_model.h"
#include "checks.h"
#include "tiny_model.h"

namespace causal_tracer::test {
namespace {

std::string FailureOf(const std::string& device) {
  try {
    ChooseDevice(device);
  } catch (const Error& error) {
    Require(error.code() == ErrorCode::kDeviceNotAvailable, device + ": the code");
    return error.what();
  }
  throw std::runtime_error(device + " was taken");
}

const Registration devices("devices are found by name, or refused with the reason", [] {
  Require(ChooseDevice("cpu").is_cpu(), "cpu");
  Require(FailureOf("tpu").find("none of that name") != std::string::npos, FailureOf("tpu"));
  Require(FailureOf("meta").find("models run on") != std::string::npos, FailureOf("meta"));
  const DeviceReport report = ReportDevices();
  RequireEqual(report.devices.at(0), std::string("cpu"), "the first device");
  if (!report.cuda_runtime.empty()) return;
  RequireEqual(report.devices.size(), size_t{1}, "devices of a build without CUDA");
  Require(ChooseDevice("auto").is_cpu(), "auto takes the CPU");
  Require(FailureOf("cuda").find("without CUDA") != std::string::npos, FailureOf("cuda"));
});

/// A model that tracing would have tied to the CPU by a factory call and by a constant tensor.
torch::jit::Module TiedToCpu() {
  torch::jit::Module module("Tied");
  module.register_buffer("table", at::full({2}, 3.0));
  module.define(R"(
    def forward(self, x):
      steps = torch.arange(x.size(2), dtype=x.dtype, device=torch.device("cpu"))
      return x * self.table + steps
  )");
  return module;
}

at::Tensor RunOnMeta(const std::shared_ptr<torch::jit::Graph>& graph) {
  const at::Tensor input = at::empty({1, 2, 2}, at::TensorOptions(at::kFloat).device(at::kMeta));
  return Program(graph).Run({input}).at(0).toTensor();
}

const Registration moved("a graph leaves nothing behind on the CPU", [] {
  const auto graph = KeepSites(FlattenWithSites(TiedToCpu()), {});
  bool mixed = false;
  try {
    RunOnMeta(graph);
  } catch (const std::exception&) {
    mixed = true;
  }
  Require(mixed, "the meta device mixes with the CPU: this test would notice nothing");
  MoveToDevice(*graph, c10::Device(c10::DeviceType::Meta));
  Require(RunOnMeta(graph).is_meta(), "the result is on the device");
});

const Registration whole_models("the tiny models can leave the CPU", [] {
  for (const std::string name : {"tiny-gpt2", "tiny-llama", "tiny-neox"}) {
    const TracedModel model({.path = "test/fixtures/models/" + name + "/model.pt", .inputs = {}});
    const std::vector<int64_t> shape = LogitsShapeOnMeta(model, 3, 7);
    RequireEqual(shape.size(), size_t{3}, name + ": axes");
    RequireEqual(shape.at(0), 3, name + ": rows");
    RequireEqual(shape.at(1), 7, name + ": positions");
  }
});

}  // namespace
}  // namespace causal_tracer::test
