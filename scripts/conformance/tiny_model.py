"""Builds one tiny model, exports it, and traces it with the Python package."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from model_families import Family
from random_weights import draw_weights
from reference_scores import Reference, is_telling, record_copies
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "scripts" / folder) for folder in ("parity", "export")]

from exporter import command_line  # noqa: E402
from exporter.environment import hide_loading_bars  # noqa: E402
from exporter.replacements import replace_untraceable_parts  # noqa: E402
from reference_hooks import record_hooks  # noqa: E402
from tiny_tokenizers import train_byte_level, train_metaspace  # noqa: E402

MOST_SEEDS = 200
hide_loading_bars()
torch.set_num_threads(1)  # the models are small, and threads would only wait for each other


def make_and_trace(family: Family, folder: Path) -> dict[str, Any]:
    """Write the model folder, and return what PyTorch's hooks see and the package's flows."""
    with tempfile.TemporaryDirectory() as source:
        seed = _save_model(family, source)
        _export(source, folder)
        manifest = json.loads((folder / "causal-tracer.json").read_text("utf-8"))
        # With the attention that the exporter chose: in some families another one computes something else.
        attention = manifest["attentionImplementation"]
        model = AutoModelForCausalLM.from_pretrained(source, attn_implementation=attention).eval()
        tokenizer = AutoTokenizer.from_pretrained(source)
    adjust = ADJUSTMENTS.get(family.model_type)
    if adjust is not None:
        adjust(model)
    return {
        "seed": seed,
        "hooks": record_hooks(model, folder),
        "flows": Reference(model, tokenizer, folder).trace_all(),
    }


#: Where the package cannot trace a family as it is, by `model_type`.
ADJUSTMENTS: dict[str, Callable[[Any], object]] = {
    # OPT's block flattens batch and position before the MLP, which the package cannot patch.
    "opt": replace_untraceable_parts,
    "falcon": lambda _: record_copies(),
}


def describe_refusal(family: Family, folder: Path) -> dict[str, Any]:
    """Export a model that has to be refused; returns the error's code and message."""
    tokenizer = make_tokenizer(family)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as source:
        AutoModelForCausalLM.from_config(_config(family, tokenizer)).save_pretrained(source)
        tokenizer.save_pretrained(source)
        try:
            _export(source, folder)
        except _ExportFailedError as error:
            return error.reason
    raise AssertionError(f"{family.name} was exported to {folder}, but it has to be refused")


def make_tokenizer(family: Family) -> PreTrainedTokenizerFast:
    """The family's tokenizer."""
    return train_metaspace(448) if family.metaspace else train_byte_level(384)


def _config(family: Family, tokenizer: PreTrainedTokenizerFast) -> Any:
    options = {
        "vocab_size": len(tokenizer),
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.eos_token_id,
    }
    return AutoConfig.for_model(family.model_type, **{**options, **family.options()})


def _save_model(family: Family, source: str) -> int:
    """Write the Hugging Face folder of the first seed that gives telling answers; returns that seed."""
    tokenizer = make_tokenizer(family)
    tokenizer.save_pretrained(source)
    model = AutoModelForCausalLM.from_config(_config(family, tokenizer), dtype=torch.float32).eval()
    for seed in range(MOST_SEEDS):
        draw_weights(model, seed)
        if is_telling(model, tokenizer):
            model.save_pretrained(source)
            return seed
    raise ValueError(f"none of {MOST_SEEDS} seeds gives answers whose probabilities are telling")


class _ExportFailedError(Exception):
    """The exporter's last line on stderr, decoded."""

    def __init__(self, reason: dict[str, str]) -> None:
        super().__init__(f"{reason['code']}: {reason['message']}")
        self.reason = reason


def _export(source: str, folder: Path) -> None:
    """Write the model folder with the exporter's command line."""
    messages = io.StringIO()
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(messages):
        status = command_line.main([source, str(folder)])
    if status != 0:
        reason = json.loads(messages.getvalue().splitlines()[-1])
        raise _ExportFailedError({key: text.replace(source, "the folder") for key, text in reason.items()})
