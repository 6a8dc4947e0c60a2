"""The model folder appears whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from exporter import ExportError
from exporter.output_folder import MANIFEST_FILE, staged_folder


def write(target: Path, text: str = "new", force: bool = False) -> None:
    with staged_folder(target, force) as folder:
        (folder / MANIFEST_FILE).write_text(text)


def test_a_new_folder_and_its_parents(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "model"
    with staged_folder(target, False) as folder:
        (folder / "x").write_text("1")
        assert not target.exists()
        assert folder.parent == target.parent
    assert [path.name for path in target.parent.iterdir()] == ["model"]
    assert (target / "x").read_text() == "1"
    assert target.stat().st_mode & 0o700 == 0o700


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left_after_a_failure(failure: type[BaseException], tmp_path: Path) -> None:
    with pytest.raises(failure), staged_folder(tmp_path / "a" / "model", False) as folder:
        (folder / "x").write_text("1")
        raise failure
    assert list(tmp_path.iterdir()) == []


def test_an_existing_model_folder_needs_force(tmp_path: Path) -> None:
    write(tmp_path / "model", "old")
    with pytest.raises(ExportError, match="give --force to replace it") as raised:
        write(tmp_path / "model")
    assert raised.value.code == "OUTPUT_NOT_WRITABLE"
    assert (tmp_path / "model" / MANIFEST_FILE).read_text() == "old"


def test_force_replaces_and_keeps_foreign_files(tmp_path: Path) -> None:
    write(tmp_path / "model", "old")
    (tmp_path / "model" / "facts.json").write_text("mine")
    write(tmp_path / "model", "new", force=True)
    assert (tmp_path / "model" / MANIFEST_FILE).read_text() == "new"
    assert (tmp_path / "model" / "facts.json").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_failed_replacement_keeps_the_old_folder(tmp_path: Path) -> None:
    write(tmp_path / "model", "old")
    with pytest.raises(ValueError, match="half"), staged_folder(tmp_path / "model", True) as folder:
        (folder / MANIFEST_FILE).write_text("half")
        raise ValueError("half")
    assert (tmp_path / "model" / MANIFEST_FILE).read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_force_never_replaces_another_folder(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("dear")
    with pytest.raises(ExportError, match="not a model folder"):
        write(tmp_path / "home", force=True)
    assert (tmp_path / "home" / "letter.txt").read_text() == "dear"


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty")
    assert (tmp_path / "empty" / MANIFEST_FILE).read_text() == "new"


def test_paths_that_cannot_be_folders(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for target in (tmp_path / "file", tmp_path / "file" / "model"):
        with pytest.raises(ExportError) as raised:
            write(target)
        assert raised.value.code == "OUTPUT_NOT_WRITABLE"
