"""What a hostile file is to the tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """A file, and how it is refused."""

    name: str
    content: bytes
    #: Words of the message.
    finding: str
    code: str = "MODEL_FILE_UNTRUSTED"
    #: A file that appears if the model is loaded after all.
    writes: Path | None = None
