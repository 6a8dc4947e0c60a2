"""Rebuild the Hugging Face model of a model folder, to run the Python reference package on the same weights.

A model folder holds the weights once, inside the TorchScript file `model.pt`. The names of its state dict are
taken to be those of the Hugging Face model (`transformer.h.0.attn.c_attn.weight`, ...), possibly behind one
common prefix of the tracing wrapper (`model.transformer.h.0...`). Tied weights may be present under any one
of their names.
"""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)


def load_reference_model(folder: str | Path) -> PreTrainedModel:
    """Build the Hugging Face model of a folder, in evaluation mode, with the weights of `model.pt`.

    Raises ValueError where the state dict of `model.pt` does not cover the model's parameters exactly.
    """
    folder = Path(folder)
    weights = torch.jit.load(str(folder / "model.pt"), map_location="cpu").state_dict()
    config = AutoConfig.from_pretrained(folder)
    dtype = next(value.dtype for value in weights.values() if value.is_floating_point())
    model = AutoModelForCausalLM.from_config(config, dtype=dtype)
    model.tie_weights()

    own = dict(model.state_dict(keep_vars=True))
    weights = _without_wrapper_prefix(weights, set(own))
    unknown = sorted(set(weights) - set(own) - {name for name, _ in model.named_buffers()})
    if unknown:
        raise ValueError(f"{folder}: model.pt has tensors that the model lacks: {', '.join(unknown)}")

    filled: set[int] = set()
    with torch.no_grad():
        for name, value in weights.items():
            if name in own:
                own[name].copy_(value)
                filled.add(own[name].data_ptr())
    missing = sorted(name for name, value in own.items() if value.data_ptr() not in filled)
    if missing:
        raise ValueError(f"{folder}: model.pt lacks the parameters {', '.join(missing)}")
    return model.eval()


def load_reference_tokenizer(folder: str | Path) -> PreTrainedTokenizerBase:
    """Load the tokenizer of a model folder, as the Python reference package takes it."""
    return AutoTokenizer.from_pretrained(Path(folder))


def _without_wrapper_prefix(weights: dict[str, torch.Tensor], names: set[str]) -> dict[str, torch.Tensor]:
    """Drop the wrapper's prefix from the names, if dropping it gives more of the model's own names."""
    candidates = {""}
    for key in weights:
        head, _, rest = key.partition(".")
        if rest in names:
            candidates.add(f"{head}.")
    best = max(candidates, key=lambda prefix: sum(key.removeprefix(prefix) in names for key in weights))
    return {key.removeprefix(best): value for key, value in weights.items()}
