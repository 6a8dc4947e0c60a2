#pragma once

#include <string>
#include <vector>

#include "../core/hook_point.h"
#include "../core/tensor_edit.h"
#include "values.h"

namespace causal_tracer::node {

/// What a run does at one hook point.
struct PointEdit {
  HookPoint point;
  TensorEdit edit;
};

/// A forward pass as JavaScript asks for it.
struct RunRequest {
  /// int64 `[batch, position]`
  at::Tensor input_ids;
  std::vector<HookPoint> capture;
  std::vector<PointEdit> edits;
  /// Where JavaScript functions are called, by their numbers.
  std::vector<HookPoint> hooks;
  /// `last`, `all` or `none`.
  std::string logits;
};

/// Row-major ids `[batch, position]` of an object's `inputIds` and `batch`.
at::Tensor ReadInputIds(const ObjectReader& object);

/// Objects `{ module, at }`.
std::vector<HookPoint> ReadHookPoints(const ObjectReader& object, const char* name);

RunRequest ReadRunRequest(const ObjectReader& object);

}  // namespace causal_tracer::node
