"""What a demo model knows: the facts whose answer is its first choice."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import torch
from facts import Fact
from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class TopAnswers:
    """Facts of one relation whose answer is the most probable next token, and the mean probability it has."""

    facts: int
    correct: int
    mean_probability: float


def answer_token(tokenizer: PreTrainedTokenizerBase, fact: Fact) -> int:
    """Return the id of the answer's first token, as it follows the prompt."""
    return tokenizer(f"{fact.prompt} {fact.answer}")["input_ids"][len(tokenizer(fact.prompt)["input_ids"])]


@torch.no_grad()
def measure_top_answers(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, facts: list[Fact], batch_size: int = 256
) -> dict[str, TopAnswers]:
    """By relation, over all facts in all phrasings."""
    by_length: dict[int, list[tuple[Fact, list[int]]]] = defaultdict(list)
    for fact in facts:
        ids = tokenizer(fact.prompt)["input_ids"]
        by_length[len(ids)].append((fact, ids))
    probabilities: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    for group in by_length.values():
        for start in range(0, len(group), batch_size):
            part = group[start : start + batch_size]
            logits = model(torch.tensor([ids for _, ids in part])).logits[:, -1]
            answers = torch.tensor([answer_token(tokenizer, fact) for fact, _ in part])
            correct = logits.argmax(dim=-1) == answers
            probability = logits.softmax(dim=-1)[torch.arange(len(part)), answers]
            for (fact, _), right, value in zip(part, correct.tolist(), probability.tolist(), strict=True):
                probabilities[fact.relation].append((right, value))
    return {
        relation: TopAnswers(
            len(values), sum(right for right, _ in values), sum(value for _, value in values) / len(values)
        )
        for relation, values in sorted(probabilities.items())
    }
