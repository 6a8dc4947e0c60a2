"""What PyTorch's forward hooks see and do at every module of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from golden_files import model_sha256, write_golden
from reference_model import load_reference_model
from torch import Tensor, nn

BATCH, LENGTH = 2, 9
SAMPLES = 8
EDITS = (
    {"operation": "add", "row": 0, "position": 3},
    {"operation": "set", "row": 1, "position": 5},
)


def make_hooks(folder: Path, file: Path, versions: dict[str, str]) -> str:
    """Write, for every module that is called, its output and the logits after edits of it."""
    model = load_reference_model(folder)
    input_ids = _fixed_ids(model.config.vocab_size)
    inputs = {
        "input_ids": input_ids,
        "attention_mask": torch.ones_like(input_ids),
        "position_ids": torch.arange(LENGTH).repeat(BATCH, 1),
    }
    outputs = _outputs(model, inputs)
    clean = _logits(model, inputs)
    edits = []
    for name in outputs:
        for edit in EDITS:
            logits = _edited_logits(model, inputs, name, edit)
            edits.append(
                {
                    "module": name,
                    **edit,
                    "largestChange": (logits - clean).abs().max().item(),
                    "logits": _summary(logits),
                }
            )
    header = {
        "versions": versions,
        "model": folder.name,
        "modelSha256": model_sha256(folder),
        "inputIds": input_ids.tolist(),
        "logits": _summary(clean),
    }
    sites = [{"module": name, **_summary(output)} for name, output in outputs.items()]
    write_golden(file, header, {"modules": sites, "edits": edits})
    changed = sum(edit["largestChange"] > 1e-3 for edit in edits)
    return f"{len(sites)} modules, {len(edits)} edits, {changed} of which change the logits"


def edit_vector(size: int) -> Tensor:
    """The vector that edits add or set: a fixed pattern from -0.5 to 0.5."""
    return ((torch.arange(size) * 7) % 11 - 5) / 10


def checksum(tensor: Tensor) -> dict[str, float]:
    """Mean, norm and an order-sensitive projection, as described in src/model/manifest.ts."""
    values = tensor.to(torch.float64).reshape(-1)
    weights = ((torch.arange(values.numel()) * 2654435761) % 2**32).to(torch.float64) / 2**32 - 0.5
    return {
        "mean": values.mean().item(),
        "norm": values.square().sum().sqrt().item(),
        "projection": (values * weights).sum().item(),
    }


def _summary(tensor: Tensor) -> dict[str, Any]:
    values = tensor.detach().reshape(-1)
    indices = torch.linspace(0, values.numel() - 1, SAMPLES).round().long().unique()
    return {
        "shape": list(tensor.shape),
        "checksum": checksum(tensor.detach()),
        "samples": [[int(index), values[index].item()] for index in indices],
    }


def _fixed_ids(vocabulary_size: int) -> Tensor:
    return (torch.arange(BATCH * LENGTH).reshape(BATCH, LENGTH) * 37 + 5) % vocabulary_size


@torch.no_grad()
def _logits(model: nn.Module, inputs: dict[str, Tensor]) -> Tensor:
    return model(**inputs, use_cache=False).logits


def _outputs(model: nn.Module, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """The first tensor of each module's output, in the order of the calls; the whole model is left out."""
    outputs: dict[str, Tensor] = {}
    handles = []
    for name, module in model.named_modules():
        if name:
            handles.append(
                module.register_forward_hook(
                    lambda _module, _args, output, name=name: outputs.__setitem__(
                        name, _first(output).clone()
                    )
                )
            )
    _logits(model, inputs)
    for handle in handles:
        handle.remove()
    return outputs


def _edited_logits(model: nn.Module, inputs: dict[str, Tensor], name: str, edit: dict[str, Any]) -> Tensor:
    where = edit["row"], edit["position"]

    def hook(_module: nn.Module, _args: Any, output: Any) -> Any:
        edited = _first(output).clone()
        vector = edit_vector(edited.shape[-1])
        edited[where] = vector + edited[where] if edit["operation"] == "add" else vector
        return _with_first(output, edited)

    handle = model.get_submodule(name).register_forward_hook(hook)
    try:
        return _logits(model, inputs)
    finally:
        handle.remove()


def _first(output: Any) -> Tensor:
    return output if isinstance(output, Tensor) else output[0]


def _with_first(output: Any, tensor: Tensor) -> Any:
    """`output` with its first tensor replaced."""
    if isinstance(output, Tensor):
        return tensor
    if isinstance(output, tuple):
        return (tensor, *output[1:])
    output[next(iter(output.keys()))] = tensor
    return output
