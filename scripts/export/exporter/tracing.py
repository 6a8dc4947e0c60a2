"""Traces a model and saves the trace as a TorchScript file."""

from __future__ import annotations

import re
import shutil
import warnings
import zipfile
from pathlib import Path

import torch
from torch import Tensor, nn

from .errors import ExportError, first_line

# Members of a TorchScript archive that only name the source lines of the machine that traced.
DROPPED_SUFFIX = ".debug_pkl"
# The oldest date that a zip file can hold, so that equal traces give equal files.
FIXED_DATE = (1980, 1, 1, 0, 0, 0)
ROOM_FOR_CODE = 4_000_000


def trace_model(module: nn.Module, example: dict[str, Tensor]) -> torch.jit.ScriptModule:
    """Trace `module` on the example's tensors. Raises ExportError EXPORT_FAILED where that is not possible."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        try:
            # In-place operations become ordinary ones, so that nothing changes a module's output after its call
            # (Falcon adds the attention to the MLP's output, CTRL scales the embedding's).
            return torch.jit.trace(module, tuple(example.values()), check_trace=False, _force_outplace=True)
        except (
            RuntimeError,
            TypeError,
            ValueError,
            AttributeError,
            IndexError,
            KeyError,
            NotImplementedError,
        ) as error:
            raise ExportError("EXPORT_FAILED", f"this model cannot be traced: {first_line(error)}") from error


def save_trace(traced: torch.jit.ScriptModule, path: Path) -> None:
    """Write the trace to `path`, without the paths of this machine's source files."""
    complete = path.with_suffix(".complete.pt")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.jit.save(traced, str(complete))
        _copy_without_debug_records(complete, path)
    except RuntimeError as error:
        function = re.search(r"export Python function call '(\w+)'", str(error))
        reason = (
            f"its Python function {function[1]} has no TorchScript form"
            if function is not None
            else first_line(error)
        )
        raise ExportError("EXPORT_FAILED", f"the trace of this model cannot be saved: {reason}") from error
    finally:
        complete.unlink(missing_ok=True)


def load_trace(path: Path) -> torch.jit.ScriptModule:
    """Read a saved trace back."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.load(str(path), map_location="cpu")


def check_sites_are_called(traced: torch.jit.ScriptModule, sites: list[str]) -> None:
    """Raise ExportError MODULE_NOT_HOOKABLE unless each site is called, by its name, once in the trace."""
    modules = dict(traced.named_modules())
    for name in sites:
        module = modules.get(name)
        methods = [] if module is None else module._c._method_names()
        if methods != ["forward"]:
            seen = "missing" if module is None else f"called {len(methods)} times"
            raise ExportError(
                "MODULE_NOT_HOOKABLE",
                f"{name} is {seen} in the trace, so its output cannot be changed; "
                "name other modules with --layer-config file.json",
            )


def check_free_space(module: nn.Module, folder: Path) -> None:
    """Raise ExportError OUTPUT_NOT_WRITABLE unless `folder` has room for the trace and its unfinished copy.

    Asked beforehand because the library ends the whole process when a disk is full.
    """
    needed = 2 * bytes_of_weights(module) + ROOM_FOR_CODE
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ExportError(
            "OUTPUT_NOT_WRITABLE",
            f"the export needs {needed / 1e6:.0f} MB on the disk of {folder.parent} for a while, of which half stays; "
            f"{free / 1e6:.0f} MB are free",
        )


def bytes_of_weights(module: nn.Module) -> int:
    """Memory of the parameters and buffers, shared ones counted once."""
    tensors = [*module.parameters(), *module.buffers()]
    sizes = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}
    return sum(sizes.values())


def _copy_without_debug_records(source: Path, target: Path) -> None:
    with zipfile.ZipFile(source) as complete, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as kept:
        for member in complete.infolist():
            if member.filename.endswith(DROPPED_SUFFIX):
                continue
            # An archive's members stand in one folder, named after the file.
            name = f"{target.stem}/{member.filename.split('/', 1)[1]}"
            copy = zipfile.ZipInfo(name, FIXED_DATE)
            copy.file_size = member.file_size
            with complete.open(member) as content, kept.open(copy, "w") as written:
                shutil.copyfileobj(content, written, 1 << 20)
