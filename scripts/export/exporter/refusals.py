"""Models whose trace would be wrong, refused by name before anything is loaded or written."""

from __future__ import annotations

import re
from typing import Any

from torch import nn

from .errors import ExportError

# Names as transformers writes them, so that GptOssModel is not taken for a state-space model (SSM).
RECURRENT_CLASS = re.compile(
    r"Mamba|SSM|Rwkv|RWKV|RetNet|xLSTM|[ms]LSTM|Recurrent|DeltaNet|DeltaRule|LinearAttention|LightningAttention"
    r"|ShortConv|RgLru|Hyena"
)
LENGTH_DEPENDENT_ROPE = ("dynamic", "longrope", "su")


def refuse_config(config: Any) -> None:
    """Raise ExportError EXPORT_FAILED where the config alone says that a trace cannot be right."""
    family = config.model_type
    if getattr(config, "is_encoder_decoder", False):
        raise ExportError(
            "EXPORT_FAILED",
            f"{family} is an encoder-decoder model; causal tracing here is for decoder-only language models",
        )
    if getattr(config, "quantization_config", None) is not None:
        raise ExportError(
            "EXPORT_FAILED",
            f"the weights of this {family} model are quantized; export the model with its full-precision weights",
        )
    text_config = config.get_text_config() if hasattr(config, "get_text_config") else config
    for rope_type in sorted(_rope_types(text_config)):
        if rope_type in LENGTH_DEPENDENT_ROPE:
            raise ExportError(
                "EXPORT_FAILED",
                f'this {family} model uses the rotary scaling "{rope_type}", whose frequencies depend on the '
                "prompt's length; a trace keeps those of the traced length and would be silently wrong at others",
            )


def refuse_model(model: nn.Module) -> None:
    """Raise ExportError EXPORT_FAILED for models with a recurrence over positions."""
    for name, module in model.named_modules():
        class_name = type(module).__name__
        if name and RECURRENT_CLASS.search(class_name):
            raise ExportError(
                "EXPORT_FAILED",
                f"this model has a recurrence over positions ({name} is a {class_name}); a trace fixes its number "
                "of steps to the traced length, so such models cannot be exported",
            )


def _rope_types(config: Any) -> set[str]:
    found: set[str] = set()
    pending = [getattr(config, name, None) for name in ("rope_parameters", "rope_scaling")]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            found |= {str(value[key]) for key in ("rope_type", "type") if isinstance(value.get(key), str)}
            pending += [inner for inner in value.values() if isinstance(inner, dict)]
    return found
