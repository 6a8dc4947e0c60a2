"""Where the traced activations of a model are: the Python form of src/model/layer-config.ts."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from .errors import ExportError

FIELDS = {
    "hiddenLayersMatcher": "hidden_layers",
    "attentionLayersMatcher": "attention_layers",
    "mlpLayersMatcher": "mlp_layers",
    "embeddingLayer": "embedding_layer",
}


@dataclass(frozen=True)
class LayerConfig:
    """Three templates with `{num}` for the layer's number, counted from 0, and the embedding's module name."""

    hidden_layers: str
    attention_layers: str
    mlp_layers: str
    embedding_layer: str

    def to_json(self) -> dict[str, str]:
        """The fields as the manifest names them."""
        values = asdict(self)
        return {name: values[attribute] for name, attribute in FIELDS.items()}

    def sites(self, layer_count: int) -> list[str]:
        """Every traced module's name: the embedding, then block, attention and MLP of each layer."""
        names = [self.embedding_layer]
        for layer in range(layer_count):
            templates = (self.hidden_layers, self.attention_layers, self.mlp_layers)
            names += [name_of_layer(template, layer) for template in templates]
        return names


def name_of_layer(template: str, layer: int) -> str:
    """The module that `template` names for `layer`."""
    return template.replace("{num}", str(layer))


def matching_layers(template: str, names: set[str]) -> list[int]:
    """The layer numbers, ascending, for which `names` holds the template's module."""
    before, after = template.split("{num}")
    pattern = re.compile(re.escape(before) + r"(0|[1-9]\d*)" + re.escape(after))
    return sorted(int(match[1]) for match in map(pattern.fullmatch, names) if match)


def read_layer_config(path: Path) -> LayerConfig:
    """Read a `--layer-config` file.

    Raises ExportError LAYER_CONFIG_INVALID where the file is not a JSON object with exactly the four fields, and
    LAYER_TEMPLATE_INVALID where a template lacks `{num}`.
    """
    try:
        value = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ExportError("LAYER_CONFIG_INVALID", f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise ExportError("LAYER_CONFIG_INVALID", f"{path} is not JSON: {error}") from None
    return parse_layer_config(value, str(path))


def parse_layer_config(value: object, where: str) -> LayerConfig:
    """Check a decoded layer config; `where` names it in messages."""
    wanted = ", ".join(FIELDS)
    if not isinstance(value, dict):
        raise ExportError("LAYER_CONFIG_INVALID", f"{where} must be an object with the fields {wanted}")
    unknown = sorted(set(value) - set(FIELDS))
    missing = [field for field in FIELDS if field not in value]
    if unknown or missing:
        problems = [f"lacks {', '.join(missing)}"] if missing else []
        problems += [f"has unknown fields {', '.join(unknown)}"] if unknown else []
        raise ExportError(
            "LAYER_CONFIG_INVALID", f"{where} {' and '.join(problems)}; its fields must be {wanted}"
        )
    for field in FIELDS:
        if not isinstance(value[field], str) or not value[field]:
            raise ExportError("LAYER_CONFIG_INVALID", f"{field} in {where} must be a module name")
        placeholders = value[field].count("{num}")
        if field != "embeddingLayer" and placeholders != 1:
            raise ExportError(
                "LAYER_TEMPLATE_INVALID",
                f'{field} in {where} is "{value[field]}"; it must contain {{num}} once, '
                "where the layer's number stands (transformer.h.{num}.mlp)",
            )
    return LayerConfig(**{attribute: value[field] for field, attribute in FIELDS.items()})
