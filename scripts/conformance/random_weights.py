"""Draws the weights of a tiny model so that it is as sensitive as a trained one.

Answers then have probabilities far from 0 and 1, attention is far from uniform, and noise on a few embeddings moves
the answers by tenths: a difference of 1e-5 between two implementations means that they compute the same.
"""

from __future__ import annotations

import math

import torch
from torch import nn

LOGIT_DEVIATION = 4.0
GAIN = 1.3


def draw_weights(model: nn.Module, seed: int) -> None:
    """Fill every parameter of `model`; the same on every run."""
    generator = torch.Generator().manual_seed(seed)
    head = getattr(model, "lm_head", None)
    embedding = model.get_input_embeddings().weight
    with torch.no_grad():
        for module in model.modules():
            for name, parameter in module.named_parameters(recurse=False):
                mean, deviation = _distribution(module, name, parameter)
                if parameter is embedding or (head is not None and parameter is head.weight):
                    mean, deviation = 0.0, LOGIT_DEVIATION / math.sqrt(parameter.shape[1])
                parameter.copy_(mean + deviation * torch.randn(parameter.shape, generator=generator))
        model.tie_weights()


def _distribution(module: nn.Module, name: str, parameter: torch.Tensor) -> tuple[float, float]:
    """Mean and standard deviation of one parameter's elements."""
    kind = type(module).__name__.lower()
    if parameter.dim() == 1:
        if "norm" in kind and name == "weight":
            # Gemma multiplies by one plus the weight.
            return (0.0 if kind.startswith("gemma") else 1.0), 0.2
        return 0.0, 0.5 if name == "sinks" else 0.1
    if isinstance(module, nn.Embedding):
        return 0.0, 0.5
    inputs = parameter.shape[0] if kind == "conv1d" else sum(parameter.shape[-2:]) / 2
    if isinstance(module, nn.Linear):
        inputs = parameter.shape[1]
    return 0.0, GAIN / math.sqrt(inputs)
