"""Progress messages for people; the exporter's functions never print by themselves."""

from __future__ import annotations

import sys
from collections.abc import Callable

Progress = Callable[[str], None]


def silent(_message: str) -> None:
    """Say nothing."""


def to_stderr(message: str) -> None:
    """Write one line to stderr."""
    print(message, file=sys.stderr, flush=True)
