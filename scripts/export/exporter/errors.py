"""Failures that a user can cause or cure."""

from __future__ import annotations


class ExportError(Exception):
    """A failure with a stable `code` (one of those in src/errors.ts) and a message that names the remedy."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def first_line(error: BaseException) -> str:
    """The first line of an exception's text, with its type where the text alone says little."""
    text = str(error).strip()
    line = text.splitlines()[0] if text else ""
    return line if isinstance(error, ExportError) else f"{type(error).__name__}: {line}".rstrip(": ")
