"""Golden tokens and subject ranges, made by the Python package and the Python tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from causal_tracer.causal_tracing.guess_subject import guess_subject
from causal_tracer.lib.token_utils import decode_tokens, find_token_range
from golden_files import write_golden
from golden_texts import GUESSED_PROMPTS, SEARCHED_SUBJECTS, TOKENIZED_TEXTS
from reference_model import load_reference_tokenizer
from transformers import PreTrainedTokenizerBase


def make_tokens(folder: Path, file: Path, versions: dict[str, str]) -> str:
    """Write the tokens of texts and the ranges of subjects, null for a subject that is not found."""
    tokenizer = load_reference_tokenizer(folder)
    texts = []
    for text in TOKENIZED_TEXTS:
        ids = tokenizer(text)["input_ids"]
        texts.append({"text": text, "ids": ids, "tokens": decode_tokens(tokenizer, ids)})
    ranges = [
        {"prompt": prompt, "subject": subject, "range": _range(tokenizer, prompt, subject)}
        for prompt, subject in SEARCHED_SUBJECTS
    ]
    write_golden(file, {"versions": versions, "model": folder.name}, {"texts": texts, "ranges": ranges})
    found = sum(case["range"] is not None for case in ranges)
    return f"{len(texts)} texts, {len(ranges)} subjects, {found} of them found"


def make_guesses(file: Path, versions: dict[str, str]) -> str:
    """Write the guessed subjects of prompts, null where none can be guessed."""
    guesses = []
    for prompt in GUESSED_PROMPTS:
        try:
            guess = guess_subject(prompt)
        except ValueError:
            guess = None
        guesses.append({"prompt": prompt, "guess": guess})
    write_golden(file, {"versions": versions}, {"guesses": guesses})
    return f"{len(guesses)} prompts"


def _range(tokenizer: PreTrainedTokenizerBase, prompt: str, subject: str) -> list[Any] | None:
    try:
        return list(find_token_range(tokenizer, tokenizer(prompt)["input_ids"], subject))
    except ValueError:
        return None
