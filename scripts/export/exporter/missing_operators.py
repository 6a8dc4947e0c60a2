"""Operators that PyTorch does not have in every dtype."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from .errors import ExportError

MISSING = re.compile(r'"(\w+)" not implemented for \'(?:Half|BFloat16)\'')


@contextmanager
def explain_missing_operators(dtype: str) -> Iterator[None]:
    """Turn PyTorch's failure for want of an operator in `dtype` into an ExportError EXPORT_FAILED."""
    try:
        yield
    except (RuntimeError, NotImplementedError) as error:
        missing = MISSING.search(str(error))
        if missing is None:
            raise
        raise ExportError(
            "EXPORT_FAILED",
            f"this processor cannot compute the model in {dtype}: PyTorch has no {missing[1]} for it; "
            "export with --dtype float32",
        ) from error
