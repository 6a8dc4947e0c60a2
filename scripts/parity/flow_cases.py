"""Which flows are traced: among them every pair of values of any two settings, and every kind with every window."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from golden_texts import DEMO_PROMPTS, TRACED_PROMPTS, PromptCase

KINDS = ("hidden", "mlp", "attention")
WINDOWS = (1, 3, 10)
SAMPLES = (1, 3, 10)
SEEDS = (0, 1, 42, 2**32 - 1)
BATCH_SIZES = (3, 7, 32)
#: As fractions of the number of layers; None is the package's default.
LAYER_RANGES = ((0.0, None), (0.2, None), (0.0, 0.7), (0.4, 0.8), (0.6, 0.61))
#: Which of the clean run's most probable tokens is the answer; None is the package's default, the first.
ANSWER_RANKS = (None, 2, 5)
#: As a multiple of the default noise; None is that default.
NOISES = (None, 0.5)


@dataclass(frozen=True)
class FlowCase:
    """The settings of one flow of one model."""

    model: str
    prompt: PromptCase
    kind: str = "hidden"
    window: int = 1
    samples: int = 10
    seed: int = 1
    batch_size: int = 32
    layer_range: tuple[float, float | None] = (0.0, None)
    subject_tokens_only: bool = False
    answer_rank: int | None = None
    noise: float | None = None
    #: Whether the clean outputs of the traced modules are recorded, too.
    layer_outputs: bool = False

    def layers(self, count: int) -> tuple[int, int | None]:
        """`start_layer` and `end_layer` for a model of `count` layers; None where the default is meant."""
        start, end = self.layer_range
        first = int(start * count)
        return first, None if end is None else max(first + 1, int(end * count))


def flow_cases(tiny_models: Sequence[str], demo_models: Sequence[str]) -> list[FlowCase]:
    """Every case, in the order of the models; the choice is the same on every run."""
    models = (*tiny_models, *demo_models)
    cases = pairwise_cases(models)
    for model, kind, window in itertools.product(tiny_models, KINDS, WINDOWS):
        cases.append(FlowCase(model, TRACED_PROMPTS[1], kind, window, layer_outputs=window == 1))
    for model, prompt, kind in itertools.product(demo_models, DEMO_PROMPTS, KINDS):
        window = 1 if kind == "hidden" else 10
        cases.append(FlowCase(model, prompt, kind, window, layer_outputs=prompt is DEMO_PROMPTS[0]))
    return sorted(cases, key=lambda case: models.index(case.model))


def pairwise_cases(models: Sequence[str]) -> list[FlowCase]:
    """Cases that cover every pair of values of any two settings."""
    settings: dict[str, Sequence[Any]] = {
        "model": models,
        "prompt": TRACED_PROMPTS,
        "kind": KINDS,
        "window": WINDOWS,
        "samples": SAMPLES,
        "seed": SEEDS,
        "batch_size": BATCH_SIZES,
        "layer_range": LAYER_RANGES,
        "subject_tokens_only": (False, True),
        "answer_rank": ANSWER_RANKS,
        "noise": NOISES,
    }
    return [FlowCase(**row) for row in _cover_pairs(settings)]


def _cover_pairs(settings: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Rows of one value a setting that cover every pair of values, chosen greedily among random ones."""
    names = list(settings)
    sizes = [len(settings[name]) for name in names]
    open_pairs = {
        (a, i, b, j)
        for a, b in itertools.combinations(range(len(names)), 2)
        for i in range(sizes[a])
        for j in range(sizes[b])
    }
    generator = random.Random(1)
    while open_pairs:
        remaining = sorted(open_pairs)
        best: tuple[int, ...] = ()
        best_new: set[tuple[int, int, int, int]] = set()
        for _ in range(200):
            row = [generator.randrange(size) for size in sizes]
            a, i, b, j = generator.choice(remaining)
            row[a], row[b] = i, j
            new = {
                (a, row[a], b, row[b]) for a, b in itertools.combinations(range(len(names)), 2)
            } & open_pairs
            if len(new) > len(best_new):
                best, best_new = tuple(row), new
        open_pairs -= best_new
        yield {name: settings[name][value] for name, value in zip(names, best, strict=True)}
