#include <memory>

#include "../../native/core/incremental/incremental_engine.h"
#include "checks.h"
#include "tiny_model.h"

namespace causal_tracer::test {
namespace {

const Registration shared("traces of one prompt share the runs that restore nothing, and only those", [] {
  const LayerModules hidden = Modules("transformer.wte", "transformer.h.", "");
  const LayerModules mlp = Modules("transformer.wte", "transformer.h.", ".mlp");
  LayerModules both = hidden;
  both.layers.insert(both.layers.end(), mlp.layers.begin(), mlp.layers.end());
  TinyModel tiny("tiny-gpt2", both);
  IncrementalEngine engine(tiny.model, tiny.graph);
  std::vector<TraceRequest> requests = {RequestEveryCell(hidden, 1), RequestEveryCell(mlp, 3),
                                        RequestEveryCell(mlp, 1)};
  requests.push_back(requests.back());
  requests.back().seed = 2;

  int64_t alone = 0;
  std::vector<TraceResult> expected;
  for (const TraceRequest& request : requests) {
    expected.push_back(engine.Trace(request, JobControl()));
    alone += expected.back().work.multiplications;
  }
  TraceRequest without_cells = requests[0];
  without_cells.cells.clear();
  const int64_t bases = engine.Trace(without_cells, JobControl()).work.multiplications;

  int64_t together = 0;
  const std::vector<TraceResult> results = engine.TraceMany(requests, JobControl());
  for (size_t i = 0; i < requests.size(); ++i) {
    together += results[i].work.multiplications;
    RequireEqual(results[i].low_score, expected[i].low_score, "low score");
    Require(results[i].scores == expected[i].scores, "scores of request " + std::to_string(i));
  }
  // The first three share; the last has other noise.
  RequireEqual(together, alone - 2 * bases, "multiplications");
});

}  // namespace
}  // namespace causal_tracer::test
