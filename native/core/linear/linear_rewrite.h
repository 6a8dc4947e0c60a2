#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include "linear_operator.h"

namespace causal_tracer {

/// Replaces every product with constant float32 weights (`aten::linear`, and the `aten::addmm` of GPT-2's
/// Conv1D) by the linear operator. The layers go to `layers`.
void UseLinearLayers(torch::jit::Graph& graph, LinearLayers& layers);

/// Lets linear operators apply the activation behind them, where nothing else sees the product. The eight
/// operators of GELU's tanh approximation count as one activation.
void FuseActivations(torch::jit::Graph& graph);

/// Puts stand-ins in the place of linear operators, for runs of which only the shapes count.
void StandInForLinearLayers(torch::jit::Graph& graph);

enum class KernelChoice {
  /// The faster one of each shape, measured once a process.
  kAuto,
  /// ATen's own.
  kDefault,
};

/// Packs the layers for which the prepacked kernel is the faster one.
void ChooseKernels(const LinearLayers& layers, KernelChoice choice);

}  // namespace causal_tracer
