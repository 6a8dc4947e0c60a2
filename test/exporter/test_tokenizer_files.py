"""Tokenizers: written, checked against the plain tokenizers library, refused where they cannot be used."""

from __future__ import annotations

import importlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import read_manifest
from exporter import ExportError, export_model
from exporter.model_source import find_source
from exporter.tokenizer_files import CHECK_TEXTS, check_vocabulary, load_tokenizer, write_tokenizer
from tiny_models import TRAINING_TEXTS, make_model, save_model, train_tokenizer
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast


def model_folder(folder: Path, family: str = "gpt2") -> Path:
    make_model(family).save_pretrained(folder)
    return folder


def load(folder: Path) -> tuple[Any, list[str]]:
    messages: list[str] = []
    return load_tokenizer(find_source(str(folder)), messages.append), messages


def refuse(folder: Path) -> ExportError:
    with pytest.raises(ExportError) as raised:
        load(folder)
    return raised.value


@pytest.mark.parametrize("bos", [False, True])
def test_written_files_give_the_same_ids(bos: bool, tmp_path: Path) -> None:
    tokenizer = train_tokenizer(bos)
    checks = write_tokenizer(tokenizer, tmp_path)
    written = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert [check["text"] for check in checks] == list(CHECK_TEXTS)
    for check in checks:
        assert check["ids"] == written.encode(check["text"]).ids == tokenizer(check["text"])["input_ids"]
        assert check["tokens"] == [tokenizer.decode([token]) for token in check["ids"]]
        assert (check["ids"][0] == 1) == bos
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert settings["bos_token"] == "<s>"


def test_truncation_and_padding_are_not_kept(tmp_path: Path) -> None:
    tokenizer = train_tokenizer()
    tokenizer.backend_tokenizer.enable_truncation(2)
    tokenizer.backend_tokenizer.enable_padding(length=2)
    write_tokenizer(tokenizer, tmp_path)
    written = json.loads((tmp_path / "tokenizer.json").read_text())
    assert (written["truncation"], written["padding"]) == (None, None)


def test_manifest_holds_the_check(gpt2_export: Path) -> None:
    checks = read_manifest(gpt2_export)["tokenizerCheck"]
    assert len(checks) == len(CHECK_TEXTS)
    split = [check["text"] for check in checks if "\ufffd" in "".join(check["tokens"])]
    assert any("🙂" in text for text in split)  # a character of several tokens


def test_settings_that_live_only_in_python(tmp_path: Path) -> None:
    class WithSuffix(PreTrainedTokenizerFast):
        """Adds a token that its tokenizer.json knows nothing of."""

        def __call__(self, *arguments: Any, **options: Any) -> Any:
            encoded = super().__call__(*arguments, **options)
            encoded["input_ids"] = [*encoded["input_ids"], 0]
            return encoded

    tokenizer = WithSuffix(tokenizer_object=train_tokenizer().backend_tokenizer)
    with pytest.raises(ExportError, match="json alone gives other ids") as raised:
        write_tokenizer(tokenizer, tmp_path)
    assert raised.value.code == "TOKENIZER_INVALID"
    assert "post-processor" in raised.value.message


@pytest.mark.parametrize("family", ["gpt2", "llama", "gemma2"])
def test_no_tokenizer(family: str, tmp_path: Path) -> None:
    error = refuse(model_folder(tmp_path / "hf", family))
    assert error.code == "TOKENIZER_INVALID"
    assert "there are no tokenizer files" in error.message


def test_a_made_up_tokenizer(tmp_path: Path) -> None:
    # With settings but no vocabulary the library makes up a tokenizer of special tokens.
    folder = model_folder(tmp_path / "hf", "gemma2")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "GemmaTokenizer"}')
    assert "the vocabulary is empty" in refuse(folder).message


def test_damaged_tokenizer(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "hf")
    (folder / "tokenizer.json").write_text('{"model":')
    assert refuse(folder).code == "TOKENIZER_INVALID"


