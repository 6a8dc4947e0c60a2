"""Finds the layer config of an unknown family by looking at its module tree and at one forward pass."""

from __future__ import annotations

import itertools
import re

import torch
from torch import Tensor, nn

from .errors import ExportError
from .layer_check import REMEDY
from .layer_config import LayerConfig
from .module_outputs import ModuleRecord, all_modules, record_modules

ATTENTION = re.compile(r"attn|attention", re.IGNORECASE)
MLP = re.compile(r"mlp|ffn|feed_?forward|moe", re.IGNORECASE)
NOT_A_PART = re.compile(r"norm|ln_|dropout|rotary|layer_?scale", re.IGNORECASE)


def inspect_layers(model: nn.Module, inputs: dict[str, Tensor]) -> LayerConfig:
    """Find blocks, attention, MLP and embedding, or raise ExportError LAYER_CONFIG_INVALID saying what was seen.

    Blocks are the longest ModuleList whose entries hand the hidden state to one another. Attention and MLP are
    the blocks' only children of such a name or class. In doubt nothing is guessed.
    """
    modules = all_modules(model)
    records = record_modules(model, modules, inputs)
    shape = tuple(inputs["input_ids"].shape)
    chains = {
        name: len(module)
        for name, module in modules.items()
        if isinstance(module, nn.ModuleList) and _is_chain(name, len(module), records, shape)
    }
    longest = [name for name, length in chains.items() if length == max(chains.values())]
    if len(longest) != 1:
        seen = ", ".join(f"{name} ({length})" for name, length in chains.items()) or "none"
        raise _unknown(
            f"lists of modules that hand a hidden state on: {seen}; exactly one longest was expected"
        )
    blocks = longest[0]
    attention = _part("attention", ATTENTION, blocks, modules, records, shape)
    mlp = _part("MLP", MLP, blocks, modules, records, shape)
    embedding = next((name for name, module in modules.items() if module is _input_embedding(model)), None)
    if embedding is None:
        raise _unknown("the model does not say which module is its token embedding")
    for part in (attention, mlp):
        whole, inner = records[f"{blocks}.0"].outputs[0], records[f"{blocks}.0.{part}"].outputs[0]
        if whole is not None and inner is not None and torch.equal(whole, inner):
            raise _unknown(f"the output of {blocks}.0.{part} equals its block's, so it includes the residual")
    layer = f"{blocks}.{{num}}"
    return LayerConfig(layer, f"{layer}.{attention}", f"{layer}.{mlp}", embedding)


def _is_chain(name: str, length: int, records: dict[str, ModuleRecord], shape: tuple[int, ...]) -> bool:
    entries = [records[f"{name}.{index}"] for index in range(length)]
    if not entries or not all(_gives_hidden_state(entry, shape) for entry in entries):
        return False
    for before, after in itertools.pairwise(entries):
        given, seen = after.inputs[0], before.outputs[0]
        if given is None or seen is None or not torch.equal(given, seen):
            return False
    return True


def _gives_hidden_state(record: ModuleRecord, shape: tuple[int, ...]) -> bool:
    output = record.outputs[0] if len(record.outputs) == 1 else None
    return output is not None and output.dim() == 3 and tuple(output.shape[:2]) == shape


def _part(
    what: str,
    pattern: re.Pattern[str],
    blocks: str,
    modules: dict[str, nn.Module],
    records: dict[str, ModuleRecord],
    shape: tuple[int, ...],
) -> str:
    layer = f"{blocks}.0"
    children = {
        name: type(child).__name__
        for name, child in modules[layer].named_children()
        if not NOT_A_PART.search(name) and not NOT_A_PART.search(type(child).__name__)
    }
    # The attribute's name says what a child is for; its class may carry the family's name, which misleads (MoE).
    labelled = [name for name in children if pattern.search(name)]
    labelled = labelled or [name for name, class_name in children.items() if pattern.search(class_name)]
    good = [name for name in labelled if _gives_hidden_state(records[f"{layer}.{name}"], shape)]
    if len(good) != 1:
        seen = ", ".join(
            f"{name} ({class_name}{_shape(records[f'{layer}.{name}'])})"
            for name, class_name in children.items()
        )
        raise _unknown(
            f"{layer} has {len(good)} children that are its {what} by name and give [batch, position, hidden]; "
            f"it has {seen}"
        )
    return good[0]


def _shape(record: ModuleRecord) -> str:
    if not record.outputs:
        return ", not called"
    return "" if record.outputs[0] is None else f" giving {list(record.outputs[0].shape)}"


def _input_embedding(model: nn.Module) -> nn.Module | None:
    try:
        return model.get_input_embeddings()
    except (AttributeError, NotImplementedError):
        return None


def _unknown(what_was_seen: str) -> ExportError:
    return ExportError(
        "LAYER_CONFIG_INVALID", f"cannot tell where this model's layers are: {what_was_seen}; {REMEDY}"
    )
