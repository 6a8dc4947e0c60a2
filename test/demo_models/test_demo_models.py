"""The committed demo models: their size, their tokenizers, and what they know."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "scripts" / "demo-models"), str(REPOSITORY / "scripts" / "parity")]

from facts import FACTS_FOLDER, load_facts  # noqa: E402
from reference_model import load_reference_model, load_reference_tokenizer  # noqa: E402
from subject_masking import make_subject_masks  # noqa: E402
from top_answers import measure_top_answers  # noqa: E402

MODELS = REPOSITORY / "models"
NAMES = ("demo-gpt2", "demo-llama")


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def test_facts_of_a_category_are_about_different_subjects():
    for file in sorted(FACTS_FOLDER.glob("*.json")):
        names = Counter(row[0] for row in json.loads(file.read_text(encoding="utf-8"))["rows"])
        assert [name for name, count in names.items() if count > 1] == []


def test_every_prompt_has_one_answer_and_holds_its_subject():
    facts = load_facts()
    assert len({fact.prompt for fact in facts}) == len(facts) == 5244
    assert all(fact.subject in fact.prompt for fact in facts)


def test_models_folder_stays_small():
    assert size_of(MODELS) < 14_000_000


@pytest.mark.parametrize("name", NAMES)
def test_model_stays_small(name: str):
    assert size_of(MODELS / name) <= 6_000_000


@pytest.mark.parametrize("name", NAMES)
def test_model_knows_the_facts(name: str):
    model, tokenizer = load_reference_model(MODELS / name), load_reference_tokenizer(MODELS / name)
    facts = load_facts()
    answers = measure_top_answers(model, tokenizer, facts).values()
    assert sum(answer.facts for answer in answers) == len(facts)
    assert sum(answer.correct for answer in answers) / len(facts) >= 0.95


def test_gpt2_tokenizer_adds_nothing():
    tokenizer = load_reference_tokenizer(MODELS / "demo-gpt2")
    ids = tokenizer("The Eiffel Tower")["input_ids"]
    assert [tokenizer.decode([token]) for token in ids] == ["The", " E", "iff", "el", " Tower"]
    assert tokenizer.decode(tokenizer("東京 œ")["input_ids"]) == "東京 œ"


def test_llama_tokenizer_adds_the_beginning_and_falls_back_to_bytes():
    tokenizer = load_reference_tokenizer(MODELS / "demo-llama")
    ids = tokenizer("The Eiffel Tower 東")["input_ids"]
    tokens = ["<s>", "▁The", "▁E", "iff", "el", "▁Tower", "▁", "<0xE6>", "<0x9D>", "<0xB1>"]
    assert tokenizer.convert_ids_to_tokens(ids) == tokens


def test_subject_masks_hide_the_subject_from_what_follows():
    masks = make_subject_masks(
        lengths=torch.tensor([5, 4]),
        subjects=torch.tensor([[1, 3], [0, 2]]),
        masked=torch.tensor([True, False]),
    )
    causal = [[1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0]]
    early, late = (masks.early == 0).int()[:, 0].tolist(), (masks.late == 0).int()[:, 0].tolist()
    assert early[0] == [*causal, [1, 0, 0, 1, 0], [1, 0, 0, 1, 1]]
    assert late[0] == [*causal, [1, 0, 1, 1, 0], [1, 0, 1, 1, 1]]
    assert early[1] == late[1] == [*causal, [1, 1, 1, 1, 0], [1, 1, 1, 1, 0]]
