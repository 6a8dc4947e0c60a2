#include "meta_kernels.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/zeros.h>
#include <torch/library.h>

#include <set>
#include <string>
#include <vector>

namespace causal_tracer {
namespace {

using c10::DispatchKey;

at::Tensor WithZeros(const at::Tensor& tensor) {
  if (!tensor.defined() || (tensor.is_cpu() && tensor.dim() == 0)) return tensor;
  TORCH_CHECK(tensor.is_meta(), "Expected all tensors to be on the same device, but found one on ",
              tensor.device(), " beside others on the meta device.");
  return at::zeros(tensor.sizes(), tensor.options().device(at::kCPU));
}

template <typename Change>
c10::IValue Changed(const c10::IValue& value, const Change& change) {
  if (value.isTensor()) return change(value.toTensor());
  if (value.isTensorList()) {
    std::vector<at::Tensor> tensors;
    for (const at::Tensor& tensor : value.toTensorVector()) tensors.push_back(change(tensor));
    return tensors;
  }
  if (value.isOptionalTensorList()) {
    c10::List<std::optional<at::Tensor>> tensors;
    for (const std::optional<at::Tensor>& tensor : value.toOptionalTensorVector()) {
      tensors.push_back(tensor ? std::optional(change(*tensor)) : std::nullopt);
    }
    return tensors;
  }
  return value;
}

template <typename Change>
void ChangeLast(torch::jit::Stack& stack, size_t count, const Change& change) {
  for (size_t i = stack.size() - count; i < stack.size(); ++i) stack[i] = Changed(stack[i], change);
}

void ComputeOnZeros(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const auto arguments = op.schema().arguments().size();
  const std::vector<c10::IValue> given(stack->end() - static_cast<std::ptrdiff_t>(arguments), stack->end());
  ChangeLast(*stack, arguments, WithZeros);
  const std::vector<c10::IValue> zeros(stack->end() - static_cast<std::ptrdiff_t>(arguments), stack->end());
  op.callBoxed(stack);
  ChangeLast(*stack, op.schema().returns().size(), [&](const at::Tensor& tensor) {
    // A result that was written into an argument is that argument.
    for (size_t i = 0; i < arguments; ++i) {
      if (!zeros[i].isTensor() || !zeros[i].toTensor().is_same(tensor)) continue;
      return given[i].toTensor().resize_(tensor.sizes());
    }
    return tensor.defined() ? tensor.to(at::kMeta) : tensor;
  });
}

/// Composites of other operators that read numbers on their way.
bool ReadsNumbers(const c10::OperatorName& name) {
  static const std::set<std::string> kNames = {"aten::_grouped_mm", "aten::one_hot"};
  return kNames.contains(name.name);
}

bool LacksMetaKernel(const c10::OperatorHandle& op) {
  if (ReadsNumbers(op.operator_name())) return true;
  if (!op.hasKernelForDispatchKey(DispatchKey::CPU)) return false;
  for (const DispatchKey key :
       {DispatchKey::Meta, DispatchKey::CompositeExplicitAutograd, DispatchKey::CompositeImplicitAutograd}) {
    if (op.hasKernelForDispatchKey(key)) return false;
  }
  return true;
}

torch::Library MakeLibrary() {
  torch::Library library(torch::Library::IMPL, "aten", DispatchKey::Meta, __FILE__, __LINE__);
  for (const c10::OperatorName& name : c10::Dispatcher::singleton().getAllOpNames()) {
    if (name.getNamespace() != "aten") continue;
    const auto op = c10::Dispatcher::singleton().findSchema(name);
    if (!op || !LacksMetaKernel(*op)) continue;
    const std::string overload = name.overload_name.empty() ? "" : "." + name.overload_name;
    library.impl((name.name + overload).c_str(),
                 torch::CppFunction::makeFromBoxedFunction<&ComputeOnZeros>());
  }
  return library;
}

}  // namespace

void CompleteMetaKernels() { static const torch::Library kLibrary = MakeLibrary(); }

}  // namespace causal_tracer
