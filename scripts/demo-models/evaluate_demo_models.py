#!/usr/bin/env python3
"""Measure the demo models and write models/README.md: `python scripts/demo-models/evaluate_demo_models.py`."""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

import torch
import transformers
from architectures import DEMO_MODELS
from facts import Fact, load_facts
from model_card import EXAMPLES, MeasuredModel, write_model_card
from top_answers import measure_top_answers
from traces import KINDS, summarize_traces, trace

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "parity"))

from reference_model import load_reference_model, load_reference_tokenizer  # noqa: E402

TRACED_FACTS = 32
SAMPLE_SEED = 0


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Measure the demo models and write models/README.md.")
    parser.add_argument("--models", type=Path, default=ROOT / "models")
    parser.add_argument("--threads", type=int, default=2, help="PyTorch threads")
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(options.threads)
    evaluate(options.models)


def evaluate(models: Path) -> None:
    """Measure every model folder and write `README.md` beside them."""
    facts = load_facts()
    by_prompt = {fact.prompt: fact for fact in facts}
    measured = []
    for demo in DEMO_MODELS:
        folder = models / demo.name
        model = load_reference_model(folder)
        tokenizer = load_reference_tokenizer(folder)
        traced = _sample(facts)
        examples = [by_prompt[prompt] for prompt in EXAMPLES]
        measured.append(
            MeasuredModel(
                name=demo.name,
                folder=folder,
                parameters=model.num_parameters(),
                top_answers=measure_top_answers(model, tokenizer, facts),
                summaries={kind: summarize_traces(trace(model, tokenizer, traced, kind)) for kind in KINDS},
                examples=trace(model, tokenizer, examples, KINDS[0]),
            )
        )
        print(f"{demo.name}: measured", file=sys.stderr, flush=True)
    write_model_card(models / "README.md", measured, facts, TRACED_FACTS)


def _sample(facts: list[Fact]) -> list[Fact]:
    """Pick facts at random whose subject is at least two words, so that no single token names it."""
    candidates = [fact for fact in facts if " " in fact.subject]
    return random.Random(SAMPLE_SEED).sample(candidates, TRACED_FACTS)


if __name__ == "__main__":
    main()
