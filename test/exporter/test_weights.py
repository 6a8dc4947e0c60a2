"""Weights as they come in practice: in shards, shared, in another dtype; and how much memory they take."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import REPOSITORY, read_manifest
from exporter import ExportError, export_model
from exporter.tracing import load_trace
from tiny_gguf import write_gguf
from tiny_models import make_model, save_model, train_tokenizer
from transformers import AutoModelForCausalLM

SCRIPT = REPOSITORY / "scripts" / "export" / "export_model.py"
DTYPES = ("float32", "bfloat16", "float16")


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load_trace(folder / "model.pt").named_parameters())


def test_shards(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "hf", "llama")
    whole = (folder / "model.safetensors").stat().st_size
    (folder / "model.safetensors").unlink()
    make_model("llama").save_pretrained(folder, max_shard_size=f"{whole // 5000}KB")
    shards = sorted(folder.glob("*.safetensors"))
    assert len(shards) >= 4
    assert (folder / "model.safetensors.index.json").is_file()
    export_model(str(folder), tmp_path / "out")
    found = weights_of(tmp_path / "out")
    for name, value in make_model("llama").named_parameters():
        assert torch.equal(found[name], value)

    shards[1].unlink()
    with pytest.raises(ExportError, match=re.escape(shards[1].name)) as raised:
        export_model(str(folder), tmp_path / "other")
    assert raised.value.code == "MODEL_FILE_NOT_FOUND"


@pytest.mark.parametrize("tied", [True, False])
def test_tied_weights(tied: bool, tmp_path: Path) -> None:
    folder = save_model(tmp_path / "hf", "llama", tie_word_embeddings=tied)
    summary = export_model(str(folder), tmp_path / "out")
    traced = load_trace(tmp_path / "out" / "model.pt")
    embedding, projection = traced.model.embed_tokens.weight, traced.lm_head.weight
    assert (embedding.data_ptr() == projection.data_ptr()) == tied
    distinct = {value.data_ptr(): value.numel() for value in traced.parameters()}
    assert sum(distinct.values()) * 4 < summary.bytes < sum(distinct.values()) * 4 + 200_000


@pytest.mark.parametrize("stored", DTYPES)
@pytest.mark.parametrize("asked", DTYPES)
def test_the_dtype_that_is_asked_for_counts(stored: str, asked: str, tmp_path: Path) -> None:
    folder = tmp_path / "hf"
    make_model("llama").to(getattr(torch, stored)).save_pretrained(folder)
    train_tokenizer().save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    # Older configs call it torch_dtype.
    assert config.pop("dtype") == stored
    (folder / "config.json").write_text(json.dumps({**config, "torch_dtype": stored}))
    export_model(str(folder), tmp_path / "out", dtype=asked)
    manifest = read_manifest(tmp_path / "out")
    assert manifest["dtype"] == asked
    weights = weights_of(tmp_path / "out")
    assert {value.dtype for value in weights.values()} == {getattr(torch, asked)}
    for name, value in make_model("llama").named_parameters():
        assert torch.equal(weights[name], value.to(getattr(torch, stored)).to(getattr(torch, asked)))
    written = json.loads((tmp_path / "out" / "config.json").read_text())
    assert (written["dtype"], written.get("torch_dtype")) == (asked, None)


class PeakMemory:
    """Runs the exporter, and watches the memory that is its own; pages of mapped files are not."""

    def __init__(self, *arguments: str | Path) -> None:
        command = [sys.executable, str(SCRIPT), *map(str, arguments)]
        self.bytes = 0
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            status = Path(f"/proc/{process.pid}/status")
            while process.poll() is None:
                found = re.search(r"RssAnon:\s+(\d+) kB", status.read_text())
                self.bytes = max(self.bytes, int(found[1]) * 1000 if found else 0)
                time.sleep(0.01)
            _, stderr = process.communicate()
        assert process.returncode == 0, stderr


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize("source", ["safetensors", "gguf"])
def test_weights_are_in_memory_once(source: str, tmp_path: Path) -> None:
    def make(name: str, width: int, layers: int) -> Path:
        if source == "gguf":
            return write_gguf(tmp_path / f"{name}.gguf", "F16", width=width, layers=layers)
        sizes: dict[str, Any] = {"hidden_size": width, "intermediate_size": 3 * width, "head_dim": width // 4}
        return save_model(tmp_path / name, "llama", num_hidden_layers=layers, **sizes)

    tiny = PeakMemory(make("tiny", 64, 2), tmp_path / "tiny-out")
    large = PeakMemory(make("large", 512, 8), tmp_path / "large-out")
    weights = read_manifest(tmp_path / "large-out")["model"]["bytes"]
    assert weights > 100e6
    assert (large.bytes - tiny.bytes) / weights < 1.25


def test_free_space_is_looked_at_before_anything_is_written(
    gpt2_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    monkeypatch.setattr("exporter.export.save_trace", lambda _traced, path: written.append(path.name))
    monkeypatch.setattr(
        "shutil.disk_usage", lambda _folder: np.rec.array((0, 0, 1000), names="total,used,free")
    )
    with pytest.raises(ExportError, match="0 MB are free") as raised:
        export_model(str(gpt2_folder), tmp_path / "out")
    assert raised.value.code == "OUTPUT_NOT_WRITABLE"
    assert written == []
    assert list(tmp_path.iterdir()) == []


def test_a_dtype_that_lacks_an_operator(
    gpt2_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def add_operator(*arguments: Any, **options: Any) -> Any:
        model, report = load(*arguments, **options)
        model.transformer.ln_f.register_forward_hook(
            lambda _module, _given, output: torch.special.bessel_j0(output)
        )
        return model, report

    load = AutoModelForCausalLM.from_pretrained
    monkeypatch.setattr("transformers.AutoModelForCausalLM.from_pretrained", add_operator)
    with pytest.raises(ExportError) as raised:
        export_model(str(gpt2_folder), tmp_path / "out", dtype="float16")
    assert (raised.value.code, raised.value.message) == (
        "EXPORT_FAILED",
        "this processor cannot compute the model in float16: PyTorch has no bessel_j0_cpu for it; "
        "export with --dtype float32",
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_trace_rounds_as_the_model_does(dtype: str, gpt2_folder: Path, tmp_path: Path) -> None:
    summary = export_model(str(gpt2_folder), tmp_path / "out", dtype=dtype)
    assert summary.worst_difference == 0
