"""Traces of a demo model by the Python reference package, and their averages."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from causal_tracer import CausalTracer, HiddenFlow
from causal_tracer.causal_tracing.HiddenFlow import LayerKind
from facts import Fact
from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Kind:
    """A kind of layer to trace, with the number of neighbouring layers restored together."""

    name: LayerKind
    window: int


KINDS = (Kind("hidden", 1), Kind("mlp", 3), Kind("attention", 3))

ROLES = (
    "before the subject",
    "first subject token",
    "middle subject tokens",
    "last subject token",
    "first token after it",
    "further tokens",
    "last token",
)
LAST_SUBJECT_TOKEN = ROLES.index("last subject token")


@dataclass(frozen=True)
class TraceSummary:
    """Averages over the traces of one kind."""

    traces: int
    mean_low: float
    mean_high: float
    # mean score by role of the token, then by layer; None where no trace had such a token
    by_role: list[list[float] | None]
    # share of traces whose strongest token, the last one aside, is the last subject token
    last_subject_token_share: float
    # the same, for the other subject tokens
    other_subject_token_share: float


def summarize_traces(flows: list[HiddenFlow]) -> TraceSummary:
    """Average the flows of one kind, token by token role."""
    rows: list[list[torch.Tensor]] = [[] for _ in ROLES]
    last_subject = other_subject = 0
    for flow in flows:
        start, end = flow.subject_range
        tokens = len(flow.scores)
        for token in range(tokens):
            rows[_role(token, start, end, tokens)].append(flow.scores[token])
        strongest = int(flow.scores[:-1].max(dim=1).values.argmax())
        last_subject += strongest == end - 1
        other_subject += start <= strongest < end - 1
    return TraceSummary(
        traces=len(flows),
        mean_low=sum(flow.low_score for flow in flows) / len(flows),
        mean_high=sum(flow.high_score for flow in flows) / len(flows),
        by_role=[torch.stack(row).mean(dim=0).tolist() if row else None for row in rows],
        last_subject_token_share=last_subject / len(flows),
        other_subject_token_share=other_subject / len(flows),
    )


def trace(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, facts: list[Fact], kind: Kind
) -> list[HiddenFlow]:
    """Trace some facts with the reference package, in order."""
    tracer = CausalTracer(model, tokenizer, device=torch.device("cpu"))
    return [
        tracer.calculate_hidden_flow(
            fact.prompt, subject=fact.subject, kind=kind.name, window=kind.window, batch_size=256
        )
        for fact in facts
    ]


def _role(token: int, start: int, end: int, tokens: int) -> int:
    if token == tokens - 1:
        return 6
    if token < start:
        return 0
    if token == end - 1:
        return LAST_SUBJECT_TOKEN
    if token == start:
        return 1
    if token < end:
        return 2
    return 4 if token == end else 5
