"""The manifest's `check`: what PyTorch computes on fixed ids, for the loader to compare with."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

CHECK_BATCH, CHECK_LENGTH, TOP_LOGITS = 2, 8, 5


def checksum(tensor: Tensor) -> dict[str, float]:
    """Mean, norm and an order-sensitive projection in float64; see `manifestSchema` in src/model/manifest.ts."""
    values = tensor.detach().to(torch.float64).reshape(-1)
    index = torch.arange(values.numel(), dtype=torch.int64)
    weights = ((index * 2654435761) % 2**32).to(torch.float64) / 2**32 - 0.5
    return {
        "mean": values.mean().item(),
        "norm": values.square().sum().sqrt().item(),
        "projection": (values * weights).sum().item(),
    }


def top_logits(logits: Tensor) -> list[list[dict[str, Any]]]:
    """For each row the largest logits of the last position, best first; `logits` is `[batch, position, vocabulary]`."""
    last = logits[:, -1].float()
    values, ids = last.topk(min(TOP_LOGITS, last.shape[-1]), dim=-1)
    return [
        [{"id": int(token), "logit": float(value)} for token, value in zip(row_ids, row_values, strict=True)]
        for row_ids, row_values in zip(ids, values, strict=True)
    ]


def fingerprint(input_ids: Tensor, logits: Tensor, outputs: dict[str, Tensor]) -> dict[str, Any]:
    """The check of a model whose hooks saw `outputs` (by module name) on `input_ids` `[batch, position]`."""
    return {
        "inputIds": input_ids.tolist(),
        "topLogits": top_logits(logits),
        "sites": [
            {"module": name, "shape": list(output.shape), "checksum": checksum(output)}
            for name, output in outputs.items()
        ],
    }
