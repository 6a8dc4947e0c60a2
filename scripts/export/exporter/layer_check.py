"""Proves that a layer config names activations that can be traced."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from torch import Tensor, nn

from .errors import ExportError
from .layer_config import LayerConfig, matching_layers, name_of_layer
from .module_outputs import ModuleRecord, all_modules, record_modules

REMEDY = "give the four module names with --layer-config file.json"


@dataclass(frozen=True)
class CheckedLayers:
    """A layer config that holds for a model, and what its sites gave."""

    config: LayerConfig
    layer_count: int
    hidden_size: int
    outputs: dict[str, Tensor]


def check_layers(model: nn.Module, config: LayerConfig, inputs: dict[str, Tensor]) -> CheckedLayers:
    """Find every site of `config` and run the model on `inputs` (input_ids `[batch, position]`).

    Each site must be called exactly once and give `[batch, position, hidden]`. Raises ExportError
    LAYER_TEMPLATE_INVALID where a name matches nothing and LAYER_CONFIG_INVALID where a site does not fit.
    """
    layer_count = _count_layers(config, set(all_modules(model)))
    sites = config.sites(layer_count)
    records = record_modules(model, sites, inputs)
    batch, length = inputs["input_ids"].shape
    outputs = {name: _only_output(name, records[name]) for name in sites}
    for name, output in outputs.items():
        if output.dim() != 3 or tuple(output.shape[:2]) != (batch, length):
            raise ExportError(
                "LAYER_CONFIG_INVALID",
                f"{name} gives a tensor of shape {list(output.shape)} for {batch} rows of {length} tokens; traced "
                f"activations must be [batch, position, hidden]; {REMEDY}",
            )
    hidden_size = outputs[name_of_layer(config.hidden_layers, 0)].shape[-1]
    for name in sites[1:]:
        if outputs[name].shape[-1] != hidden_size:
            raise ExportError(
                "LAYER_CONFIG_INVALID",
                f"{name} gives vectors of {outputs[name].shape[-1]} numbers, the first block of {hidden_size}; "
                f"block, attention and MLP outputs must be equally wide; {REMEDY}",
            )
    if not isinstance(getattr(model.get_submodule(config.embedding_layer), "weight", None), Tensor):
        raise ExportError("LAYER_CONFIG_INVALID", f"{config.embedding_layer} has no weight; {REMEDY}")
    return CheckedLayers(config, layer_count, hidden_size, outputs)


def _count_layers(config: LayerConfig, names: set[str]) -> int:
    layers = matching_layers(config.hidden_layers, names)
    templates = (config.hidden_layers, config.attention_layers, config.mlp_layers)
    for template in templates:
        found = matching_layers(template, names)
        if not found:
            example = name_of_layer(template, 0)
            raise ExportError(
                "LAYER_TEMPLATE_INVALID", f"no module is named {example}{_near(example, names)}; {REMEDY}"
            )
        if found != layers or found != list(range(len(found))):
            raise ExportError(
                "LAYER_CONFIG_INVALID",
                f"{config.hidden_layers} matches layers {_ranges(layers)}, but {template} matches "
                f"{_ranges(found)}; every layer from 0 on must have all three modules; {REMEDY}",
            )
    if config.embedding_layer not in names:
        near = _near(config.embedding_layer, names)
        raise ExportError(
            "LAYER_TEMPLATE_INVALID", f"no module is named {config.embedding_layer}{near}; {REMEDY}"
        )
    return len(layers)


def _only_output(name: str, record: ModuleRecord) -> Tensor:
    calls = len(record.outputs)
    if calls != 1:
        what = "is never called" if calls == 0 else f"is called {calls} times"
        raise ExportError(
            "LAYER_CONFIG_INVALID",
            f"{name} {what} in one forward pass; a traced module must be called exactly once; {REMEDY}",
        )
    output = record.outputs[0]
    if output is None:
        raise ExportError("LAYER_CONFIG_INVALID", f"the output of {name} holds no tensor; {REMEDY}")
    return output


def _near(name: str, names: set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(names), n=3, cutoff=0.5)
    return f" (near names: {', '.join(near)})" if near else ""


def _ranges(layers: list[int]) -> str:
    if layers == list(range(layers[0], layers[-1] + 1)):
        return f"{layers[0]} to {layers[-1]}"
    return ", ".join(map(str, layers))
