#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "linear_layer.h"

namespace causal_tracer {

/// Qualified name of the operator `linear(Tensor x, int layer, int activation) -> Tensor`, which stands in a
/// rewritten graph for a linear layer and the activation (an enum Activation) behind it.
inline constexpr const char* kLinearOperator = "causal_tracer::linear";

/// Qualified name of the operator `linear_stand_in(Tensor x, int layer) -> Tensor`: any numbers in the shape
/// of the linear layer's output, without the multiplication.
inline constexpr const char* kLinearStandIn = "causal_tracer::linear_stand_in";

/// The linear layers of one model, which owns them. Their numbers are the operator's argument `layer`; no two
/// layers of a process have the same one.
class LinearLayers {
 public:
  LinearLayers() = default;
  ~LinearLayers();
  LinearLayers(const LinearLayers&) = delete;
  LinearLayers& operator=(const LinearLayers&) = delete;

  /// Takes a layer over and returns its number.
  int64_t Add(std::unique_ptr<LinearLayer> layer);

  /// The layers in the order in which they were added.
  const std::vector<int64_t>& numbers() const { return numbers_; }

  /// The layer of a number; it must be owned by some living LinearLayers.
  static LinearLayer& Get(int64_t number);

 private:
  std::vector<int64_t> numbers_;
};

/// Multiplications (each with its addition) that linear layers have done on this thread since it began.
int64_t LinearMultiplications();

}  // namespace causal_tracer
