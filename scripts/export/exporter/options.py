"""Choices of an export, in one place for the command line and the function."""

from __future__ import annotations

DTYPES = ("float32", "bfloat16", "float16")
ATTENTION_IMPLEMENTATIONS = ("sdpa", "eager")
