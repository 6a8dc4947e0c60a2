"""Trace with the Python package causal-tracer, one JSON request a line, and say how long each trace took.

    python scripts/bench/time_reference.py MODEL_FOLDER --threads N

A request is {"prompt": ..., "options": {...}}, with the names of `calculate_hidden_flow`. The first line of the answer
says what runs; then there is one line a request.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from causal_tracer import CausalTracer

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "parity"))

from reference_model import load_reference_model, load_reference_tokenizer
from versions import require_pinned_versions


def main() -> None:
    """Answer requests until the input ends."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--device", default="cpu", help="where the model runs (default: cpu)")
    arguments = parser.parse_args()
    versions = require_pinned_versions("causal-tracer", "torch", "transformers")
    torch.set_num_threads(arguments.threads)
    device = torch.device(arguments.device)
    tracer = CausalTracer(
        load_reference_model(arguments.model).to(device),
        load_reference_tokenizer(arguments.model),
        device=device,
    )
    _answer({"versions": versions, "threads": torch.get_num_threads()})
    for line in sys.stdin:
        request = json.loads(line)
        started = time.perf_counter()
        flow = tracer.calculate_hidden_flow(request["prompt"], **request["options"])
        seconds = time.perf_counter() - started
        _answer(
            {
                "seconds": seconds,
                "answer": flow.answer,
                "lowScore": flow.low_score,
                "highScore": flow.high_score,
                "scores": flow.scores.tolist(),
            }
        )


def _answer(content: dict[str, Any]) -> None:
    print(json.dumps(content), flush=True)


if __name__ == "__main__":
    main()
