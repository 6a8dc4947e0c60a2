"""Pickles of protocol 2, put together operation by operation."""

from __future__ import annotations

import struct

PROTOCOL = b"\x80\x02"
STOP = b"."
MARK = b"("
TUPLE = b"t"
EMPTY_TUPLE = b")"
EMPTY_DICTIONARY = b"}"
SET_ITEMS = b"u"
NEW_OBJECT = b"\x81"
BUILD = b"b"
REDUCE = b"R"
PERSISTENT = b"Q"
NONE = b"N"
TRUE, FALSE = b"\x88", b"\x89"


def whole(*operations: bytes) -> bytes:
    """A pickle of these operations."""
    return PROTOCOL + b"".join(operations) + STOP


def integer(value: int) -> bytes:
    """BININT, or LONG1 for what is larger."""
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    return b"\x8a\x08" + struct.pack("<q", value)


def text(value: str) -> bytes:
    """BINUNICODE."""
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def name(module: str, attribute: str) -> bytes:
    """GLOBAL."""
    return b"c" + f"{module}\n{attribute}\n".encode()


def items(*values: bytes) -> bytes:
    """A tuple."""
    return MARK + b"".join(values) + TUPLE


def integers(*values: int) -> bytes:
    """A tuple of integers."""
    return items(*(integer(value) for value in values))


def dictionary(entries: dict[str, bytes]) -> bytes:
    """A dictionary with strings for keys."""
    return EMPTY_DICTIONARY + MARK + b"".join(text(key) + value for key, value in entries.items()) + SET_ITEMS


def storage(key: str, elements: int, device: str = "cpu") -> bytes:
    """A storage of float32."""
    description = items(
        text("storage"), name("torch", "FloatStorage"), text(key), text(device), integer(elements)
    )
    return description + PERSISTENT


def tensor(stored: bytes, sizes: tuple[int, ...], strides: tuple[int, ...], offset: int = 0) -> bytes:
    """A tensor over a storage."""
    hooks = name("collections", "OrderedDict") + EMPTY_TUPLE + REDUCE
    arguments = items(stored, integer(offset), integers(*sizes), integers(*strides), FALSE, hooks)
    return name("torch._utils", "_rebuild_tensor_v2") + arguments + REDUCE


def instance(module: str, class_name: str, state: bytes) -> bytes:
    """An object of a class."""
    return name(module, class_name) + EMPTY_TUPLE + NEW_OBJECT + state + BUILD
