"""Zip archives with whatever is wrong with them: Python's own module writes only right ones."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

STORED, DEFLATED = 0, 8


@dataclass(frozen=True)
class Member:
    """One member; what is None is as it should be."""

    name: str
    content: bytes
    deflate: bool = False
    #: Of the local header, where it differs from the central directory's.
    local_name: str | None = None
    local_size: int | None = None
    flags: int = 0
    method: int | None = None
    #: What both headers claim.
    size: int | None = None
    stored_size: int | None = None
    crc: int | None = None
    #: External attributes.
    attributes: int = 0
    #: Extra fields of the central directory.
    extra: bytes = b""
    #: Bytes before its local header that belong to no member.
    gap: bytes = b""
    #: The index of the member whose local header and content it takes as its own.
    same_as: int | None = None


def write_zip(members: Sequence[Member], comment: bytes = b"") -> bytes:
    """The bytes of an archive."""
    body = bytearray()
    directory = bytearray()
    offsets: list[int] = []
    for member in members:
        name = member.name.encode("utf-8", "surrogateescape")
        stored = _deflate(member.content) if member.deflate else member.content
        method = (DEFLATED if member.deflate else STORED) if member.method is None else member.method
        crc = zlib.crc32(member.content) if member.crc is None else member.crc
        size = len(member.content) if member.size is None else member.size
        stored_size = len(stored) if member.stored_size is None else member.stored_size
        if member.same_as is None:
            body += member.gap
            offsets.append(len(body))
            local_name = name if member.local_name is None else member.local_name.encode()
            local_size = size if member.local_size is None else member.local_size
            local = (20, member.flags, method, 0, 0, crc, stored_size, local_size, len(local_name), 0)
            body += struct.pack("<IHHHHHIIIHH", 0x04034B50, *local) + local_name + stored
        else:
            offsets.append(offsets[member.same_as])
        entry = (20, 20, member.flags, method, 0, 0, crc, stored_size, size, len(name), len(member.extra))
        places = (0, 0, 0, member.attributes, offsets[-1])
        directory += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, *entry, *places) + name + member.extra
    count = min(len(members), 0xFFFF)
    end = (0, 0, count, count, len(directory), len(body), len(comment))
    return bytes(body + directory + struct.pack("<IHHHHIIH", 0x06054B50, *end) + comment)


def _deflate(content: bytes) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return compressor.compress(content) + compressor.flush()
