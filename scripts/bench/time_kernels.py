"""Measure the rate of libtorch's matrix products on this machine: the default kernel and oneDNN with packed weights.

    python scripts/bench/time_kernels.py --threads N

Answers each line of its input with a line of JSON: the median rate of each kernel, in multiplications and additions a
second, for [512, 768] x [768, 3072] in float32.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable

import torch

ROWS, INPUTS, OUTPUTS = 512, 768, 3072
SECONDS = 0.5
WARM_UP_RUNS = 3


def main() -> None:
    """Answer until the input ends."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, required=True)
    torch.set_num_threads(parser.parse_args().threads)
    with torch.inference_mode():
        x = torch.randn(ROWS, INPUTS)
        weight = torch.randn(OUTPUTS, INPUTS)
        kernels = {"default": lambda: torch.nn.functional.linear(x, weight)}
        if torch.backends.mkldnn.is_available():
            packed = torch.ops.mkldnn._reorder_linear_weight(weight, ROWS)
            kernels["packed"] = lambda: torch.ops.mkldnn._linear_pointwise(x, packed, None, "none", [], "")
        for _ in sys.stdin:
            print(json.dumps({name: measure(run) for name, run in kernels.items()}), flush=True)


def measure(run: Callable[[], torch.Tensor]) -> float:
    """The median rate of repeated runs."""
    for _ in range(WARM_UP_RUNS):
        run()
    seconds = []
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    return 2 * ROWS * INPUTS * OUTPUTS / statistics.median(seconds)


if __name__ == "__main__":
    main()
