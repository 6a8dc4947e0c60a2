"""Write golden JSON: numbers rounded to what float32 can tell apart, one case a line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

#: Nine significant digits tell any two float32 numbers apart.
DIGITS = 9


def round_floats(value: Any) -> Any:
    """`value` with every float inside it rounded to nine significant digits."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS - 1}e}")
    if isinstance(value, Mapping):
        return {key: round_floats(element) for key, element in value.items()}
    if isinstance(value, (list, tuple)):
        return [round_floats(element) for element in value]
    return value


def write_golden(file: Path, header: Mapping[str, Any], lists: Mapping[str, Iterable[Any]]) -> None:
    """Write an object with the fields of `header`, then each of `lists` with one element a line."""
    parts = [f"{json.dumps(key)}: {_to_json(value)}" for key, value in header.items()]
    for key, elements in lists.items():
        lines = ",\n".join(_to_json(element) for element in elements)
        parts.append(f"{json.dumps(key)}: [\n{lines}\n]")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def model_sha256(folder: Path) -> str:
    """SHA-256 of a folder's `model.pt`, in hexadecimal digits."""
    return hashlib.sha256((folder / "model.pt").read_bytes()).hexdigest()


def _to_json(value: Any) -> str:
    return json.dumps(round_floats(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
