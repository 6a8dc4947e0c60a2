"""Golden numbers of numpy's legacy generator, from which the noise is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from golden_files import write_golden

SEEDS = (0, 1, 2, 42, 1234567, 2**31, 2**32 - 2, 2**32 - 1)
#: Odd and even counts (the polar method makes pairs), and past one and two refills of the generator's 624 words.
COUNTS = (1, 2, 3, 7, 624, 625, 1000, 4097)
SHOWN = 4


def make_random_state(file: Path, versions: dict[str, str]) -> str:
    """Write the first and last numbers of `RandomState(seed).randn(count)`; returns a line about them."""
    cases = []
    for seed in SEEDS:
        for count in COUNTS:
            values = np.random.RandomState(seed).randn(count)
            cases.append(
                {
                    "seed": seed,
                    "count": count,
                    # As text: the shortest that gives the same float64 back.
                    "first": [repr(float(value)) for value in values[:SHOWN]],
                    "last": [repr(float(value)) for value in values[-SHOWN:]],
                    "sum": repr(_sum(values.tolist())),
                }
            )
    write_golden(file, {"versions": versions}, {"cases": cases})
    return f"{len(cases)} draws"


def _sum(values: list[float]) -> float:
    # Not sum(): newer versions of Python compensate its rounding errors.
    total = 0.0
    for value in values:
        total += value
    return total
