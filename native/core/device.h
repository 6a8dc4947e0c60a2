#pragma once

#include <c10/core/Device.h>
#include <torch/csrc/jit/ir/ir.h>

#include <string>
#include <vector>

namespace causal_tracer {

/// The device of a name: `cpu`, `cuda`, `cuda:<number>`, or `auto` for the first CUDA device, else the CPU.
/// Throws kDeviceNotAvailable with the reason.
c10::Device ChooseDevice(const std::string& name);

/// What this process can compute on.
struct DeviceReport {
  /// Names for ChooseDevice, `cpu` first.
  std::vector<std::string> devices;
  /// The CUDA runtime that libtorch was built with, as `13.0`; empty for a build without CUDA.
  std::string cuda_runtime;
};
DeviceReport ReportDevices();

/// Makes a traced graph run on `device`: what tracing fixed to the CPU (devices of factory calls, tensors) is
/// moved. Tensors without axes stay: they are mixed with tensors of any device, and are read as numbers.
void MoveToDevice(torch::jit::Graph& graph, c10::Device device);

}  // namespace causal_tracer
