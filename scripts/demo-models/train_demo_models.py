#!/usr/bin/env python3
"""Train and export the demo models: `python scripts/demo-models/train_demo_models.py`; --help says more.

Writes the Hugging Face folders under build/demo-models (not committed), the model folders under models, and
models/README.md with what was measured.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import torch
import transformers
from architectures import DEMO_MODELS, VOCABULARY_SIZE, DemoModel
from evaluate_demo_models import evaluate
from facts import Fact, load_facts
from top_answers import measure_top_answers
from training import tokenize, train

ROOT = Path(__file__).resolve().parents[2]
EXPORTER = ROOT / "scripts" / "export" / "export_model.py"
REQUIRED_TOP_ANSWERS = 0.95
SEED = 0


def main() -> None:
    """Run the command."""
    names = [model.name for model in DEMO_MODELS]
    parser = argparse.ArgumentParser(description="Train and export the demo models.", allow_abbrev=False)
    parser.add_argument("--only", choices=names, nargs="+", default=names, help="the models to train")
    parser.add_argument("--threads", type=int, default=1, help="PyTorch threads; the committed models used 1")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "demo-models")
    parser.add_argument("--models", type=Path, default=ROOT / "models")
    parser.add_argument("--no-traces", action="store_true", help="leave models/README.md as it is")
    options = parser.parse_args()

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(options.threads)
    facts = load_facts()
    for model in DEMO_MODELS:
        if model.name in options.only:
            folder = options.build / model.name
            _train_model(model, facts, folder)
            _export(folder, options.models / model.name)
    if not options.no_traces:
        evaluate(options.models)


def _train_model(demo: DemoModel, facts: list[Fact], folder: Path) -> None:
    torch.manual_seed(SEED)
    tokenizer = demo.train_tokenizer(facts, VOCABULARY_SIZE)
    model = demo.create(tokenizer)
    model.set_attn_implementation("eager")  # the fastest at this size
    _report(f"{demo.name}: {model.num_parameters():,} parameters, {len(facts):,} sentences")
    train(model, [tokenize(tokenizer, fact) for fact in facts], demo.training, _report)

    answers = measure_top_answers(model, tokenizer, facts).values()
    share = sum(answer.correct for answer in answers) / len(facts)
    _report(f"{demo.name}: {share:.1%} of the answers are the model's first choice")
    if share < REQUIRED_TOP_ANSWERS:
        sys.exit(f"{demo.name} knows too few facts: {share:.1%}, required are {REQUIRED_TOP_ANSWERS:.0%}")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _export(folder: Path, out: Path) -> None:
    command = [sys.executable, str(EXPORTER), str(folder), str(out), "--force"]
    subprocess.run(command, check=True)


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
