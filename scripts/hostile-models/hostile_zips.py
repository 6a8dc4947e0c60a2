"""Archives that two zip readers could understand in different ways, or that cost much to read."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pickle_writer as p
from cases import Case
from minimal_model import ROOT, WEIGHT, archive, code, data, members
from zip_writer import Member, write_zip

EVIL = code('_1 = torch.from_file("/etc/passwd", False, 16)').encode()
CODE = f"{ROOT}/code/__torch__.py"
MANY = 20_001


def hostile_zips() -> Iterator[Case]:
    """All of them."""
    good = members()
    for name, more, finding in _more_members():
        yield Case(name, write_zip([*good, *more]), finding)
    for name, changed, finding in _changed_members():
        yield Case(name, archive(changed), finding)
    yield Case(
        "second-end-record",
        write_zip(good, comment=archive()[-22:]),
        "belong to neither",
    )
    yield Case("archive-comment", write_zip(good, comment=b"hello"), "has a comment")
    yield Case("bytes-in-front", write_zip([_with_gap(good[0]), *good[1:]]), "bytes before it")
    yield Case("bytes-between", write_zip([good[0], _with_gap(good[1]), *good[2:]]), "bytes before it")
    yield Case("bytes-behind", _insert_before_directory(archive()), "bytes before its central directory")
    yield Case("another-root-folder-first", write_zip([Member("other/version", b"3"), *good]), "root folder")
    yield Case("no-root-folder", write_zip([Member("data.pkl", data())]), "root folder")
    yield Case(
        "thousands-of-members", write_zip([*good, *_empty_members()]), f"has {MANY + len(good)} members"
    )
    yield Case("truncated-file", archive()[:-60], "truncated", "MODEL_FILE_INVALID")
    yield Case("no-zip", b"\x80\x02" + bytes(200), "truncated", "MODEL_FILE_INVALID")


def _more_members() -> Iterator[tuple[str, list[Member], str]]:
    yield "same-name", [Member(CODE, EVIL)], "is there twice"
    yield "same-name-in-capitals", [Member(f"{ROOT}/DATA.pkl", data())], "no part of a TorchScript archive"
    yield (
        "same-module-in-capitals",
        [
            Member(f"{ROOT}/code/__torch__/a.py", b""),
            Member(f"{ROOT}/code/__torch__/A.py", b""),
        ],
        "is there twice, up to upper and lower case",
    )
    yield "path-traversal", [Member(f"{ROOT}/../../owned", b"x")], "no part of a TorchScript archive"
    yield (
        "extra-path-traversal",
        [Member(f"{ROOT}/extra/../../owned", b"x")],
        "no part of a TorchScript archive",
    )
    yield "absolute-path", [Member("/etc/owned", b"x")], "root folder"
    yield "windows-path", [Member(f"{ROOT}\\..\\owned", b"x")], "backslash"
    yield "another-root-folder", [Member("other/data.pkl", data())], "root folder"
    yield "line-feed-in-a-name", [Member(f"{ROOT}/extra/a\nb", b"")], "control character"
    yield "name-not-utf-8", [Member(f"{ROOT}/extra/\udcff", b"")], "not UTF-8"
    yield "long-name", [Member(f"{ROOT}/extra/{'a' * 600}", b"")], "too long"
    yield "folder", [Member(f"{ROOT}/extra/", b"")], "no part of a TorchScript archive"
    yield "legacy-format", [Member(f"{ROOT}/model.json", b"{}")], "no part of a TorchScript archive"
    yield "bytecode", [Member(f"{ROOT}/bytecode.pkl", p.whole(p.NONE))], "no part of a TorchScript archive"
    yield (
        "shared-content",
        [Member(f"{ROOT}/extra/a", EVIL, same_as=0)],
        "local header that says something else",
    )
    yield "shared-local-header", [Member(f"{ROOT}/data/0", WEIGHT, same_as=0)], "overlaps"
    yield "encrypted", [Member(f"{ROOT}/extra/a", b"x", flags=1)], "unknown zip flags (0x1)"
    yield "unknown-compression", [Member(f"{ROOT}/extra/a", b"x", method=14)], "unknown method 14"
    zip64 = struct.pack("<HHQ", 1, 8, 0)
    yield "two-zip64-fields", [Member(f"{ROOT}/extra/a", b"x", extra=zip64 * 2)], "extra fields"
    yield (
        "unicode-path-field",
        [Member(f"{ROOT}/extra/a", b"x", extra=struct.pack("<HHB", 0x7075, 1, 1))],
        "extra fields",
    )
    yield (
        "reaches-beyond-the-end",
        [Member(f"{ROOT}/extra/a", b"x", size=10**6, stored_size=10**6)],
        "is truncated",
    )
    bomb = Member(f"{ROOT}/code/__torch__/bomb.py", bytes(30 * 2**20), deflate=True)
    yield "compression-bomb", [bomb], "compression bomb"
    larger = Member(f"{ROOT}/code/__torch__/bomb.py", bytes(2**16), deflate=True, size=100)
    yield "unpacks-to-more-than-it-claims", [larger], "cannot be unpacked to the size that it claims"
    smaller = Member(f"{ROOT}/code/__torch__/a.py", b"\n" * 100, deflate=True, size=200)
    yield "unpacks-to-less-than-it-claims", [smaller], "does not unpack"


def _changed_members() -> Iterator[tuple[str, dict[str, str | bytes | Member | None], str]]:
    path = "code/__torch__.py"
    good = code().encode()
    yield (
        "local-name-differs",
        {path: Member(CODE, good, local_name=f"{ROOT}/code/__torch_.py")},
        "something else",
    )
    yield "local-size-differs", {path: Member(CODE, good, local_size=10)}, "something else"
    yield "checksum-differs", {path: Member(CODE, good, crc=1)}, "checksum"
    yield "compressed-tensor", {"data/0": Member(f"{ROOT}/data/0", WEIGHT, deflate=True)}, "compressed tensor"
    yield "said-to-be-a-folder", {path: Member(CODE, good, attributes=0x10)}, "said to be a folder"
    sizes = Member(f"{ROOT}/data/0", WEIGHT, size=10**6)
    yield "stored-size-differs", {"data/0": sizes}, "has two sizes"
    yield "big-endian", {"byteorder": "big"}, "not supported"
    yield "strange-version", {"version": "3; 4"}, "not supported"


def _with_gap(member: Member) -> Member:
    return Member(member.name, member.content, gap=b"PK\x03\x04" + bytes(100))


def _insert_before_directory(content: bytes) -> bytes:
    start = content.index(b"PK\x01\x02")
    end = bytearray(content[-22:])
    struct.pack_into("<I", end, 16, start + 10)
    return content[:start] + bytes(10) + content[start:-22] + bytes(end)


def _empty_members() -> Iterator[Member]:
    return (Member(f"{ROOT}/extra/{i}", b"") for i in range(MANY))
