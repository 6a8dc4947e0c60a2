"""Export the demo models in every dtype, and record what the Python package computes in the same dtype.

    python scripts/conformance/make_dtypes.py [--out FOLDER]

For each model and dtype OUT gets a model folder, written by the project's exporter, and beside it a JSON file with
the scores of the Python package: as it gives them, and with the softmax of float32 logits. What is there already, of
the same scripts, weights and versions, stays.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from types import MethodType
from typing import Any

from digest import digest_of

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_OUT = ROOT / "build" / "dtypes"
DTYPES = ("float32", "bfloat16", "float16")
PACKAGES = ("torch", "transformers", "numpy", "causal-tracer")
SOURCES = ("scripts/conformance/make_dtypes.py", "scripts/export/exporter/*.py", "models/*/model.pt")
#: Prompt and subject for each model.
FACTS = {
    "demo-gpt2": ("The Eiffel Tower is located in the city of", "The Eiffel Tower"),
    "demo-llama": ("The native language of Marie Curie is", "Marie Curie"),
}
KINDS = (("hidden", 1), ("mlp", 3), ("attention", 3))
SAMPLES = 2


def main() -> None:
    """Make what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    digest = digest_of(SOURCES, PACKAGES)
    stamp = out / "digest"
    if stamp.is_file() and stamp.read_text() == digest:
        return
    stamp.unlink(missing_ok=True)
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    os.environ["HF_HUB_OFFLINE"] = "1"
    for name in FACTS:
        _make_model(name, out)
    stamp.write_text(digest)


def _make_model(name: str, out: Path) -> None:
    # Only here: a run that finds everything made need not wait for PyTorch.
    sys.path[:0] = [str(ROOT / "scripts" / part) for part in ("export", "parity")]
    from exporter import export_model
    from reference_model import load_reference_model, load_reference_tokenizer

    with tempfile.TemporaryDirectory() as hugging_face:
        load_reference_model(ROOT / "models" / name).save_pretrained(hugging_face)
        load_reference_tokenizer(ROOT / "models" / name).save_pretrained(hugging_face)
        for dtype in DTYPES:
            folder = out / f"{name}-{dtype}"
            export_model(hugging_face, folder, dtype=dtype, force=True)
            record = {"model": name, "dtype": dtype, **_trace_all(name, folder)}
            folder.with_suffix(".json").write_text(json.dumps(record), "utf-8")


def _trace_all(name: str, folder: Path) -> dict[str, Any]:
    import torch
    from causal_tracer import CausalTracer
    from reference_model import load_reference_model, load_reference_tokenizer

    model, tokenizer = load_reference_model(folder), load_reference_tokenizer(folder)
    tracer = CausalTracer(model, tokenizer, device=torch.device("cpu"))
    given = [_trace(tracer, *FACTS[name], *kind) for kind in KINDS]
    _give_float32_logits(model)
    exact = [_trace(tracer, *FACTS[name], *kind) for kind in KINDS]
    return {"noise": tracer.noise, "flows": given, "flowsOfFloat32Logits": exact}


def _give_float32_logits(model: Any) -> None:
    """Let the model's logits be float32 numbers, with which the package then computes; all before stays as it is."""
    forward = type(model).forward

    def with_float32_logits(self: Any, *arguments: Any, **options: Any) -> Any:
        output = forward(self, *arguments, **options)
        output.logits = output.logits.float()
        return output

    model.forward = MethodType(with_float32_logits, model)


def _trace(tracer: Any, prompt: str, subject: str, kind: str, window: int) -> dict[str, Any]:
    flow = tracer.calculate_hidden_flow(prompt, subject=subject, kind=kind, samples=SAMPLES, window=window)
    return {
        "prompt": prompt,
        "options": {"subject": subject, "kind": kind, "samples": SAMPLES, "window": window},
        "answer": flow.answer,
        "lowScore": float(flow.low_score),
        "highScore": float(flow.high_score),
        "scores": flow.scores.float().tolist(),
    }


if __name__ == "__main__":
    main()
