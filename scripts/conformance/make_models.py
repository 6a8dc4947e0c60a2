"""Make the tiny models of the conformance suite, and what the Python package computes with them.

    python scripts/conformance/make_models.py [--out FOLDER] [--quick] [FAMILY ...]

For each family OUT gets a model folder, written by the project's exporter, and beside it a JSON file with the scores
of the Python package; for a family that the exporter must refuse, the JSON file alone, with the reason. What is
there already, of the same scripts and versions, stays.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from digest import digest_of
from model_families import FAMILIES, QUICK, REFUSED, Family

ROOT = Path(__file__).resolve().parents[2]
INDEX_FILE = "index.json"
DEFAULT_OUT = ROOT / "build" / "conformance"
PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "causal-tracer")
#: What the models depend on, beside their own entry in model_families.py.
SOURCES = (
    "scripts/conformance/make_models.py",
    "scripts/conformance/random_weights.py",
    "scripts/conformance/reference_hooks.py",
    "scripts/conformance/reference_scores.py",
    "scripts/conformance/tiny_model.py",
    "scripts/parity/tiny_tokenizers.py",
    "scripts/parity/tokenizer_text.txt",
    "scripts/export/exporter/*.py",
)


def main() -> int:
    """Make what is missing; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [family.name for family in (*FAMILIES, *REFUSED)]
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=f"of {'; '.join(names)} (default: all)")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(sorted(QUICK))}")
    arguments = parser.parse_args()
    chosen = set(arguments.families) or (QUICK if arguments.quick else set(names))
    unknown = sorted(chosen - set(names))
    if unknown:
        parser.error(f"there is no family {', '.join(unknown)}")

    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    common = digest_of(SOURCES, PACKAGES)
    families = [family for family in (*FAMILIES, *REFUSED) if family.name in chosen]
    entries = [(family, out / slug(family), _digest(common, family)) for family in families]
    _write_index(out / INDEX_FILE)
    stale = [entry for entry in entries if not _is_fresh(entry[1], entry[2])]
    failures = _make(stale)
    for name, reason in failures:
        print(f"{name}: {reason}", file=sys.stderr)
    return 1 if failures else 0


def _write_index(path: Path) -> None:
    """What the suite has to know of every family."""
    entries = [
        {
            "name": family.name,
            "folder": slug(family),
            "special": family.special,
            "refused": family in REFUSED,
            "quick": family.name in QUICK,
        }
        for family in (*FAMILIES, *REFUSED)
    ]
    path.write_text(json.dumps(entries, ensure_ascii=False, indent=1), "utf-8")


def slug(family: Family) -> str:
    """The family's name as a folder's."""
    return re.sub(r"[^a-z0-9_]+", "-", family.name.lower())


def _make(stale: Iterable[tuple[Family, Path, str]]) -> list[tuple[str, str]]:
    """Make the models side by side; returns the names of those that fail, with the reasons."""
    stale = list(stale)
    if not stale:
        return []
    workers = min(len(stale), os.cpu_count() or 1)
    failures = []
    with ProcessPoolExecutor(workers) as pool:
        for (family, _, _), (outcome, failed) in zip(stale, pool.map(_try_one, stale), strict=True):
            if failed:
                failures.append((family.name, outcome))
            else:
                print(f"{family.name}: {outcome}", flush=True)
    return failures


def _try_one(entry: tuple[Family, Path, str]) -> tuple[str, bool]:
    """The outcome in words, and whether it is a failure: not every exception can be sent to another process."""
    try:
        return _make_one(*entry), False
    except Exception as error:
        return f"{type(error).__name__}: {error}", True


def _make_one(family: Family, folder: Path, digest: str) -> str:
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    # Only here: a run that finds everything made need not wait for PyTorch.
    from tiny_model import describe_refusal, make_and_trace

    record: dict[str, Any] = {"digest": digest, "family": family.model_type}
    if family in REFUSED:
        record["refusal"] = describe_refusal(family, folder)
        outcome = record["refusal"]["message"]
    else:
        record |= make_and_trace(family, folder)
        outcome = f"{len(record['flows'])} flows"
    folder.with_suffix(".json").write_text(json.dumps(record, ensure_ascii=False), "utf-8")
    return outcome


def _is_fresh(folder: Path, digest: str) -> bool:
    try:
        return json.loads(folder.with_suffix(".json").read_text("utf-8"))["digest"] == digest
    except (OSError, ValueError, KeyError):
        return False


def _digest(common: str, family: Family) -> str:
    return hashlib.sha256(
        f"{common} {family.model_type} {family.options()} {family.metaspace}".encode()
    ).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
