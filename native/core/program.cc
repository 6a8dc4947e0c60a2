#include "program.h"

#include <c10/core/InferenceMode.h>

#include <exception>
#include <utility>

namespace causal_tracer {
namespace {

/// The interpreter rethrows every exception as a std::runtime_error with a stack trace. This keeps the
/// original.
class ExceptionKeeper final : public SiteObserver {
 public:
  explicit ExceptionKeeper(SiteObserver& observer) : observer_(observer) {}

  at::Tensor Observe(int64_t site, const at::Tensor& output) override {
    try {
      return observer_.Observe(site, output);
    } catch (...) {
      thrown_ = std::current_exception();
      throw;
    }
  }

  void RethrowIfThrown() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }

 private:
  SiteObserver& observer_;
  std::exception_ptr thrown_;
};

}  // namespace

Program::Program(const std::shared_ptr<torch::jit::Graph>& graph) : code_(graph, "forward") {}

std::vector<c10::IValue> Program::Run(std::vector<c10::IValue> inputs, SiteObserver& observer) const {
  const c10::InferenceMode inference_mode;
  ExceptionKeeper keeper(observer);
  const ScopedSiteObserver scope(keeper);
  try {
    torch::jit::InterpreterState(code_).run(inputs);
  } catch (...) {
    keeper.RethrowIfThrown();
    throw;
  }
  return inputs;
}

std::vector<c10::IValue> Program::Run(std::vector<c10::IValue> inputs) const {
  const c10::InferenceMode inference_mode;
  torch::jit::InterpreterState(code_).run(inputs);
  return inputs;
}

}  // namespace causal_tracer
