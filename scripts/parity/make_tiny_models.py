"""Make the tiny random models of test/fixtures/models: GPT-2, Llama and GPT-NeoX, each with its own tokenizer.

    python scripts/parity/make_tiny_models.py [OUT]

The weights are drawn so that the models are as sensitive as trained ones: answers have probabilities of 0.2 to 0.99,
and noise on a few embeddings moves them by tenths. A difference of 1e-5 between two
implementations then means that they compute the same.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from tiny_tokenizers import train_byte_level, train_metaspace
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)
from versions import require_pinned_versions

ROOT = Path(__file__).resolve().parents[2]
EXPORTER = ROOT / "scripts" / "export" / "export_model.py"
DEFAULT_OUT = ROOT / "test" / "fixtures" / "models"
LAYERS = 5
HIDDEN = 24
POSITIONS = 96


@dataclass(frozen=True)
class TinyModel:
    """One model: its config, its tokenizer, and how it is drawn."""

    name: str
    config: PretrainedConfig
    tokenizer: PreTrainedTokenizerFast
    seed: int
    #: Weights of a linear map have the standard deviation `gain / sqrt(inputs)`.
    gain: float
    #: Standard deviation of the logits.
    logit_scale: float


def tiny_models() -> list[TinyModel]:
    """The models, in the order in which they are written."""
    gpt2_tokenizer = train_byte_level(384)
    llama_tokenizer = train_metaspace(448)
    neox_tokenizer = train_byte_level(352)
    return [
        TinyModel(
            name="tiny-gpt2",
            config=GPT2Config(
                vocab_size=len(gpt2_tokenizer),
                n_embd=HIDDEN,
                n_layer=LAYERS,
                n_head=4,
                n_positions=POSITIONS,
                bos_token_id=gpt2_tokenizer.bos_token_id,
                eos_token_id=gpt2_tokenizer.eos_token_id,
            ),
            tokenizer=gpt2_tokenizer,
            seed=11,
            gain=1.2,
            logit_scale=5.0,
        ),
        TinyModel(
            name="tiny-llama",
            config=LlamaConfig(
                vocab_size=len(llama_tokenizer),
                hidden_size=HIDDEN,
                intermediate_size=2 * HIDDEN,
                num_hidden_layers=LAYERS,
                num_attention_heads=4,
                num_key_value_heads=2,
                max_position_embeddings=POSITIONS,
                tie_word_embeddings=False,
                bos_token_id=llama_tokenizer.bos_token_id,
                eos_token_id=llama_tokenizer.eos_token_id,
            ),
            tokenizer=llama_tokenizer,
            seed=12,
            gain=1.6,
            logit_scale=3.0,
        ),
        TinyModel(
            name="tiny-neox",
            config=GPTNeoXConfig(
                vocab_size=len(neox_tokenizer),
                hidden_size=HIDDEN,
                intermediate_size=3 * HIDDEN,
                num_hidden_layers=LAYERS,
                num_attention_heads=3,
                rotary_pct=0.5,
                use_parallel_residual=True,
                max_position_embeddings=POSITIONS,
                tie_word_embeddings=False,
                bos_token_id=neox_tokenizer.bos_token_id,
                eos_token_id=neox_tokenizer.eos_token_id,
            ),
            tokenizer=neox_tokenizer,
            seed=13,
            gain=1.2,
            logit_scale=5.0,
        ),
    ]


def build(tiny: TinyModel) -> PreTrainedModel:
    """The model with its random weights, the same on every run."""
    model = AutoModelForCausalLM.from_config(tiny.config).eval()
    generator = torch.Generator().manual_seed(tiny.seed)
    with torch.no_grad():
        for name, module in model.named_modules():
            _draw(name, module, tiny, generator)
        model.tie_weights()
    return model


def _draw(name: str, module: nn.Module, tiny: TinyModel, generator: torch.Generator) -> None:
    """Fill the weights of one module."""

    def normal(parameter: torch.Tensor, mean: float, deviation: float) -> None:
        parameter.copy_(mean + deviation * torch.randn(parameter.shape, generator=generator))

    is_norm = name.rsplit(".", 1)[-1] in NORM_NAMES
    if isinstance(module, nn.Embedding):
        # The deviation of the token embedding is that of a tied output layer, too.
        normal(module.weight, 0.0, tiny.logit_scale / math.sqrt(HIDDEN))
    elif is_norm:
        normal(module.weight, 1.0, 0.2)
        if getattr(module, "bias", None) is not None:
            normal(module.bias, 0.0, 0.1)
    elif getattr(module, "weight", None) is not None:
        is_head = module.weight.shape[0] == tiny.config.vocab_size
        inputs = HIDDEN if is_head else max(getattr(module, "nx", 0), getattr(module, "in_features", 0))
        normal(module.weight, 0.0, (tiny.logit_scale if is_head else tiny.gain) / math.sqrt(inputs))
        if getattr(module, "bias", None) is not None:
            normal(module.bias, 0.0, 0.1)


NORM_NAMES = {
    "ln_1",
    "ln_2",
    "ln_f",
    "input_layernorm",
    "post_attention_layernorm",
    "norm",
    "final_layer_norm",
}


def export(tiny: TinyModel, out: Path) -> None:
    """Write the model folder with the project's own exporter."""
    with tempfile.TemporaryDirectory() as folder:
        build(tiny).save_pretrained(folder)
        tiny.tokenizer.save_pretrained(folder)
        command = [sys.executable, str(EXPORTER), folder, str(out / tiny.name), "--force"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """Write every model folder into OUT."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, nargs="?", default=DEFAULT_OUT)
    out = parser.parse_args().out
    require_pinned_versions("torch", "transformers", "tokenizers")
    for tiny in tiny_models():
        export(tiny, out)
        size = sum(file.stat().st_size for file in (out / tiny.name).iterdir())
        print(f"{out / tiny.name}: {size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
