"""The saved TorchScript file."""

from __future__ import annotations

import errno
import zipfile
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
import torch
from exporter import ExportError, export_model
from exporter.output_folder import staged_folder
from exporter.traceable import INPUTS, TracedLanguageModel, make_inputs
from exporter.tracing import check_free_space, check_sites_are_called, load_trace, save_trace, trace_model
from tiny_models import make_model

IDS = torch.tensor([[5, 6, 7], [8, 9, 10]])


@pytest.fixture(scope="module")
def traced() -> Any:
    return trace_model(TracedLanguageModel(make_model("gpt2"), INPUTS), make_inputs(IDS))


def test_saved_file_holds_no_debug_records(traced: Any, tmp_path: Path) -> None:
    save_trace(traced, tmp_path / "model.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]
    with zipfile.ZipFile(tmp_path / "model.pt") as archive:
        names = archive.namelist()
        assert archive.testzip() is None
    assert [name for name in names if name.endswith("debug_pkl")] == []
    assert {name.split("/")[0] for name in names} == {"model"}
    arguments = tuple(make_inputs(IDS).values())
    assert torch.equal(load_trace(tmp_path / "model.pt")(*arguments), traced(*arguments))


def test_tied_weights_are_saved_once(traced: Any, tmp_path: Path) -> None:
    save_trace(traced, tmp_path / "model.pt")
    loaded = load_trace(tmp_path / "model.pt")
    assert loaded.lm_head.weight.data_ptr() == loaded.transformer.wte.weight.data_ptr()


def test_sites_must_be_called_once(traced: Any) -> None:
    check_sites_are_called(traced, ["transformer.wte", "transformer.h.0.mlp"])
    for name, seen in (
        ("transformer.h.0.attn.attn_dropout", "called 0 times"),
        ("transformer.h.7", "missing"),
    ):
        with pytest.raises(ExportError, match=f"{name} is {seen} in the trace") as raised:
            check_sites_are_called(traced, [name])
        assert raised.value.code == "MODULE_NOT_HOOKABLE"


def test_a_model_that_cannot_be_traced() -> None:
    class Branching(torch.nn.Module):
        """Gives something that is no tensor."""

        def forward(self, *_tensors: torch.Tensor) -> str:
            return "text"

    with pytest.raises(ExportError, match="cannot be traced") as raised:
        trace_model(Branching(), make_inputs(IDS))
    assert raised.value.code == "EXPORT_FAILED"


def test_a_full_disk(gpt2_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: usage(free=3_000_000))
    model = make_model("gpt2")
    with pytest.raises(ExportError, match=r"needs 4 MB on the disk .* 3 MB are free") as raised:
        check_free_space(model, tmp_path / "staged")
    assert raised.value.code == "OUTPUT_NOT_WRITABLE"
    with pytest.raises(ExportError, match="3 MB are free"):
        export_model(str(gpt2_folder), tmp_path / "out")

    failure = OSError(errno.ENOSPC, "No space left on device")
    with (
        pytest.raises(ExportError, match="No space left on device") as raised,
        staged_folder(tmp_path / "out", False),
    ):
        raise failure
    assert raised.value.code == "OUTPUT_NOT_WRITABLE"
    assert list(tmp_path.iterdir()) == []
