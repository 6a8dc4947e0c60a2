"""The module that is traced: the Hugging Face model as tensors in, logits out."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor, nn

INPUTS = ("input_ids", "attention_mask", "position_ids")


def accepted_inputs(model: nn.Module) -> tuple[str, ...]:
    """Those of INPUTS that the model's forward takes, in order."""
    parameters = inspect.signature(model.forward).parameters
    return tuple(name for name in INPUTS if name in parameters)


class TracedLanguageModel(nn.Module):
    """Calls a Hugging Face model with tensors only and returns its logits `[batch, position, vocabulary]`.

    The model's children stand here under their own names and the model itself is not registered, so that the
    trace's module names are those of the model, without a prefix.
    """

    def __init__(self, model: nn.Module, inputs: tuple[str, ...]) -> None:
        super().__init__()
        object.__setattr__(self, "_model", model)
        self.inputs = inputs
        for name, child in model.named_children():
            self.add_module(name, child)
        for name, parameter in model.named_parameters(recurse=False):
            self.register_parameter(name, parameter)
        for name, buffer in model.named_buffers(recurse=False):
            self.register_buffer(name, buffer)
        self.eval()

    def forward(self, *tensors: Tensor) -> Tensor:
        """Logits for the tensors that `inputs` names."""
        named = dict(zip(self.inputs, tensors, strict=True))
        return self._model(**named, use_cache=False, return_dict=True).logits


def make_inputs(
    input_ids: Tensor, left_padding: Tensor | None = None, inputs: tuple[str, ...] = INPUTS
) -> dict[str, Tensor]:
    """The named inputs for `input_ids` `[batch, position]`; `left_padding` `[batch]` counts masked positions."""
    batch, length = input_ids.shape
    positions = torch.arange(length).expand(batch, length)
    padding = torch.zeros(batch, dtype=torch.long) if left_padding is None else left_padding
    values = {
        "input_ids": input_ids,
        "attention_mask": (positions >= padding[:, None]).long(),
        "position_ids": (positions - padding[:, None]).clamp(min=0),
    }
    return {name: values[name] for name in inputs}


def default_call(model: Any, input_ids: Tensor) -> Any:
    """The call that a Python user makes: no position ids, everything else left to the model."""
    return model(input_ids=input_ids, attention_mask=torch.ones_like(input_ids), use_cache=False)