def test_a_kind_that_cannot_be_read(tmp_path: Path) -> None:
    words = Tokenizer(models.WordLevel({"a": 0, "b": 1, "?": 2}, unk_token="?"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    folder = model_folder(tmp_path / "hf")
    PreTrainedTokenizerFast(tokenizer_object=words, unk_token="?").save_pretrained(folder)
    error = refuse(folder)
    assert error.code == "TOKENIZER_INVALID"
    assert "WordLevel" in error.message


def test_vocabulary_and_merges_alone(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "hf")
    wanted = train_tokenizer()
    model = json.loads(wanted.backend_tokenizer.to_str())["model"]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
    (folder / "merges.txt").write_text("\n".join(" ".join(merge) for merge in model["merges"]))
    tokenizer, _ = load(folder)
    assert tokenizer("The city")["input_ids"] == wanted("The city")["input_ids"]


def test_sentencepiece_alone(tmp_path: Path) -> None:
    sentencepiece = pytest.importorskip("sentencepiece")
    (tmp_path / "texts.txt").write_text("\n".join(TRAINING_TEXTS[:1] * 5))
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "texts.txt"),
        model_prefix=str(tmp_path / "pieces"),
        vocab_size=300,
        model_type="bpe",
        byte_fallback=True,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    folder = model_folder(tmp_path / "hf", "llama")
    shutil.copy(tmp_path / "pieces.model", folder / "tokenizer.model")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "LlamaTokenizer"}')
    tokenizer, _ = load(folder)
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "pieces.model"))
    checks = write_tokenizer(tokenizer, tmp_path)
    for check in checks[:1]:
        assert check["ids"] == pieces.encode(check["text"])


def test_slow_tokenizers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = model_folder(tmp_path / "hf")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "ByT5Tokenizer"}')
    error = refuse(folder)
    assert "ByT5Tokenizer exists only in slow form and cannot be converted" in error.message

    # A conversion that works, and one that gives other ids.
    class Slow:
        special_tokens_map: dict[str, str] = {}  # noqa: RUF012
        is_fast = False

        def __call__(self, text: str) -> dict[str, list[int]]:
            return {"input_ids": list(train_tokenizer()(text)["input_ids"])}

    conversions = {False: train_tokenizer(), True: train_tokenizer(bos=True)}
    for wrong, converted in conversions.items():
        monkeypatch.setattr("transformers.AutoTokenizer.from_pretrained", lambda *_, **__: Slow())
        monkeypatch.setattr(
            importlib.import_module("transformers.convert_slow_tokenizer"),
            "convert_slow_tokenizer",
            lambda _slow, converted=converted: converted.backend_tokenizer,
        )
        if wrong:
            assert "its conversion gives other ids" in refuse(folder).message
        else:
            tokenizer, messages = load(folder)
            assert messages == ["converting the slow tokenizer Slow"]
            assert tokenizer("The city")["input_ids"] == converted("The city")["input_ids"]


def test_a_class_that_reads_the_file_otherwise(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "hf", "llama", bos=True)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings["tokenizer_class"] = "LlamaTokenizer"
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    _, messages = load(folder)
    assert len(messages) == 1
    assert "LlamaTokenizer gives other ids than" in messages[0]


def test_a_tokenizer_of_another_model(tmp_path: Path) -> None:
    folder = tmp_path / "hf"
    make_model("gpt2", vocab_size=100).save_pretrained(folder)
    train_tokenizer().save_pretrained(folder)
    with pytest.raises(ExportError, match="220 tokens beyond the model's vocabulary of 100") as raised:
        export_model(str(folder), tmp_path / "out")
    assert raised.value.code == "TOKENIZER_MISMATCH"
    messages: list[str] = []
    check_vocabulary(train_tokenizer(), 320, messages.append)
    assert messages == []
    check_vocabulary(train_tokenizer(), 5000, messages.append)
    assert "the tokenizer has 320 tokens, the model 5000" in messages[0]


def test_every_check_text_gives_ids() -> None:
    tokenizer = train_tokenizer()
    tokenizer.backend_tokenizer.post_processor = processors.ByteLevel()
    assert all(tokenizer(text)["input_ids"] for text in CHECK_TEXTS)
