"""Chooses the attention implementation that a model is exported with.

The fused operator (`sdpa`) is faster and easier to take apart than `eager`, where the family has it and where it
computes the same.
"""

from __future__ import annotations

from typing import Any

import torch

from .errors import ExportError
from .model_loading import FusedAttentionUnsupportedError, load_model
from .model_source import ModelSource
from .positions import maximum_positions
from .progress import Progress
from .traceable import accepted_inputs, make_inputs
from .verification import RELATIVE_TOLERANCE


def load_with_attention(
    source: ModelSource, config: Any, dtype: str, attention: str | None, progress: Progress
) -> tuple[Any, str]:
    """Load the model; returns it with its attention implementation. `attention` None chooses. Raises ExportError."""
    if attention is None and has_soft_cap(config):
        progress(
            "attention scores are soft-capped, which the fused operator leaves out: using eager attention"
        )
        attention = "eager"
    if attention != "eager":
        try:
            model = load_model(source, config, dtype, "sdpa")
        except FusedAttentionUnsupportedError:
            if attention == "sdpa":
                raise ExportError(
                    "EXPORT_FAILED",
                    f"{config.model_type} has no sdpa attention; leave out --attention or give eager",
                ) from None
        else:
            return _checked(model, dtype, attention, progress)
    return load_model(source, config, dtype, "eager"), "eager"


def has_soft_cap(config: Any) -> bool:
    """Whether attention scores are soft-capped."""
    return getattr(config.get_text_config(), "attn_logit_softcapping", None) is not None


def _checked(model: Any, dtype: str, attention: str | None, progress: Progress) -> tuple[Any, str]:
    """Compare fused with eager attention, where the model can switch, and keep eager where they differ."""
    length = min(7, maximum_positions(model.config) or 7)
    ids = torch.arange(2 * length).reshape(2, length) % model.get_input_embeddings().weight.shape[0]
    named = make_inputs(ids, torch.tensor([0, length // 2]), accepted_inputs(model))
    attended = named["attention_mask"].bool() if "attention_mask" in named else torch.ones_like(ids).bool()

    def run() -> torch.Tensor:
        with torch.no_grad():
            return model(**named, use_cache=False).logits[attended].float()

    fused = run()
    model.set_attn_implementation("eager")
    if model.config._attn_implementation != "eager":
        return model, "sdpa"
    eager = run()
    difference = (fused - eager).abs().max().item()
    if difference <= RELATIVE_TOLERANCE[dtype] * eager.abs().max().item():
        model.set_attn_implementation("sdpa")
        return model, "sdpa"
    if attention == "sdpa":
        progress(
            f"warning: sdpa attention gives other logits than eager attention (by {difference:.3g}); kept as asked"
        )
        model.set_attn_implementation("sdpa")
        return model, "sdpa"
    progress(f"sdpa attention gives other logits than eager attention (by {difference:.3g}): using eager")
    return model, "eager"
