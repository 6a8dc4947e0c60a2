"""A digest of what generated models depend on, to tell whether they have to be made anew."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def digest_of(sources: Iterable[str], packages: Iterable[str]) -> str:
    """Of the files that match the patterns `sources`, below the project's folder, and of the packages' versions."""
    found = hashlib.sha256()
    for pattern in sources:
        for path in sorted(ROOT.glob(pattern)):
            found.update(path.name.encode() + path.read_bytes())
    for package in packages:
        found.update(f"{package}=={version(package)}".encode())
    return found.hexdigest()
