"""What a GGUF file says of itself, and whether the model that transformers makes of it is the whole of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .environment import require_packages
from .errors import ExportError, first_line
from .progress import Progress

SUFFIX = ".gguf"
MAGIC = b"GGUF"
PACKAGES = ("gguf", "accelerate")
#: Set in `general.file_type` where a program guessed it.
GUESSED = 1024
#: Factors of rotary frequencies, which transformers leaves out.
ROTARY_FACTORS = ("rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight")


@dataclass(frozen=True)
class GgufFile:
    """The header of a GGUF file."""

    path: Path
    architecture: str
    #: As its users call it, e.g. `Q4_K_M`.
    quantization: str
    #: How many tensors there are of each type, the most frequent first.
    tensor_types: dict[str, int]
    #: Numbers in all tensors but those of ROTARY_FACTORS and the output projection.
    elements: int
    #: Numbers in the output projection; 0 where it has no tensor of its own.
    output_elements: int
    #: The rotary scaling that the metadata or a tensor names; None where there is none.
    rotary_scaling: str | None
    #: Whether the metadata says that a prompt begins with the token for the beginning; None where it says nothing.
    adds_beginning: bool | None

    def to_json(self) -> dict[str, Any]:
        """The manifest's `quantization`."""
        return {"format": "gguf", "type": self.quantization, "tensorTypes": self.tensor_types}


def looks_like_gguf(path: Path) -> bool:
    """Whether a file's name or its first bytes are those of a GGUF file."""
    if path.suffix.lower() == SUFFIX:
        return True
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def read_gguf(path: Path) -> GgufFile:
    """Read the header. Raises ExportError EXPORT_FAILED, or MODEL_FILE_INVALID for a file that is damaged."""
    require_packages(PACKAGES, "reading GGUF files")
    from gguf import GGUFReader

    with path.open("rb") as file:
        found = file.read(len(MAGIC))
    if found != MAGIC:
        raise ExportError(
            "MODEL_FILE_INVALID",
            f"{path} is not a GGUF file: it begins with {found!r} instead of {MAGIC!r}"
            + ("; it may be the pointer of a file that Git LFS has not fetched" if found == b"vers" else ""),
        )
    try:
        reader = GGUFReader(path)
    except Exception as error:
        raise ExportError(
            "MODEL_FILE_INVALID",
            f"the GGUF file {path} is damaged or truncated ({first_line(error)[:200]}); fetch it again",
        ) from error
    parts = _field(reader, "split.count") or 1
    if parts > 1:
        raise ExportError(
            "EXPORT_FAILED",
            f"{path} is one of {parts} parts; join them with llama.cpp's program `llama-gguf-split --merge`",
        )
    architecture = str(_field(reader, "general.architecture"))
    types = Counter(tensor.tensor_type.name for tensor in reader.tensors)
    output = sum(int(tensor.n_elements) for tensor in reader.tensors if tensor.name == "output.weight")
    counted = sum(int(tensor.n_elements) for tensor in reader.tensors if tensor.name not in ROTARY_FACTORS)
    return GgufFile(
        path=path,
        architecture=architecture,
        quantization=_quantization(reader),
        tensor_types=dict(types.most_common()),
        elements=counted - output,
        output_elements=output,
        rotary_scaling=_rotary_scaling(reader, architecture),
        adds_beginning=_field(reader, "tokenizer.ggml.add_bos_token"),
    )


def check_rotary_scaling(file: GgufFile, config: Any) -> None:
    """Raise ExportError EXPORT_FAILED where the file scales rotary frequencies and the config does not say so."""
    rope = getattr(config.get_text_config(), "rope_parameters", None) or {}
    if file.rotary_scaling is not None and rope.get("rope_type", "default") == "default":
        raise ExportError(
            "EXPORT_FAILED",
            f"{file.path} scales its rotary frequencies ({file.rotary_scaling}), which transformers leaves out when it "
            "reads a GGUF file, so the model would be silently wrong; export the original Hugging Face model instead",
        )


def check_completeness(file: GgufFile, model: Any) -> None:
    """Raise ExportError EXPORT_FAILED unless the model has as many weights as the file: each is then in use."""
    parameters = {parameter.data_ptr(): parameter.numel() for parameter in model.parameters()}
    used = sum(parameters.values())
    # Some programs write the projection of tied models, too.
    if used not in (file.elements + file.output_elements, file.elements):
        raise ExportError(
            "EXPORT_FAILED",
            f"{file.path} holds {file.elements + file.output_elements} weights, but the {type(model).__name__} that "
            f"transformers makes of it has {used}, so something is left out; export the original Hugging Face model "
            "instead",
        )


def check_beginning(file: GgufFile, tokenizer: Any, progress: Progress) -> None:
    """Warn where the tokenizer that transformers makes begins a prompt otherwise than the file says."""
    if file.adds_beginning is None or tokenizer.bos_token_id is None:
        return
    adds = list(tokenizer("a")["input_ids"])[:1] == [tokenizer.bos_token_id]
    if adds != file.adds_beginning:
        says, does = ("begins", "does not add it") if file.adds_beginning else ("does not begin", "adds it")
        progress(
            f"warning: {file.path.name} says that a prompt {says} with {tokenizer.bos_token!r}, but the tokenizer that "
            f"transformers makes of it {does}; taken as transformers does"
        )


def _field(reader: Any, name: str) -> Any:
    field = reader.get_field(name)
    return None if field is None else field.contents()


def _quantization(reader: Any) -> str:
    """What the file calls its quantization, else the type that most of its bytes are in."""
    from gguf import LlamaFileType

    file_type = _field(reader, "general.file_type")
    if isinstance(file_type, int):
        try:
            return LlamaFileType(file_type & ~GUESSED).name.removeprefix("MOSTLY_").removeprefix("ALL_")
        except ValueError:
            pass  # of a newer version of the format
    sizes: Counter[str] = Counter()
    for tensor in reader.tensors:
        sizes[tensor.tensor_type.name] += int(tensor.n_bytes)
    return sizes.most_common(1)[0][0] if sizes else "none"


def _rotary_scaling(reader: Any, architecture: str) -> str | None:
    named = _field(reader, f"{architecture}.rope.scaling.type")
    if named not in (None, "none"):
        return str(named)
    for tensor in reader.tensors:
        if tensor.name in ROTARY_FACTORS and not np.all(np.asarray(tensor.data, np.float32) == 1):
            return str(tensor.name)
    return None
