"""Next-token training on whole sentences, seeded."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from facts import Fact
from subject_masking import SubjectMasks, early_layers_masked, make_subject_masks
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerFast

IGNORED_LABEL = -100


@dataclass(frozen=True)
class TrainingSettings:
    """How long and how fast to train, and how often and where the subject is masked (see subject_masking.py)."""

    epochs: int = 30
    batch_size: int = 128
    learning_rate: float = 3e-3
    weight_decay: float = 0.1
    warm_up_steps: int = 100
    gradient_norm: float = 1.0
    masked_share: float = 0.8
    early_layers: int = 5
    seed: int = 0


@dataclass(frozen=True)
class Sentence:
    """A tokenized sentence, and where its subject's tokens start and end (exclusive)."""

    ids: list[int]
    subject: tuple[int, int]


def tokenize(tokenizer: PreTrainedTokenizerFast, fact: Fact) -> Sentence:
    """Tokenize a fact's sentence; every token that holds a character of the subject is a subject token."""
    encoding = tokenizer(fact.sentence, return_offsets_mapping=True)
    start = fact.prompt.rindex(fact.subject)
    end = start + len(fact.subject)
    inside = [
        token
        for token, (first, past) in enumerate(encoding["offset_mapping"])
        if max(first, start) < min(past, end)
    ]
    return Sentence(encoding["input_ids"], (inside[0], inside[-1] + 1))


def train(
    model: PreTrainedModel,
    sentences: list[Sentence],
    settings: TrainingSettings,
    report: Callable[[str], None],
) -> None:
    """Train in place with AdamW, linear warm-up and cosine decay to zero; `report` gets one line an epoch."""
    order = random.Random(settings.seed)
    optimizer = torch.optim.AdamW(
        _parameter_groups(model, settings.weight_decay), lr=settings.learning_rate, betas=(0.9, 0.98)
    )
    steps = settings.epochs * math.ceil(len(sentences) / settings.batch_size)

    def rate(step: int) -> float:
        return min(1.0, (step + 1) / settings.warm_up_steps) * 0.5 * (1 + math.cos(math.pi * step / steps))

    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    model.train()
    with early_layers_masked(model, settings.early_layers) as current:
        for epoch in range(settings.epochs):
            total = 0.0
            for batch in _batches(sentences, settings.batch_size, order):
                masks = _masks(batch, settings.masked_share, order)
                current["early"] = masks.early
                input_ids, labels = _padded(batch)
                loss = model(input_ids=input_ids, attention_mask=masks.late, labels=labels).loss
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), settings.gradient_norm)
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
                scheduler.step()
                total += loss.item() * len(batch)
            report(f"epoch {epoch + 1}/{settings.epochs}: loss {total / len(sentences):.4f}")
    model.eval()


def _parameter_groups(model: PreTrainedModel, weight_decay: float) -> list[dict]:
    """Weight decay for matrices, none for norms and biases."""
    matrices = [parameter for parameter in model.parameters() if parameter.ndim >= 2]
    others = [parameter for parameter in model.parameters() if parameter.ndim < 2]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]


def _batches(sentences: list[Sentence], batch_size: int, order: random.Random) -> Iterator[list[Sentence]]:
    """One epoch in random order, sentences of similar length together so that little is padded."""
    shuffled = order.sample(sentences, len(sentences))
    shuffled.sort(key=lambda sentence: len(sentence.ids) // 2)
    starts = list(range(0, len(shuffled), batch_size))
    order.shuffle(starts)
    for start in starts:
        yield shuffled[start : start + batch_size]


def _masks(batch: list[Sentence], masked_share: float, order: random.Random) -> SubjectMasks:
    return make_subject_masks(
        lengths=torch.tensor([len(sentence.ids) for sentence in batch]),
        subjects=torch.tensor([sentence.subject for sentence in batch]),
        masked=torch.tensor([order.random() < masked_share for _ in batch]),
    )


def _padded(batch: list[Sentence]) -> tuple[Tensor, Tensor]:
    """Input ids and labels, each `[sentence][position]`, padded on the right."""
    longest = max(len(sentence.ids) for sentence in batch)
    input_ids = torch.zeros(len(batch), longest, dtype=torch.long)
    labels = torch.full_like(input_ids, IGNORED_LABEL)
    for row, sentence in enumerate(batch):
        ids = torch.tensor(sentence.ids)
        input_ids[row, : len(ids)] = ids
        labels[row, : len(ids)] = ids
    return input_ids, labels
