"""Fixed token ids to run a model on: reproducible, inside the vocabulary, no special tokens."""

from __future__ import annotations

import random
from collections.abc import Collection

import torch
from torch import Tensor


def fixed_ids(vocabulary_size: int, special: Collection[int], batch: int, length: int, seed: int) -> Tensor:
    """Ids `[batch, length]`, the same for the same arguments."""
    ordinary = torch.tensor([token for token in range(vocabulary_size) if token not in special])
    if ordinary.numel() == 0:
        ordinary = torch.arange(vocabulary_size)
    # Python's generator, whose random() stays the same across versions, unlike torch's.
    generator = random.Random(seed)
    indices = [int(generator.random() * ordinary.numel()) for _ in range(batch * length)]
    return ordinary[torch.tensor(indices)].reshape(batch, length)
