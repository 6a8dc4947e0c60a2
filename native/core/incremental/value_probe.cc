#include "value_probe.h"

#include <algorithm>
#include <array>
#include <utility>

#include "../graph_query.h"
#include "../linear/linear_rewrite.h"
#include "../program.h"
#include "../site_operator.h"

namespace causal_tracer {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

struct InputSize {
  int64_t batch;
  int64_t length;
};

/// Small, and such that batch size, length and their product change in ways of their own.
constexpr std::array<InputSize, 3> kInputSizes = {{{2, 3}, {2, 4}, {3, 3}}};

/// Marker numbers of probed tensors begin here, so that they are not those of sites.
constexpr int64_t kFirstMarker = 1'000'000'000'000;

/// A tensor or scalar as one run saw it.
struct Sighting {
  bool is_tensor = false;
  std::vector<int64_t> sizes;
  c10::IValue scalar;
};

class Recorder final : public SiteObserver {
 public:
  explicit Recorder(size_t values) : sightings(values) {}

  at::Tensor Observe(int64_t site, const at::Tensor& output) override {
    if (site < kFirstMarker) return output;
    Sighting& sighting = sightings.at(static_cast<size_t>(site - kFirstMarker));
    sighting.is_tensor = true;
    sighting.sizes = output.sizes().vec();
    if (output.dim() == 0 && at::isIntegralType(output.scalar_type(), /*includeBool=*/true)) {
      sighting.scalar = output.item();
    }
    return output;
  }

  std::vector<Sighting> sightings;
};

bool IsNumber(const Value* value) {
  const auto kind = value->type()->kind();
  return kind == c10::TypeKind::IntType || kind == c10::TypeKind::FloatType ||
         kind == c10::TypeKind::BoolType || kind == c10::TypeKind::NumberType;
}

/// The values of a graph whose shape or number a run can show, in order.
std::vector<Value*> ObservableValues(Graph& graph) {
  std::vector<Value*> values;
  for (Node* node : graph.nodes()) {
    if (node->kind() == c10::prim::Constant) continue;
    for (Value* value : node->outputs()) {
      if (IsTensor(value) || IsNumber(value)) values.push_back(value);
    }
  }
  return values;
}

/// Puts a marker behind every tensor and makes every number an output.
void Instrument(Graph& graph, const std::vector<Value*>& values) {
  const c10::Symbol site = Kind(kSiteOperator);
  for (size_t i = 0; i < values.size(); ++i) {
    Value* value = values[i];
    if (!IsTensor(value)) {
      graph.registerOutput(value);
      continue;
    }
    const torch::jit::WithInsertPoint insert(value->node()->next());
    Value* number = graph.insertConstant(kFirstMarker + static_cast<int64_t>(i));
    Node* marker = graph.insertNode(graph.create(site, {value, number}));
    marker->output()->setType(c10::TensorType::get());
    value->replaceAllUsesAfterNodeWith(marker, marker->output());
  }
}

Extent ExtentOf(const std::array<int64_t, 3>& numbers) {
  const auto equals = [&](auto count) {
    for (size_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i] != count(kInputSizes[i])) return false;
    }
    return true;
  };
  if (equals([&](InputSize) { return numbers[0]; })) return Extent::kConstant;
  if (equals([](InputSize size) { return size.batch; })) return Extent::kBatch;
  if (equals([](InputSize size) { return size.length; })) return Extent::kPosition;
  if (equals([](InputSize size) { return size.batch * size.length; })) return Extent::kBatchPosition;
  return Extent::kUnknown;
}

Extent ScalarExtent(const std::array<const Sighting*, 3>& seen) {
  const bool whole = std::ranges::all_of(seen, [](const Sighting* s) { return s->scalar.isInt(); });
  if (whole) {
    return ExtentOf({seen[0]->scalar.toInt(), seen[1]->scalar.toInt(), seen[2]->scalar.toInt()});
  }
  const auto same = [&](const Sighting* s) {
    return !s->scalar.isNone() && s->scalar.tagKind() == seen[0]->scalar.tagKind() &&
           s->scalar == seen[0]->scalar;
  };
  return std::ranges::all_of(seen, same) ? Extent::kConstant : Extent::kUnknown;
}

ProbedValue Compare(const std::array<const Sighting*, 3>& seen) {
  ProbedValue value;
  value.is_tensor = seen[0]->is_tensor;
  value.sizes = seen[0]->sizes;
  value.scalar = seen[0]->scalar;
  const size_t axes = seen[0]->sizes.size();
  if (!value.is_tensor || axes == 0) {
    value.extent = ScalarExtent(seen);
    return value;
  }
  const bool same_rank =
      std::ranges::all_of(seen, [&](const Sighting* s) { return s->sizes.size() == axes; });
  for (size_t axis = 0; axis < axes; ++axis) {
    value.axes.push_back(same_rank
                             ? ExtentOf({seen[0]->sizes[axis], seen[1]->sizes[axis], seen[2]->sizes[axis]})
                             : Extent::kUnknown);
  }
  return value;
}

}  // namespace

std::optional<int64_t> ProbedValue::AxisOf(Extent wanted) const {
  if (CountAxes(wanted) != 1) return std::nullopt;
  return std::ranges::find(axes, wanted) - axes.begin();
}

int64_t ProbedValue::CountAxes(Extent wanted) const { return std::ranges::count(axes, wanted); }

ProbedValues ProbeValues(Graph& graph,
                         const std::function<std::vector<c10::IValue>(int64_t, int64_t)>& make_inputs) {
  const auto instrumented = graph.copy();
  StandInForLinearLayers(*instrumented);
  const std::vector<Value*> originals = ObservableValues(graph);
  const std::vector<Value*> values = ObservableValues(*instrumented);
  const size_t own_outputs = instrumented->outputs().size();
  Instrument(*instrumented, values);
  const Program program(instrumented);

  std::array<std::vector<Sighting>, 3> runs;
  for (size_t run = 0; run < runs.size(); ++run) {
    Recorder recorder(values.size());
    const auto outputs = program.Run(make_inputs(kInputSizes[run].batch, kInputSizes[run].length), recorder);
    runs[run] = std::move(recorder.sightings);
    size_t next_number = own_outputs;
    for (size_t i = 0; i < values.size(); ++i) {
      if (IsNumber(originals[i])) runs[run][i].scalar = outputs.at(next_number++);
    }
  }
  ProbedValues probed;
  for (size_t i = 0; i < originals.size(); ++i) {
    probed.emplace(originals[i], Compare({&runs[0][i], &runs[1][i], &runs[2][i]}));
  }
  return probed;
}

}  // namespace causal_tracer
