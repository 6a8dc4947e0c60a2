#include <ATen/Tensor.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/library.h>

#include <cmath>

#include "../../native/core/full_graph_engine.h"
#include "../../native/core/graph_query.h"
#include "../../native/core/site_operator.h"
#include "checks.h"
#include "tiny_model.h"

namespace causal_tracer::test {

/// Stands in for a memory that holds so many rows.
at::Tensor HoldRows(const at::Tensor& x, int64_t rows) {
  TORCH_CHECK_WITH(OutOfMemoryError, x.size(0) <= rows, "DefaultCPUAllocator: not enough memory");
  return x.clone();
}

namespace {

/// tiny-gpt2 in a memory that holds `rows` rows.
TracedModel WithMemoryFor(const TracedModel& model, int64_t rows) {
  auto graph = model.graph().copy();
  for (torch::jit::Node* node : graph->nodes()) {
    if (!IsKind(node, "aten::layer_norm")) continue;
    const torch::jit::WithInsertPoint insert(node);
    torch::jit::Value* held = graph->insert(Kind("causal_tracer_test::hold_rows"), {node->input(0), rows});
    node->replaceInput(0, held);
    break;
  }
  return {model, graph};
}

TraceRequest MakeRequest() { return RequestEveryCell(Modules("transformer.wte", "transformer.h.", ""), 1); }

const Registration reduced("a trace goes on with fewer rows when memory runs out, with the same scores", [] {
  TracedModel model({.path = "test/fixtures/models/tiny-gpt2/model.pt", .inputs = {}});
  const TraceResult expected = FullGraphEngine(model).Trace(MakeRequest(), JobControl());
  RequireEqual(expected.reduced_batch_size, 0, "rows where memory is enough");
  TracedModel small = WithMemoryFor(model, 5);
  const TraceResult found = FullGraphEngine(small).Trace(MakeRequest(), JobControl());
  RequireEqual(found.reduced_batch_size, 4, "32 rows halved until they fit");
  RequireEqual(found.scores.size(), expected.scores.size(), "scores");
  for (size_t i = 0; i < found.scores.size(); ++i) {
    Require(std::abs(found.scores[i] - expected.scores[i]) < 1e-6, "score " + std::to_string(i));
  }
});

const Registration kept("a batch size of the caller's own is kept to", [] {
  TracedModel model({.path = "test/fixtures/models/tiny-gpt2/model.pt", .inputs = {}});
  TracedModel small = WithMemoryFor(model, 5);
  TraceRequest request = MakeRequest();
  request.batch_size = 8;
  try {
    FullGraphEngine(small).Trace(request, JobControl());
  } catch (const std::exception& exception) {
    const Error error = DescribeTraceFailure(exception, request);
    Require(error.code() == ErrorCode::kOutOfMemory, error.what());
    return;
  }
  throw std::runtime_error("nothing was thrown");
});

}  // namespace
}  // namespace causal_tracer::test

TORCH_LIBRARY(causal_tracer_test, library) {
  library.def("hold_rows(Tensor x, int rows) -> Tensor");
  library.impl("hold_rows", c10::DispatchKey::CompositeExplicitAutograd,
               TORCH_FN(causal_tracer::test::HoldRows));
}
