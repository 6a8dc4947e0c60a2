"""Attention masks that, in training only, decide where a model keeps what it knows of a subject.

A small model left alone learns to look at every subject token straight from the last token, and its causal traces
show no site at the subject. Large language models gather a subject at its last token first, and read it from there
later. The demo models get the same habit from masks that most training sentences carry:

- in the early layers, tokens behind the subject see no subject token at all;
- in the late layers, they see only the last one.

The other sentences, and every use of the trained model, have plain causal attention.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

ATTENTION_MODULE_NAMES = ("attn", "self_attn")


@dataclass(frozen=True)
class SubjectMasks:
    """Additive attention masks of a batch, `[sentence][1][query][key]`, zero where a query sees a key."""

    early: Tensor
    late: Tensor


def make_subject_masks(lengths: Tensor, subjects: Tensor, masked: Tensor) -> SubjectMasks:
    """Masks for sentences of the given lengths `[sentence]`, padded on the right to the longest.

    `subjects` is `[sentence][2]`, each subject's tokens as start and end (exclusive); sentences where `masked`
    (`[sentence]`) is false get plain causal attention.
    """
    longest = int(lengths.max())
    query = torch.arange(longest)[None, :, None]
    key = torch.arange(longest)[None, None, :]
    start, end = subjects[:, 0, None, None], subjects[:, 1, None, None]
    causal = (key <= query) & (key < lengths[:, None, None])
    subject_behind = (query >= end) & (key >= start) & masked[:, None, None]
    return SubjectMasks(
        early=_additive(causal & ~(subject_behind & (key < end))),
        late=_additive(causal & ~(subject_behind & (key < end - 1))),
    )


@contextmanager
def early_layers_masked(model: PreTrainedModel, early_layers: int) -> Iterator[dict[str, Tensor]]:
    """Let the attention of the first layers use the mask put under "early" in the yielded dictionary.

    The other layers use the mask that the model is called with.
    """
    current: dict[str, Tensor] = {}

    def use_early_mask(
        _: nn.Module, arguments: tuple, keywords: dict[str, Any]
    ) -> tuple[tuple, dict[str, Any]]:
        return arguments, {**keywords, "attention_mask": current["early"]}

    attentions = [
        module for name, module in model.named_modules() if name.rpartition(".")[2] in ATTENTION_MODULE_NAMES
    ]
    hooks = [
        attention.register_forward_pre_hook(use_early_mask, with_kwargs=True)
        for attention in attentions[:early_layers]
    ]
    try:
        yield current
    finally:
        for hook in hooks:
            hook.remove()


def _additive(visible: Tensor) -> Tensor:
    mask = torch.zeros(visible.shape).masked_fill(~visible, torch.finfo(torch.float32).min)
    return mask[:, None]
