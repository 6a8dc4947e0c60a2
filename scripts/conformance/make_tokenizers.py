"""Make the tokenizers of the conformance suite, and what Python's `tokenizer(text)` gives for awkward texts.

    python scripts/conformance/make_tokenizers.py [--out FOLDER]

For each shape OUT gets a folder with the files that the exporter writes, and beside it a JSON file with the ids and
each id decoded by itself. What is there already, of the same scripts and versions, stays.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from awkward_texts import awkward_texts

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_OUT = ROOT / "build" / "conformance" / "tokenizers"
INDEX_FILE = "index.json"
SOURCES = (
    "scripts/conformance/make_tokenizers.py",
    "scripts/conformance/tokenizer_shapes.py",
    "scripts/conformance/awkward_texts.py",
    "scripts/parity/tokenizer_text.txt",
    "scripts/export/exporter/tokenizer_files.py",
)


def main() -> int:
    """Make what is missing; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    out: Path = parser.parse_args().out
    digest = _digest()
    index = out / INDEX_FILE
    try:
        if json.loads(index.read_text("utf-8"))["digest"] == digest:
            return 0
    except (OSError, ValueError, KeyError):
        pass
    out.mkdir(parents=True, exist_ok=True)
    # Only here: a run that finds everything made need not wait for PyTorch.
    from tokenizer_shapes import SHAPES, wrap

    texts = awkward_texts()
    for name, make in SHAPES.items():
        cases = _write(wrap(make()), out / name, texts)
        content = json.dumps(cases, ensure_ascii=True)
        (out / f"{name}.json").write_text(content, "utf-8")
        print(f"{name}: {len(cases)} texts", flush=True)
    index.write_text(json.dumps({"digest": digest, "shapes": list(SHAPES)}), "utf-8")
    return 0


def _write(tokenizer: Any, folder: Path, texts: list[str]) -> list[dict[str, Any]]:
    """Write the exporter's tokenizer files; returns what Python gives, after a round trip through its own files."""
    sys.path.append(str(ROOT / "scripts" / "export"))
    from exporter.tokenizer_files import write_tokenizer
    from transformers import PreTrainedTokenizerFast

    with tempfile.TemporaryDirectory() as saved:
        tokenizer.save_pretrained(saved)
        reloaded = PreTrainedTokenizerFast.from_pretrained(saved)
    folder.mkdir(exist_ok=True)
    write_tokenizer(reloaded, folder)
    cases = []
    for text in texts:
        ids = list(reloaded(text)["input_ids"])
        cases.append({"text": text, "ids": ids, "tokens": [reloaded.decode([token]) for token in ids]})
    return cases


def _digest() -> str:
    found = hashlib.sha256()
    for source in SOURCES:
        found.update((ROOT / source).read_bytes())
    for package in ("tokenizers", "transformers"):
        found.update(f"{package}=={version(package)}".encode())
    return found.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
