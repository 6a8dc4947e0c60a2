"""Exports Hugging Face causal language models as model folders for causal-tracer."""

from .errors import ExportError
from .layer_config import LayerConfig

__all__ = ["ExportError", "ExportSummary", "LayerConfig", "export_model"]


def __getattr__(name: str) -> object:
    """Import what needs torch only when it is asked for."""
    if name in ("ExportSummary", "export_model"):
        from . import export

        return getattr(export, name)
    raise AttributeError(name)
