#include "run_values.h"

#include <ATen/ops/tensor.h>

namespace causal_tracer::node {
namespace {

HookPoint ReadHookPoint(const ObjectReader& object) {
  const std::string at = object.String("at");
  if (at != "input" && at != "output") {
    throw Error(ErrorCode::kInvalidOption, "at must be 'input' or 'output', not '" + at + "'.");
  }
  return {.module = object.String("module"), .at = at == "input" ? HookAt::kInput : HookAt::kOutput};
}

TensorEdit::Operation ReadOperation(const ObjectReader& object) {
  const std::string name = object.String("operation");
  if (name == "set") return TensorEdit::Operation::kSet;
  if (name == "add") return TensorEdit::Operation::kAdd;
  if (name == "scale") return TensorEdit::Operation::kScale;
  throw Error(ErrorCode::kInvalidOption, "operation must be 'set', 'add' or 'scale', not '" + name + "'.");
}

/// Whether a tensor of sizes of at least 1 has `count` elements; without the product, which may overflow.
bool HoldsAsMany(const std::vector<int64_t>& shape, int64_t count) {
  for (const int64_t size : shape) {
    if (size < 1 || count % size != 0) return false;
    count /= size;
  }
  return count == 1;
}

TensorEdit ReadEdit(const ObjectReader& object) {
  const at::Tensor values = object.Floats("values");
  const std::vector<int64_t> shape = object.Integers("shape");
  if (!HoldsAsMany(shape, values.numel())) {
    throw Error(ErrorCode::kInvalidOption,
                "An edit's shape is not that of its " + std::to_string(values.numel()) + " values.");
  }
  return {.operation = ReadOperation(object),
          .rows = object.Integers("rows"),
          .positions = object.Integers("positions"),
          .values = values.reshape(shape)};
}

}  // namespace

at::Tensor ReadInputIds(const ObjectReader& object) {
  const std::vector<int64_t> ids = object.Integers("inputIds");
  const int64_t batch = object.Integer("batch", 1);
  if (ids.empty() || static_cast<int64_t>(ids.size()) % batch != 0) {
    throw Error(ErrorCode::kInvalidOption, "inputIds must hold batch rows of one length.");
  }
  return at::tensor(ids, at::kLong).reshape({batch, -1});
}

std::vector<HookPoint> ReadHookPoints(const ObjectReader& object, const char* name) {
  std::vector<HookPoint> points;
  for (const ObjectReader& point : object.Objects(name)) points.push_back(ReadHookPoint(point));
  return points;
}

RunRequest ReadRunRequest(const ObjectReader& object) {
  RunRequest request{.input_ids = ReadInputIds(object),
                     .capture = ReadHookPoints(object, "capture"),
                     .edits = {},
                     .hooks = ReadHookPoints(object, "hooks"),
                     .logits = object.String("logits")};
  for (const ObjectReader& edit : object.Objects("edits")) {
    request.edits.push_back({.point = ReadHookPoint(edit), .edit = ReadEdit(edit)});
  }
  if (request.logits != "last" && request.logits != "all" && request.logits != "none") {
    throw Error(ErrorCode::kInvalidOption,
                "logits must be 'last', 'all' or 'none', not '" + request.logits + "'.");
  }
  return request;
}

}  // namespace causal_tracer::node
