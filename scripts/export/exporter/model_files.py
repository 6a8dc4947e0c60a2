"""The small files of a model folder, and what the manifest says of the large one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from .environment import exporter_version

CHUNK = 1 << 20


def write_json(path: Path, value: object) -> None:
    """Write `value` as JSON for people and programs; numbers must be finite."""
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    path.write_text(text + "\n", "utf-8")


def write_config(path: Path, config: Any, dtype: str) -> None:
    """Write the config as save_pretrained does, without where and how it was loaded, with the dtype of the export."""
    values = {**config.to_diff_dict(), "dtype": dtype}
    for name in ("_name_or_path", "_model_name_or_path", "quantization_config"):
        values.pop(name, None)
    write_json(path, values)


def describe_file(path: Path) -> dict[str, Any]:
    """The manifest's `model`: name, SHA-256 and size."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return {"file": path.name, "sha256": digest.hexdigest(), "bytes": path.stat().st_size}


def versions() -> dict[str, str]:
    """The manifest's `versions`."""
    import torch
    import transformers

    return {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "exporter": exporter_version(),
    }
