"""Where a model comes from: a local Hugging Face folder, or a model id on the hub."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .errors import ExportError

HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)


@dataclass(frozen=True)
class ModelSource:
    """A folder or a hub id, as `from_pretrained` takes it."""

    location: str
    is_local: bool
    revision: str | None = None
    trust_remote_code: bool = False

    def loading_options(self) -> dict[str, object]:
        """The options of `from_pretrained` that say where from."""
        options: dict[str, object] = {"trust_remote_code": self.trust_remote_code}
        if self.is_local:
            options["local_files_only"] = True
        elif self.revision is not None:
            options["revision"] = self.revision
        return options

    def describe(self) -> str:
        """How messages name the source."""
        return f"the folder {self.location}" if self.is_local else f"the hub model {self.location}"


def find_source(source: str, revision: str | None = None, trust_remote_code: bool = False) -> ModelSource:
    """Decide what `source` means. A folder that exists wins; a path that does not exist is never looked up.

    Raises ExportError MODEL_FOLDER_NOT_FOUND or MODEL_FILE_NOT_FOUND.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise ExportError(
                "MODEL_FILE_NOT_FOUND",
                f"{path} has no config.json, so it is not a Hugging Face model folder "
                "(one that save_pretrained writes, with config.json and the weights)",
            )
        return ModelSource(str(path), True, None, trust_remote_code)
    if path.exists():
        raise ExportError(
            "MODEL_FOLDER_NOT_FOUND",
            f"{path} is a file; name the folder that holds config.json and the weights",
        )
    if not HUB_ID.fullmatch(source) or source.startswith("."):
        raise ExportError("MODEL_FOLDER_NOT_FOUND", f"the folder {path} does not exist")
    return ModelSource(source, False, revision, trust_remote_code)
