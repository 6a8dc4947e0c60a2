"""Scripted models as PyTorch itself writes them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import torch
from cases import Case
from torch import Tensor, nn
from zip_writer import Member, write_zip

TINY_MODEL = Path(__file__).resolve().parents[2] / "test/fixtures/models/tiny-gpt2/model.pt"


def hostile_scripts(out: Path) -> Iterator[Case]:
    """All of them."""
    written = out / "written-by-setstate"
    yield Case("setstate-that-writes", _saved(_writes_in_setstate(written)), "__setstate__", writes=written)
    written = out / "written-by-forward"
    yield Case("forward-that-writes", _writes_in_forward(written), "torch.save", writes=written)
    yield Case("scripted-loop", _saved(_loops()), "the code of a traced model")


def harmless_trace() -> bytes:
    """A traced model as `torch.jit.save` writes it, with debug records and compressed members."""
    model = nn.Sequential(nn.Embedding(16, 8), nn.Linear(8, 8), nn.GELU(), nn.Linear(8, 16))
    example = torch.zeros(2, 3, dtype=torch.long)
    return _saved(torch.jit.trace(model.eval(), (example,)))


def _writes_in_setstate(file: Path) -> torch.jit.ScriptModule:
    class Writes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.file = file.as_posix()
            self.weight = nn.Parameter(torch.zeros(1))

        @torch.jit.export
        def __getstate__(self) -> tuple[Tensor, str, bool]:
            return self.weight, self.file, self.training

        @torch.jit.export
        def __setstate__(self, state: tuple[Tensor, str, bool]) -> None:
            self.file = state[1]
            self.training = state[2]
            self.weight = torch.from_file(self.file, True, 16, dtype=torch.float32).fill_(1)

        def forward(self, input_ids: Tensor) -> Tensor:
            return input_ids.unsqueeze(-1) * self.weight

    return torch.jit.script(Writes())


def _writes_in_forward(file: Path) -> bytes:
    """A language model that traces as any other does, but for one line."""
    members = []
    with zipfile.ZipFile(TINY_MODEL) as tiny:
        for name in tiny.namelist():
            content = tiny.read(name)
            if name.endswith("exporter/traceable.py"):
                line = f'    torch.save(input_ids, "{file.as_posix()}")\n'.encode()
                body = content.index(b"    lm_head = ")
                content = content[:body] + line + content[body:]
            members.append(Member(name, content))
    return write_zip(members)


def _loops() -> torch.jit.ScriptModule:
    class Loops(nn.Module):
        def forward(self, input_ids: Tensor) -> Tensor:
            while input_ids.numel() >= 0:
                input_ids = input_ids + 1
            return input_ids

    return torch.jit.script(Loops())


def _saved(module: torch.jit.ScriptModule) -> bytes:
    buffer = io.BytesIO()
    torch.jit.save(module, buffer)
    return buffer.getvalue()
