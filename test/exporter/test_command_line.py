"""The exporter's command: what it prints, where, and its exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from itertools import cycle
from pathlib import Path

import exporter.command_line
import pytest
from conftest import REPOSITORY, read_manifest
from exporter import export_model
from exporter.command_line import main
from exporter.interruption import ENDING_SIGNALS

SCRIPT = REPOSITORY / "scripts" / "export" / "export_model.py"


def last_error(text: str) -> dict[str, str]:
    return json.loads(text.strip().splitlines()[-1])


def test_success_through_the_script(gpt2_folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), str(gpt2_folder), str(tmp_path / "out")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0
    summary = json.loads(result.stdout)
    manifest = read_manifest(tmp_path / "out")
    assert summary["out"] == str(tmp_path / "out")
    assert (summary["family"], summary["layerCount"]) == ("gpt2", 3)
    assert summary["sha256"] == manifest["model"]["sha256"]
    worst = max(case["maximumDifference"] for case in manifest["verification"]["cases"])
    assert summary["worstDifference"] == worst
    source = f"loading the folder {gpt2_folder} (gpt2) in float32"
    bytes_written = manifest["model"]["bytes"]
    lines = result.stderr.splitlines()
    assert [line for line in lines if not line.startswith("writing")] == [
        source,
        "computing reference logits",
        "tracing",
        "verifying the saved trace in 9 cases",
    ]
    assert lines[3] == "writing 0.2 MB of weights"
    assert 0.15e6 < bytes_written < 0.5e6


PHASES = ("loading", "computing reference logits", "tracing", "writing", "verifying")


@pytest.mark.parametrize(("phase", "number"), tuple(zip(PHASES, cycle(ENDING_SIGNALS), strict=False)))
def test_interruption_leaves_nothing(
    phase: str, number: signal.Signals, gpt2_folder: Path, tmp_path: Path
) -> None:
    command = [sys.executable, str(SCRIPT), str(gpt2_folder), str(tmp_path / "a" / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while not process.stderr.readline().startswith(phase):
            assert process.poll() is None
        # Impatient users press Ctrl-C more than once; it must not end the cleaning up.
        for _ in range(3):
            os.kill(process.pid, number)
        stdout, stderr = process.communicate()
    assert process.returncode == 130
    assert stdout == ""
    assert last_error(stderr) == {"code": "EXPORT_FAILED", "message": "interrupted; nothing was written"}
    assert list(tmp_path.iterdir()) == []


def test_interruption_keeps_the_folder_that_was_there(gpt2_folder: Path, tmp_path: Path) -> None:
    export_model(str(gpt2_folder), tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    command = [
        sys.executable,
        str(SCRIPT),
        str(gpt2_folder),
        str(tmp_path / "out"),
        "--force",
        "--dtype=bfloat16",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while not process.stderr.readline().startswith("verifying"):
            assert process.poll() is None
        os.kill(process.pid, signal.SIGINT)
        process.communicate()
    assert process.returncode == 130
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


@pytest.mark.parametrize(
    "arguments",
    [[], ["only-one"], ["a", "b", "--dtype", "int8"], ["a", "b", "--attention", "x"], ["a", "b", "--bad"]],
)
def test_usage_errors(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    assert raised.value.code == 2
    assert "usage: export_model.py" in capsys.readouterr().err


def test_failures_are_json(gpt2_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "layers.json").write_text('{"embeddingLayer": "x"}')
    (tmp_path / "taken").write_text("")
    out = str(tmp_path / "out")
    cases = [
        ([str(tmp_path / "absent"), out], "MODEL_FOLDER_NOT_FOUND"),
        ([str(tmp_path), out], "MODEL_FILE_NOT_FOUND"),
        ([str(gpt2_folder), out, "--layer-config", str(tmp_path / "layers.json")], "LAYER_CONFIG_INVALID"),
        ([str(gpt2_folder), str(tmp_path / "taken")], "OUTPUT_NOT_WRITABLE"),
    ]
    for arguments, code in cases:
        assert main(arguments) == 1
        printed = capsys.readouterr()
        assert printed.out == ""
        assert last_error(printed.err)["code"] == code
        assert "Traceback" not in printed.err


@pytest.mark.parametrize(
    ("failure", "code", "text"),
    [
        (MemoryError(), "OUT_OF_MEMORY", "--dtype bfloat16"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"), "OUT_OF_MEMORY", "memory"),
        (ZeroDivisionError("division"), "EXPORT_FAILED", "ZeroDivisionError: division"),
    ],
)
def test_unexpected_failures(
    failure: Exception,
    code: str,
    text: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_options: object) -> None:
        print("a model's own chatter")
        raise failure

    monkeypatch.setattr(exporter.command_line, "_run", fail)
    assert main(["a", "b"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert last_error(printed.err)["code"] == code
    assert text in last_error(printed.err)["message"]


def test_missing_and_wrong_packages(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda _package: "2.12.1")
    assert main(["a", "b"]) == 1
    message = last_error(capsys.readouterr().err)["message"]
    assert message.startswith("torch 2.13 is needed, found 2.12.1; install the pinned versions with:")
