"""Writes a folder all at once: its content is made in a hidden folder beside it, which is then renamed."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import ExportError
from .interruption import signals_ignored

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
MANIFEST_FILE = "causal-tracer.json"


@contextmanager
def staged_folder(target: Path, force: bool) -> Iterator[Path]:
    """Yield an empty folder that becomes `target` when the block ends, and vanishes when the block fails.

    An existing model folder is replaced only with `force`; files in it that the block did not write are kept.
    Raises ExportError OUTPUT_NOT_WRITABLE.
    """
    target = Path(os.path.abspath(target.expanduser()))  # noqa: PTH100 - resolve() would follow links
    _check_target(target, force)
    made = _make_parents(target.parent)
    staged = None
    try:
        try:
            staged = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent))
        except OSError as error:
            raise ExportError(
                "OUTPUT_NOT_WRITABLE", f"cannot write into {target.parent}: {error.strerror}"
            ) from None
        staged.chmod(0o777 & ~_umask())
        try:
            yield staged
            _move_into_place(staged, target)
        except OSError as error:
            if error.errno in NO_ROOM or _concerns(error, staged):
                raise ExportError(
                    "OUTPUT_NOT_WRITABLE", f"cannot write {target}: {error.strerror}"
                ) from error
            raise
    except BaseException:
        with signals_ignored():
            _remove(staged, made)
        raise


def _remove(staged: Path | None, made: list[Path]) -> None:
    if staged is not None:
        shutil.rmtree(staged, ignore_errors=True)
    for folder in made:
        try:
            folder.rmdir()
        except OSError:
            break


def _check_target(target: Path, force: bool) -> None:
    if not target.exists() and not target.is_symlink():
        return
    if not target.is_dir():
        raise ExportError(
            "OUTPUT_NOT_WRITABLE", f"{target} exists and is not a folder; name another output folder"
        )
    if not any(target.iterdir()):
        return
    if not (target / MANIFEST_FILE).is_file():
        raise ExportError(
            "OUTPUT_NOT_WRITABLE",
            f"{target} exists and is not a model folder of causal-tracer, so it is never replaced; "
            "name another output folder",
        )
    if not force:
        raise ExportError(
            "OUTPUT_NOT_WRITABLE",
            f"{target} exists; give --force to replace it, or name another output folder",
        )


def _make_parents(folder: Path) -> list[Path]:
    """Make `folder`; returns the folders that did not exist before, innermost first."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    try:
        for path in reversed(missing):
            path.mkdir()
    except OSError as error:
        raise ExportError("OUTPUT_NOT_WRITABLE", f"cannot make {missing[0]}: {error.strerror}") from None
    return missing


def _move_into_place(staged: Path, target: Path) -> None:
    if not target.exists():
        staged.rename(target)
        return
    for kept in target.iterdir():
        if not (staged / kept.name).exists():
            copy = shutil.copytree if kept.is_dir() else shutil.copy2
            copy(kept, staged / kept.name)
    retired = staged.with_suffix(".replaced")
    with signals_ignored():
        target.rename(retired)
        try:
            staged.rename(target)
        except BaseException:
            retired.rename(target)
            raise
        shutil.rmtree(retired, ignore_errors=True)


def _concerns(error: OSError, folder: Path) -> bool:
    return error.filename is not None and Path(os.fsdecode(error.filename)).is_relative_to(folder)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
