r"""Make a random model for the benchmark, as a model folder.

    python scripts/bench/make_bench_model.py OUT --family gpt2 --layers 12 --width 768 --heads 12 \
        --key-value-heads 12 --inner 3072 --vocabulary 50257

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
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    LlamaConfig,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "parity"))

from tiny_tokenizers import train_byte_level, train_metaspace  # noqa: E402

SEED = 1
TOKENIZER_SIZES = {"gpt2": 384, "llama": 448}
POSITIONS = 1024
#: Weights of a linear map inside a block have the standard deviation `GAIN / sqrt(width)`.
GAINS = {"gpt2": 0.64, "llama": 1.0}
#: Standard deviation of the logits.
LOGIT_SCALE = 4.4
EMBEDDING_SCALE = 0.02


def make_config(arguments: argparse.Namespace) -> PretrainedConfig:
    """The config of the shape that is asked for."""
    if arguments.family == "gpt2":
        return GPT2Config(
            n_layer=arguments.layers,
            n_embd=arguments.width,
            n_head=arguments.heads,
            n_inner=arguments.inner,
            n_positions=POSITIONS,
            vocab_size=arguments.vocabulary,
            bos_token_id=0,
            eos_token_id=0,
        )
    return LlamaConfig(
        num_hidden_layers=arguments.layers,
        hidden_size=arguments.width,
        num_attention_heads=arguments.heads,
        num_key_value_heads=arguments.key_value_heads,
        intermediate_size=arguments.inner,
        max_position_embeddings=POSITIONS,
        vocab_size=arguments.vocabulary,
        tie_word_embeddings=False,
    )


def build(config: PretrainedConfig, gain: float) -> PreTrainedModel:
    """The model with its random weights, the same on every run."""
    torch.manual_seed(SEED)
    model = AutoModelForCausalLM.from_config(config).eval()
    width = config.hidden_size
    head = model.get_output_embeddings()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Embedding) or module is head:
                module.weight.normal_(0.0, EMBEDDING_SCALE)
            elif getattr(module, "weight", None) is not None and module.weight.dim() == 2:
                module.weight.normal_(0.0, gain / math.sqrt(width))
        model.tie_weights()
        final_norm = model.transformer.ln_f if config.model_type == "gpt2" else model.model.norm
        # Logits get the same deviation in every width.
        final_norm.weight.fill_(LOGIT_SCALE / (EMBEDDING_SCALE * math.sqrt(width)))
    return model


def make_tokenizer(family: str) -> PreTrainedTokenizerFast:
    """A small tokenizer of the family's kind; most of the model's vocabulary has no token."""
    train = train_byte_level if family == "gpt2" else train_metaspace
    return train(TOKENIZER_SIZES[family])


def main() -> None:
    """Build and export the model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--family", choices=sorted(GAINS), required=True)
    for size in ("layers", "width", "heads", "key-value-heads", "inner", "vocabulary"):
        parser.add_argument(f"--{size}", type=int, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        build(make_config(arguments), GAINS[arguments.family]).save_pretrained(folder)
        make_tokenizer(arguments.family).save_pretrained(folder)
        exporter = ROOT / "scripts" / "export" / "export_model.py"
        command = [sys.executable, str(exporter), folder, str(arguments.out), "--force"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
