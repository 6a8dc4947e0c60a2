"""Parts of Hugging Face models that cannot be traced as they are, replaced by ones that compute the same.

The reference logits are computed before the replacement, so verification proves that nothing changed.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

from torch import Tensor, nn


def replace_untraceable_parts(model: nn.Module) -> list[str]:
    """Replace in place; returns what was replaced, for progress messages."""
    replaced = set()
    for module in model.modules():
        class_name = type(module).__name__
        forward = REPLACEMENTS.get(class_name)
        if forward is not None:
            module.forward = MethodType(forward, module)
            replaced.add(class_name)
    return sorted(replaced)


def _bloom_gelu(_self: nn.Module, x: Tensor) -> Tensor:
    """Bloom's GELU without the autograd function around it, which TorchScript cannot save."""
    from transformers.models.bloom.modeling_bloom import bloom_gelu_forward

    return bloom_gelu_forward(x)


def _opt_decoder_layer(self: Any, hidden_states: Tensor, **options: Any) -> Tensor:
    """OPT's block with the MLP on `[batch, position, hidden]`; the original flattens batch and position."""
    normalize_first = self.do_layer_norm_before
    normed = self.self_attn_layer_norm(hidden_states) if normalize_first else hidden_states
    attended = self.self_attn(hidden_states=normed, **options)[0]
    residual = hidden_states + attended
    if not normalize_first:
        residual = self.self_attn_layer_norm(residual)
    normed = self.final_layer_norm(residual) if normalize_first else residual
    output = residual + self.fc2(self.activation_fn(self.fc1(normed)))
    return output if normalize_first else self.final_layer_norm(output)


REPLACEMENTS = {"BloomGelu": _bloom_gelu, "OPTDecoderLayer": _opt_decoder_layer}
