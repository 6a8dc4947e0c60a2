"""GGUF files: dequantized, verified, recorded; refused where transformers would leave something out."""

from __future__ import annotations

import builtins
import importlib.metadata
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import read_manifest
from exporter import ExportError, export_model
from exporter.environment import REMEDY
from exporter.gguf_file import read_gguf
from exporter.model_source import find_source
from exporter.tokenizer_files import CHECK_TEXTS
from exporter.tracing import load_trace
from tiny_gguf import rebuild, write_gguf
from tiny_models import train_tokenizer
from tokenizers import Tokenizer
from transformers import AutoTokenizer

IDS = torch.randint(2, 320, (3, 11), generator=torch.Generator().manual_seed(0))


def refuse(source: Path, out: Path, code: str) -> str:
    with pytest.raises(ExportError) as raised:
        export_model(str(source), out)
    assert raised.value.code == code
    assert not out.exists()
    return raised.value.message


def logits_of(folder: Path, ids: torch.Tensor) -> torch.Tensor:
    positions = torch.arange(ids.shape[1]).expand_as(ids)
    return load_trace(folder / "model.pt")(ids, torch.ones_like(ids), positions).float()


@pytest.mark.parametrize(
    ("quantization", "tied"), [("Q4_1", False), ("Q4_1", True), ("Q8_0", False), ("F16", True)]
)
def test_a_file_equals_its_dequantized_weights(quantization: str, tied: bool, tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "model.gguf", quantization, tied=tied)
    summary = export_model(str(path), tmp_path / "out")
    assert (summary.quantization, summary.dtype, summary.family) == (quantization, "float32", "llama")
    with torch.no_grad():
        wanted = rebuild(path)(IDS).logits
    found = logits_of(tmp_path / "out", IDS)
    assert wanted.std() > 0.5
    assert (found - wanted).abs().max() <= 1e-5 * wanted.abs().max()
    manifest = read_manifest(tmp_path / "out")
    matrices = {quantization: 15 if tied is False else 14, "F32": 5}
    matrices["Q8_0"] = matrices.get("Q8_0", 0) + 1
    assert manifest["quantization"] == {"format": "gguf", "type": quantization, "tensorTypes": matrices}
    assert manifest["verification"]["cases"]


def test_dequantized_to_the_dtype_that_is_asked_for(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "model.gguf")
    export_model(str(path), tmp_path / "out", dtype="bfloat16")
    assert read_manifest(tmp_path / "out")["dtype"] == "bfloat16"
    traced = load_trace(tmp_path / "out" / "model.pt")
    wanted = dict(rebuild(path).to(torch.bfloat16).named_parameters())
    found = dict(traced.named_parameters())
    assert set(wanted) <= set(found)
    assert all(torch.equal(found[name], value) for name, value in wanted.items())


def test_the_tokenizer_is_python_s(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "model.gguf")
    export_model(str(path), tmp_path / "out")
    python = AutoTokenizer.from_pretrained(tmp_path, gguf_file="model.gguf")
    original, written = train_tokenizer(), Tokenizer.from_file(str(tmp_path / "out" / "tokenizer.json"))
    for text in (*CHECK_TEXTS, "<s>a<|endoftext|>"):
        assert written.encode(text).ids == python(text)["input_ids"] == original(text)["input_ids"]
    assert json.loads((tmp_path / "out" / "tokenizer_config.json").read_text())["bos_token"] == "<s>"


def test_the_config_says_nothing_of_the_file(tmp_path: Path) -> None:
    export_model(
        str(write_gguf(tmp_path / "model.gguf", metadata={"general.name": "mine"})), tmp_path / "out"
    )
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert not {"quantization_config", "_name_or_path", "_model_name_or_path"} & set(config)


