"""Which Python packages the exporter runs on."""

from __future__ import annotations

import importlib.metadata
import json
import os
from pathlib import Path

from .errors import ExportError

TORCH_VERSION = "2.13"
TRANSFORMERS_VERSION = "5"
REMEDY = "install the pinned versions with: python -m pip install -r scripts/requirements.txt"


def check_environment() -> None:
    """Raise an ExportError unless torch and transformers are there, in versions that the exporter supports."""
    for package, wanted in (("torch", TORCH_VERSION), ("transformers", TRANSFORMERS_VERSION)):
        try:
            found = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            raise ExportError("EXPORT_FAILED", f"the Python package {package} is missing; {REMEDY}") from None
        if not f"{found}.".startswith(f"{wanted}."):
            raise ExportError("EXPORT_FAILED", f"{package} {wanted} is needed, found {found}; {REMEDY}")


def require_packages(packages: tuple[str, ...], purpose: str) -> None:
    """Raise ExportError EXPORT_FAILED, naming the remedy, unless the packages are installed."""
    missing = [name for name in packages if not is_installed(name)]
    if missing:
        plural = "s" if len(missing) > 1 else ""
        raise ExportError(
            "EXPORT_FAILED", f"{purpose} needs the Python package{plural} {' and '.join(missing)}; {REMEDY}"
        )


def is_installed(package: str) -> bool:
    """Whether the Python package of that name on the package index is installed."""
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def silence_libraries() -> None:
    """Keep Hugging Face libraries from talking; they write advice that is not about this program."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def hide_loading_bars() -> None:
    """Draw no bar while weights are loaded; bars of downloads stay."""
    from transformers.utils import logging

    logging.disable_progress_bar()


def forbid_network() -> None:
    """Keep Hugging Face libraries off the network; only has an effect before they are imported."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


def exporter_version() -> str:
    """Version of the npm package that this exporter belongs to."""
    package = Path(__file__).resolve().parents[3] / "package.json"
    try:
        return str(json.loads(package.read_text("utf-8"))["version"])
    except (OSError, ValueError, KeyError):
        return "unknown"
