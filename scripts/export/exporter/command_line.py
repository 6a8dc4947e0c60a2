"""The command line of the exporter.

stdout gets one JSON object on success. stderr gets progress, and on failure one JSON object {"code", "message"} as its
last line. Exit status: 0, 1 (failed), 2 (usage), 130 (interrupted).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from .environment import check_environment, forbid_network, hide_loading_bars, silence_libraries
from .errors import ExportError, first_line
from .interruption import ENDING_SIGNALS
from .layer_config import read_layer_config
from .model_source import find_source
from .options import ATTENTION_IMPLEMENTATIONS, DTYPES
from .progress import to_stderr


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = _parser().parse_args(arguments)
    previous = {number: signal.signal(number, _interrupt) for number in ENDING_SIGNALS}
    silence_libraries()
    try:
        # Models with code of their own may print; stdout is for the result.
        with contextlib.redirect_stdout(sys.stderr):
            summary = _run(options)
    except ExportError as error:
        return _fail(error.code, error.message, 1)
    except KeyboardInterrupt:
        return _fail("EXPORT_FAILED", "interrupted; nothing was written", 130)
    except MemoryError:
        return _fail("OUT_OF_MEMORY", OUT_OF_MEMORY, 1)
    except Exception as error:
        if "can't allocate memory" in str(error):
            return _fail("OUT_OF_MEMORY", OUT_OF_MEMORY, 1)
        traceback.print_exc()
        return _fail("EXPORT_FAILED", f"unexpected failure, please report it: {first_line(error)}", 1)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    print(json.dumps(summary, ensure_ascii=False))
    return 0


OUT_OF_MEMORY = "not enough memory to export this model; try --dtype bfloat16, or a machine with more memory"


def _run(options: argparse.Namespace) -> dict[str, Any]:
    check_environment()
    if find_source(options.source).is_local:
        forbid_network()
    layer_config = None if options.layer_config is None else read_layer_config(options.layer_config)

    hide_loading_bars()
    from .export import export_model  # after the environment is set: it imports the libraries

    return export_model(
        options.source,
        options.out,
        layer_config=layer_config,
        dtype=options.dtype,
        attention=options.attention,
        revision=options.revision,
        trust_remote_code=options.trust_remote_code,
        force=options.force,
        progress=to_stderr,
    ).to_json()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="export_model.py",
        description="Export a Hugging Face causal language model as a model folder for causal-tracer.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "source", help="a folder written by save_pretrained, a GGUF file, or a model id on the hub"
    )
    parser.add_argument("out", type=Path, help="the model folder to write")
    parser.add_argument(
        "--layer-config",
        type=Path,
        metavar="FILE",
        help="JSON with hiddenLayersMatcher, attentionLayersMatcher, mlpLayersMatcher and embeddingLayer",
    )
    parser.add_argument("--dtype", choices=DTYPES, default="float32")
    parser.add_argument(
        "--attention",
        choices=ATTENTION_IMPLEMENTATIONS,
        help="attention implementation (default: sdpa where the family has it and it computes the same)",
    )
    parser.add_argument("--revision", help="branch, tag or commit of a hub model")
    parser.add_argument("--trust-remote-code", action="store_true", help="run the model's own Python code")
    parser.add_argument("--force", action="store_true", help="replace an existing model folder")
    return parser


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _fail(code: str, message: str, status: int) -> int:
    to_stderr(json.dumps({"code": code, "message": message}, ensure_ascii=False))
    return status
