"""Loads a Hugging Face causal language model for export: complete weights, one dtype, a chosen attention."""

from __future__ import annotations

import re
from typing import Any

import torch

from .errors import ExportError, first_line
from .gguf_file import GgufFile, check_rotary_scaling
from .model_source import ModelSource
from .refusals import refuse_config, refuse_model

GGUF_ARCHITECTURE = re.compile(r"GGUF model with architecture (\S+) is not supported")
NO_FUSED_ATTENTION = re.compile(r"scaled_dot_product_attention|attn_implementation")


class FusedAttentionUnsupportedError(Exception):
    """The family cannot run on `scaled_dot_product_attention`."""


def load_config(source: ModelSource, gguf: GgufFile | None = None) -> Any:
    """Load the config and refuse what cannot be exported. Raises ExportError.

    `gguf` is the header of the source's GGUF file.
    """
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(source.location, **source.loading_options())
    except Exception as error:
        raise _loading_error(source, "config", error) from error
    refuse_config(config)
    if gguf is not None:
        check_rotary_scaling(gguf, config)
    return config


def load_model(source: ModelSource, config: Any, dtype: str, attention: str) -> Any:
    """Load the model in eval mode on the CPU. Raises ExportError, also where weights are missing.

    Raises FusedAttentionUnsupportedError, before any weight is read, where `attention` is `sdpa` and the family
    has no such attention.
    """
    from transformers import AutoModelForCausalLM

    try:
        model, report = AutoModelForCausalLM.from_pretrained(
            source.location,
            config=config,
            dtype=getattr(torch, dtype),
            attn_implementation=attention,
            output_loading_info=True,
            **_unpacked(source),
            **source.loading_options(),
        )
    except Exception as error:
        if attention == "sdpa" and isinstance(error, ValueError) and NO_FUSED_ATTENTION.search(str(error)):
            raise FusedAttentionUnsupportedError from error
        raise _loading_error(source, "model", error) from error
    missing = sorted(report["missing_keys"]) + sorted(str(key) for key in report["mismatched_keys"])
    if missing:
        raise ExportError(
            "MODEL_FILE_INVALID",
            f"{source.describe()} lacks {len(missing)} weights of {type(model).__name__} ({', '.join(missing[:3])}"
            f"{', …' if len(missing) > 3 else ''}); they would be random numbers",
        )
    refuse_model(model)
    return model.eval().requires_grad_(False)


def _unpacked(source: ModelSource) -> dict[str, Any]:
    """Options with which the weights of a GGUF file become ordinary ones."""
    if source.gguf_file is None:
        return {}
    from transformers import GgufConfig

    return {"quantization_config": GgufConfig(dequantize=True)}


def _loading_error(source: ModelSource, what: str, error: Exception) -> ExportError:
    if isinstance(error, ExportError):
        return error
    text = " ".join(str(error).split())
    if isinstance(error, MemoryError) or "can't allocate memory" in text:
        return ExportError(
            "OUT_OF_MEMORY", f"not enough memory to load {source.describe()}; try --dtype bfloat16"
        )
    if "trust_remote_code" in text:
        return ExportError(
            "EXPORT_FAILED",
            f"{source.describe()} brings Python code of its own; give --trust-remote-code if you trust it",
        )
    architecture = GGUF_ARCHITECTURE.search(text)
    if source.gguf_file is not None and architecture is not None:
        return ExportError(
            "EXPORT_FAILED",
            f"{source.describe()} is of the architecture {architecture[1]}, which transformers cannot read from GGUF; "
            "export the original Hugging Face model instead",
        )
    if "Unrecognized configuration class" in text:
        return ExportError("EXPORT_FAILED", f"{source.describe()} is not a causal language model")
    if isinstance(error, OSError) and source.is_local:
        return ExportError(
            "MODEL_FILE_NOT_FOUND", f"cannot load the {what} of {source.describe()}: {text[:400]}"
        )
    if isinstance(error, OSError):
        return ExportError(
            "MODEL_FOLDER_NOT_FOUND",
            f"there is no local folder {source.location}, and the model of that id cannot be had from the hub: "
            f"{text[:400]}",
        )
    if type(error).__name__ == "SafetensorError":
        return ExportError(
            "MODEL_FILE_INVALID", f"the weights in {source.describe()} are damaged: {text[:400]}"
        )
    return ExportError(
        "EXPORT_FAILED", f"cannot load the {what} of {source.describe()}: {first_line(error)[:400]}"
    )
