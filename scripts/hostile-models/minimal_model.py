"""The smallest TorchScript archive of a language model, of which the hostile ones differ in one thing each."""

from __future__ import annotations

import struct

import pickle_writer as p
from zip_writer import Member, write_zip

ROOT = "model"
VOCABULARY = 4
WEIGHT = struct.pack(f"<{VOCABULARY}f", *range(VOCABULARY))
TENSOR = p.tensor(p.storage("0", VOCABULARY), (VOCABULARY,), (1,))

HEAD = """class Model(Module):
  __parameters__ = ["weight", ]
  __buffers__ = []
  weight : Tensor
  training : bool
"""
FORWARD = """  def forward(self: __torch__.Model,
    input_ids: Tensor) -> Tensor:
    weight = self.weight
    _0 = torch.to(torch.unsqueeze(input_ids, -1), 6)
"""
RESULT = "    return torch.mul(_0, weight)\n"


def code(*lines: str, more: str = "") -> str:
    """The model's class, with these lines in its forward method, and more members of the class."""
    return HEAD + FORWARD + "".join(f"    {line}\n" for line in lines) + RESULT + more


def data(weight: bytes = TENSOR, **more: bytes) -> bytes:
    """The pickle of the model."""
    return p.whole(
        p.instance("__torch__", "Model", p.dictionary({"weight": weight, "training": p.FALSE, **more}))
    )


def members(changed: dict[str, str | bytes | Member | None] | None = None) -> list[Member]:
    """The members of the archive, some of them changed, added, or (None) left out."""
    content: dict[str, str | bytes | Member | None] = {
        "data/0": WEIGHT,
        "data.pkl": data(),
        "code/__torch__.py": code(),
        "constants.pkl": p.whole(p.EMPTY_TUPLE),
        "version": "3\n",
        "byteorder": "little",
        **(changed or {}),
    }
    return [_member(path, value) for path, value in content.items() if value is not None]


def archive(changed: dict[str, str | bytes | Member | None] | None = None) -> bytes:
    """The archive of `members`."""
    return write_zip(members(changed))


def _member(path: str, value: str | bytes | Member) -> Member:
    if isinstance(value, Member):
        return value
    return Member(f"{ROOT}/{path}", value.encode() if isinstance(value, str) else value)
