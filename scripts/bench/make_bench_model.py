"""Make a random model of GPT-2's shape for the benchmark, as a model folder.

    python scripts/bench/make_bench_model.py OUT --layers 12 --width 768 --heads 12 --vocabulary 50257

Its weights are larger than those of an untrained model, so that answers, noise and restored activations move
probabilities by tenths, and a difference between two implementations would show.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, GPT2Config, PreTrainedModel

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "parity"))

from tiny_tokenizers import train_byte_level  # noqa: E402

SEED = 1
TOKENIZER_SIZE = 384
GAIN = 0.64
FINAL_NORM = 8.0


def build(layers: int, width: int, heads: int, vocabulary: int) -> PreTrainedModel:
    """The model with its random weights, the same on every run."""
    torch.manual_seed(SEED)
    config = GPT2Config(n_layer=layers, n_embd=width, n_head=heads, vocab_size=vocabulary)
    model = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for block in model.transformer.h:
            for linear in (block.attn.c_attn, block.attn.c_proj, block.mlp.c_fc, block.mlp.c_proj):
                linear.weight.normal_(0.0, GAIN / math.sqrt(width))
        # Logits get the same deviation in every width.
        model.transformer.ln_f.weight.fill_(FINAL_NORM * math.sqrt(768 / width))
    return model


def main() -> None:
    """Build and export the model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    for size in ("layers", "width", "heads", "vocabulary"):
        parser.add_argument(f"--{size}", type=int, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = build(arguments.layers, arguments.width, arguments.heads, arguments.vocabulary)
        model.save_pretrained(folder)
        train_byte_level(TOKENIZER_SIZE).save_pretrained(folder)
        exporter = ROOT / "scripts" / "export" / "export_model.py"
        command = [sys.executable, str(exporter), folder, str(arguments.out), "--force"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
