"""What Python forward hooks see during one forward pass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn


@dataclass
class ModuleRecord:
    """The calls of one module in one forward pass: copies of each call's first input and first output tensor."""

    inputs: list[Tensor | None] = field(default_factory=list)
    outputs: list[Tensor | None] = field(default_factory=list)


def first_tensor(value: Any) -> Tensor | None:
    """The tensor itself, or the first tensor of a tuple, list or Hugging Face output."""
    if isinstance(value, Tensor):
        return value
    if hasattr(value, "to_tuple"):
        value = value.to_tuple()
    if isinstance(value, (tuple, list)):
        return next((element for element in value if isinstance(element, Tensor)), None)
    return None


def all_modules(model: nn.Module) -> dict[str, nn.Module]:
    """Every module by name, a module with several names under each of them."""
    return dict(model.named_modules(remove_duplicate=False))


def record_modules(
    model: nn.Module, names: Iterable[str], inputs: dict[str, Tensor]
) -> dict[str, ModuleRecord]:
    """Run `model` once on `inputs` and record the named modules. Modules that were not called have no calls."""
    modules = all_modules(model)
    records = {name: ModuleRecord() for name in names}
    handles = []

    def watch(record: ModuleRecord) -> Any:
        def hook(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
            given = first_tensor(args)
            if given is None:
                given = first_tensor(kwargs.get("hidden_states"))
            seen = first_tensor(output)
            # Copies: a later in-place operation must not change what was seen.
            record.inputs.append(None if given is None else given.clone())
            record.outputs.append(None if seen is None else seen.clone())

        return hook

    try:
        for name, record in records.items():
            handles.append(modules[name].register_forward_hook(watch(record), with_kwargs=True))
        with torch.no_grad():
            model(**inputs)
    finally:
        for handle in handles:
            handle.remove()
    return records