def test_where_the_file_is(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    path = write_gguf(tmp_path / "one" / "a.gguf")
    assert find_source(str(path)).gguf_path == path
    assert find_source(str(tmp_path / "one")).gguf_path == path
    renamed = path.with_name("without-suffix")
    renamed.write_bytes(path.read_bytes())
    assert find_source(str(renamed)).gguf_path == renamed
    # A config alone is no model, a config with its weights is.
    (tmp_path / "one" / "config.json").write_text("{}")
    assert find_source(str(tmp_path / "one")).gguf_path == path
    (tmp_path / "one" / "model.safetensors").write_text("")
    assert find_source(str(tmp_path / "one")).gguf_path is None


def test_several_files_and_none(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_text("")
    (tmp_path / "b.gguf").write_text("")
    assert "a.gguf, b.gguf); name the one" in refuse(tmp_path, tmp_path / "out", "MODEL_FILE_NOT_FOUND")
    message = refuse(tmp_path / "c.gguf", tmp_path / "out", "MODEL_FOLDER_NOT_FOUND")
    assert "c.gguf does not exist" in message


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "text.gguf").write_text("version https://git-lfs.github.com/spec/v1")
    message = refuse(tmp_path / "text.gguf", tmp_path / "out", "MODEL_FILE_INVALID")
    assert "is not a GGUF file" in message
    assert "Git LFS" in message
    complete = write_gguf(tmp_path / "model.gguf").read_bytes()
    for length in (4, 100, len(complete) // 2, len(complete) - 64):
        (tmp_path / "part.gguf").write_bytes(complete[:length])
        assert "damaged or truncated" in refuse(
            tmp_path / "part.gguf", tmp_path / "out", "MODEL_FILE_INVALID"
        )


def test_an_architecture_that_transformers_cannot_read(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "model.gguf", architecture="rwkv7")
    message = refuse(path, tmp_path / "out", "EXPORT_FAILED")
    assert "of the architecture rwkv7, which transformers cannot read from GGUF" in message


@pytest.mark.parametrize("missing", [("gguf",), ("accelerate",), ("gguf", "accelerate")])
def test_packages_that_are_missing(
    missing: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_gguf(tmp_path / "model.gguf")
    version = importlib.metadata.version

    def find(package: str) -> str:
        if package in missing:
            raise importlib.metadata.PackageNotFoundError(package)
        return version(package)

    monkeypatch.setattr("importlib.metadata.version", find)
    message = refuse(path, tmp_path / "out", "EXPORT_FAILED")
    plural = "s" if len(missing) > 1 else ""
    assert message == (
        f"reading GGUF files needs the Python package{plural} {' and '.join(missing)}; {REMEDY}"
    )
    assert "pip install -r" in REMEDY


def test_packages_are_not_needed_for_other_models(
    gpt2_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_import = builtins.__import__

    def refuse_gguf(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "gguf":
            raise ModuleNotFoundError(name)
        return real_import(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", refuse_gguf)
    assert export_model(str(gpt2_folder), tmp_path / "out").quantization is None
    assert "quantization" not in read_manifest(tmp_path / "out")


def test_one_of_several_parts(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "model-00001-of-00003.gguf", metadata={"split.count": 3})
    assert "one of 3 parts" in refuse(path, tmp_path / "out", "EXPORT_FAILED")


def test_rotary_scaling_that_transformers_leaves_out(tmp_path: Path) -> None:
    factors = np.linspace(1, 8, 8, dtype=np.float32)
    path = write_gguf(tmp_path / "model.gguf", extra_tensors={"rope_freqs.weight": factors})
    assert "rotary frequencies (rope_freqs.weight)" in refuse(path, tmp_path / "out", "EXPORT_FAILED")
    path = write_gguf(tmp_path / "model.gguf", metadata={"llama.rope.scaling.type": "linear"})
    assert "rotary frequencies (linear)" in refuse(path, tmp_path / "out", "EXPORT_FAILED")
    ones = np.ones(8, dtype=np.float32)
    path = write_gguf(tmp_path / "model.gguf", extra_tensors={"rope_freqs.weight": ones})
    export_model(str(path), tmp_path / "out")


def test_weights_that_transformers_leaves_out(tmp_path: Path) -> None:
    bias = np.zeros(64, dtype=np.float32)
    path = write_gguf(tmp_path / "model.gguf", extra_tensors={"blk.0.attn_q.bias": bias})
    message = refuse(path, tmp_path / "out", "EXPORT_FAILED")
    assert "so something is left out" in message


def test_a_file_without_a_tokenizer(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "model.gguf", tokenizer=False)
    message = refuse(path, tmp_path / "out", "TOKENIZER_INVALID")
    assert "transformers makes no tokenizer" in message


def test_a_beginning_that_transformers_does_not_add(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "model.gguf", metadata={"tokenizer.ggml.add_bos_token": True})
    messages: list[str] = []
    export_model(str(path), tmp_path / "out", progress=messages.append)
    assert [message for message in messages if message.startswith("warning")] == [
        "warning: model.gguf says that a prompt begins with '<s>', but the tokenizer that transformers makes of it "
        "does not add it; taken as transformers does"
    ]


def test_the_name_of_a_quantization(tmp_path: Path) -> None:
    unknown = write_gguf(tmp_path / "a.gguf", "Q5_0", metadata={"general.file_type": 999})
    assert read_gguf(unknown).quantization == "Q5_0"
    guessed = write_gguf(tmp_path / "b.gguf", metadata={"general.file_type": 1024 + 15})
    assert read_gguf(guessed).quantization == "Q4_K_M"
