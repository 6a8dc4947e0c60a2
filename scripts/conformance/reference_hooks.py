"""What PyTorch's forward hooks see and do in a tiny model, at the inputs and outputs of its modules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from exporter.fingerprint import checksum
from exporter.module_outputs import all_modules, first_tensor, record_modules
from torch import Tensor, nn
from transformers import PreTrainedModel

#: Where edits add their vector.
ROW, POSITION = 1, 3


def record_hooks(model: PreTrainedModel, folder: Path) -> dict[str, Any]:
    """The inputs and outputs of every module that is called, and the logits after edits at the layers' modules.

    `folder` is the model folder, whose manifest has the token ids and names the layers.
    """
    manifest = json.loads((folder / "causal-tracer.json").read_text("utf-8"))
    inputs = _inputs(torch.tensor(manifest["check"]["inputIds"]), manifest["inputs"])
    names = [name for name in all_modules(model) if name]
    modules = []
    for name, record in record_modules(model, names, inputs).items():
        if not record.outputs:
            continue
        modules.append(
            {"module": name, "input": _summary(record.inputs[-1]), "output": _summary(record.outputs[-1])}
        )
    edits = []
    for site in _edited_sites(manifest):
        for at in ("input", "output"):
            logits = _edited_logits(model, inputs, site, at)
            if logits is not None:
                edits.append({"module": site, "at": at, "logits": _summary(logits)})
    return {"row": ROW, "position": POSITION, "modules": modules, "edits": edits}


def edit_vector(size: int) -> Tensor:
    """The vector that edits add: a fixed pattern from -0.5 to 0.5."""
    return ((torch.arange(size) * 7) % 11 - 5) / 10


def _inputs(ids: Tensor, names: list[str]) -> dict[str, Tensor]:
    every = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "position_ids": torch.arange(ids.shape[1]).repeat(ids.shape[0], 1),
    }
    return {name: every[name] for name in names} | {"use_cache": False}


def _edited_sites(manifest: dict[str, Any]) -> list[str]:
    """The embedding, and the modules of the first and the last layer."""
    layers = manifest["layerConfig"]
    matchers = [layers[f"{kind}LayersMatcher"] for kind in ("hidden", "attention", "mlp")]
    numbers = (0, manifest["layerCount"] - 1)
    return [
        layers["embeddingLayer"],
        *(matcher.replace("{num}", str(number)) for number in numbers for matcher in matchers),
    ]


def _summary(tensor: Tensor | None) -> dict[str, Any] | None:
    if tensor is None:
        return None
    return {"shape": list(tensor.shape), "checksum": checksum(tensor)}


@torch.no_grad()
def _edited_logits(model: nn.Module, inputs: dict[str, Any], name: str, at: str) -> Tensor | None:
    """The logits `[batch, position, vocabulary]`; None where what would be edited are token ids."""
    seen: list[Tensor] = []

    def edited(tensor: Tensor) -> Tensor:
        seen.append(tensor)
        changed = tensor.clone()
        if tensor.is_floating_point():
            changed[ROW, POSITION] += edit_vector(tensor.shape[-1])
        return changed

    def before(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if args:
            return (edited(args[0]), *args[1:]), kwargs
        return args, {**kwargs, "hidden_states": edited(kwargs["hidden_states"])}

    def after(_module: nn.Module, _args: Any, output: Any) -> Any:
        tensor = edited(first_tensor(output))
        return tensor if isinstance(output, Tensor) else (tensor, *output[1:])

    module = all_modules(model)[name]
    if at == "input":
        handle = module.register_forward_pre_hook(before, with_kwargs=True)
    else:
        handle = module.register_forward_hook(after)
    try:
        logits = model(**inputs).logits
    finally:
        handle.remove()
    return logits if seen[0].is_floating_point() else None
