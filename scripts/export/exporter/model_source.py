"""Where a model comes from: a local Hugging Face folder, a GGUF file, or a model id on the hub."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .errors import ExportError
from .gguf_file import SUFFIX, looks_like_gguf

WEIGHT_FILES = ("*.safetensors", "*.bin", "*.pt", "*.pth", "*.h5", "*.msgpack", "*.index.json")
HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)


@dataclass(frozen=True)
class ModelSource:
    """A folder or a hub id, as `from_pretrained` takes it; of a GGUF file its folder and its name."""

    location: str
    is_local: bool
    revision: str | None = None
    trust_remote_code: bool = False
    gguf_file: str | None = None

    @property
    def gguf_path(self) -> Path | None:
        """The GGUF file; None for other sources."""
        return None if self.gguf_file is None else Path(self.location) / self.gguf_file

    def loading_options(self) -> dict[str, object]:
        """The options of `from_pretrained` that say where from."""
        options: dict[str, object] = {"trust_remote_code": self.trust_remote_code}
        if self.is_local:
            options["local_files_only"] = True
        elif self.revision is not None:
            options["revision"] = self.revision
        if self.gguf_file is not None:
            options["gguf_file"] = self.gguf_file
        return options

    def describe(self) -> str:
        """How messages name the source."""
        if self.gguf_file is not None:
            return f"the GGUF file {self.gguf_path}"
        return f"the folder {self.location}" if self.is_local else f"the hub model {self.location}"


def find_source(source: str, revision: str | None = None, trust_remote_code: bool = False) -> ModelSource:
    """Decide what `source` means. A folder or file that exists wins; a path that does not exist is never looked up.

    Raises ExportError MODEL_FOLDER_NOT_FOUND or MODEL_FILE_NOT_FOUND.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        return _find_in_folder(path, trust_remote_code)
    if path.exists():
        if not looks_like_gguf(path):
            raise ExportError(
                "MODEL_FOLDER_NOT_FOUND",
                f"{path} is a file, and no GGUF file; name the folder that holds config.json and the weights",
            )
        return ModelSource(str(path.parent), True, None, trust_remote_code, path.name)
    if not HUB_ID.fullmatch(source) or source.startswith("."):
        raise ExportError("MODEL_FOLDER_NOT_FOUND", f"the folder {path} does not exist")
    if source.endswith(SUFFIX):
        raise ExportError("MODEL_FOLDER_NOT_FOUND", f"the file {path} does not exist")
    return ModelSource(source, False, revision, trust_remote_code)


def _find_in_folder(folder: Path, trust_remote_code: bool) -> ModelSource:
    gguf_files = sorted(file.name for file in folder.glob(f"*{SUFFIX}"))
    has_config = (folder / "config.json").is_file()
    if has_config and not (gguf_files and not any(any(folder.glob(name)) for name in WEIGHT_FILES)):
        return ModelSource(str(folder), True, None, trust_remote_code)
    if len(gguf_files) > 1:
        raise ExportError(
            "MODEL_FILE_NOT_FOUND",
            f"{folder} holds {len(gguf_files)} GGUF files ({', '.join(gguf_files[:3])}"
            f"{', …' if len(gguf_files) > 3 else ''}); name the one to export",
        )
    if gguf_files:
        return ModelSource(str(folder), True, None, trust_remote_code, gguf_files[0])
    raise ExportError(
        "MODEL_FILE_NOT_FOUND",
        f"{folder} has no config.json and no GGUF file, so it is not a Hugging Face model folder "
        "(one that save_pretrained writes, with config.json and the weights)",
    )
