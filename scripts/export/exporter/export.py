"""Exports a Hugging Face model as a model folder: see `export_model`."""

from __future__ import annotations

import gc
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from .attention import load_with_attention
from .environment import check_environment
from .errors import ExportError
from .fingerprint import CHECK_BATCH, CHECK_LENGTH, fingerprint
from .gguf_file import check_beginning, check_completeness, read_gguf
from .layer_check import CheckedLayers, check_layers
from .layer_config import LayerConfig
from .layer_families import FAMILIES
from .layer_inspection import inspect_layers
from .missing_operators import explain_missing_operators
from .model_files import describe_file, versions, write_config, write_json
from .model_loading import load_config
from .model_source import find_source
from .options import ATTENTION_IMPLEMENTATIONS, DTYPES
from .output_folder import MANIFEST_FILE, staged_folder
from .positions import maximum_positions, sliding_window
from .progress import Progress, silent
from .replacements import replace_untraceable_parts
from .token_ids import fixed_ids
from .tokenizer_files import check_vocabulary, load_tokenizer, write_tokenizer
from .traceable import TracedLanguageModel, accepted_inputs, default_call, make_inputs
from .tracing import (
    bytes_of_weights,
    check_free_space,
    check_sites_are_called,
    load_trace,
    save_trace,
    trace_model,
)
from .verification import (
    TRACED_BATCH,
    TRACED_LENGTH,
    Reference,
    check_causality,
    reference_logits,
    tolerance_for,
    verification_cases,
    verify_trace,
)

FORMAT_VERSION = 1
MODEL_FILE = "model.pt"


@dataclass(frozen=True)
class ExportSummary:
    """What an export made."""

    out: str
    family: str
    dtype: str
    #: What a GGUF file's weights were quantized as; None for other sources.
    quantization: str | None
    attention_implementation: str
    layer_count: int
    hidden_size: int
    vocabulary_size: int
    bytes: int
    sha256: str
    tolerance: float
    worst_difference: float
    layer_config: LayerConfig

    def to_json(self) -> dict[str, Any]:
        """The summary as the command prints it."""
        return {
            "out": self.out,
            "family": self.family,
            "dtype": self.dtype,
            "quantization": self.quantization,
            "attentionImplementation": self.attention_implementation,
            "layerCount": self.layer_count,
            "hiddenSize": self.hidden_size,
            "vocabularySize": self.vocabulary_size,
            "bytes": self.bytes,
            "sha256": self.sha256,
            "tolerance": self.tolerance,
            "worstDifference": self.worst_difference,
            "layerConfig": self.layer_config.to_json(),
        }


def export_model(
    source: str,
    out: str | Path,
    *,
    layer_config: LayerConfig | None = None,
    dtype: str = "float32",
    attention: str | None = None,
    revision: str | None = None,
    trust_remote_code: bool = False,
    force: bool = False,
    progress: Progress = silent,
) -> ExportSummary:
    """Trace the model in the folder, GGUF file or hub id `source` and write the model folder `out`.

    `attention` is `sdpa`, `eager` or None (the fused one where the family has it and it computes the same).
    `force` replaces an existing model folder. Raises ExportError; then nothing is written.
    """
    check_environment()
    _check_options(dtype, attention)
    found = find_source(source, revision, trust_remote_code)
    with staged_folder(Path(out), force) as folder:
        gguf = None
        if found.gguf_path is not None:
            progress(f"reading the header of {found.gguf_path}")
            gguf = read_gguf(found.gguf_path)
        config = load_config(found, gguf)
        tokenizer = load_tokenizer(found, progress)
        if gguf is not None:
            check_beginning(gguf, tokenizer, progress)
        progress(f"loading {found.describe()} ({config.model_type}) in {dtype}")
        with explain_missing_operators(dtype):
            model, attention = load_with_attention(found, config, dtype, attention, progress)
            if gguf is not None:
                check_completeness(gguf, model)
            examined = _examine(model, tokenizer, dtype, layer_config, progress)
        tokenizer_check = write_tokenizer(tokenizer, folder)
        _write_trace(model, examined, folder / MODEL_FILE, progress)
        # Freed here, the model's weights are not in memory beside those of the saved file.
        del model
        gc.collect()

        progress(f"verifying the saved trace in {len(examined.references)} cases")
        traced = load_trace(folder / MODEL_FILE)
        verification = verify_trace(traced, examined.inputs, examined.references, dtype)
        file = describe_file(folder / MODEL_FILE)
        layers = examined.layers
        manifest = {
            "formatVersion": FORMAT_VERSION,
            "model": file,
            "versions": versions(),
            "family": config.model_type,
            "dtype": dtype,
            **({} if gguf is None else {"quantization": gguf.to_json()}),
            "attentionImplementation": attention,
            "layerCount": layers.layer_count,
            "hiddenSize": layers.hidden_size,
            "vocabularySize": examined.vocabulary_size,
            "maximumPositions": examined.maximum_positions,
            "layerConfig": layers.config.to_json(),
            "inputs": list(examined.inputs),
            "embeddingNoiseScale": examined.noise_scale,
            "verification": verification.to_json(),
            "check": examined.check,
            "tokenizerCheck": tokenizer_check,
        }
        write_config(folder / "config.json", config, dtype)
        write_json(folder / MANIFEST_FILE, manifest)
    return ExportSummary(
        out=str(out),
        family=config.model_type,
        dtype=dtype,
        quantization=None if gguf is None else gguf.quantization,
        attention_implementation=attention,
        layer_count=layers.layer_count,
        hidden_size=layers.hidden_size,
        vocabulary_size=examined.vocabulary_size,
        bytes=file["bytes"],
        sha256=file["sha256"],
        tolerance=verification.tolerance,
        worst_difference=verification.worst,
        layer_config=layers.config,
    )


@dataclass(frozen=True)
class _ExaminedModel:
    """What eager mode tells of a model."""

    inputs: tuple[str, ...]
    vocabulary_size: int
    maximum_positions: int | None
    example_ids: Tensor
    references: list[Reference]
    layers: CheckedLayers
    noise_scale: float
    check: dict[str, Any]


def _examine(
    model: Any, tokenizer: Any, dtype: str, layer_config: LayerConfig | None, progress: Progress
) -> _ExaminedModel:
    """Run the model in eager mode: references, layers and check; afterwards the model can be traced."""
    limit = maximum_positions(model.config)
    if limit is not None and limit < 2:
        raise ExportError("EXPORT_FAILED", f"the model allows prompts of {limit} token only")
    known_ids = min(model.get_input_embeddings().weight.shape[0], len(tokenizer))
    special = set(tokenizer.all_special_ids)

    def make_ids(batch: int, length: int, seed: int) -> Tensor:
        return fixed_ids(known_ids, special, batch, min(length, limit or length), seed)

    check_ids = make_ids(CHECK_BATCH, CHECK_LENGTH, seed=1)
    vocabulary_size = default_call(model, check_ids[:, :1]).logits.shape[-1]
    check_vocabulary(tokenizer, vocabulary_size, progress)

    inputs = accepted_inputs(model)
    progress("computing reference logits")
    cases = verification_cases(limit, sliding_window(model.config))
    references = reference_logits(model, inputs, cases, known_ids, special)
    check_causality(model, check_ids[:1], tolerance_for(references, dtype))

    for name in replace_untraceable_parts(model):
        progress(f"replacing {name} by an equivalent that can be traced")
    layers = _find_layers(model, layer_config, make_inputs(check_ids, inputs=inputs), progress)
    embedding = model.get_submodule(layers.config.embedding_layer)
    return _ExaminedModel(
        inputs=inputs,
        vocabulary_size=vocabulary_size,
        maximum_positions=limit,
        example_ids=make_ids(TRACED_BATCH, TRACED_LENGTH, seed=0),
        references=references,
        layers=layers,
        noise_scale=3 * embedding.weight.std().item(),
        check=fingerprint(check_ids, default_call(model, check_ids).logits, layers.outputs),
    )


def _write_trace(model: Any, examined: _ExaminedModel, path: Path, progress: Progress) -> None:
    check_free_space(model, path.parent)
    progress("tracing")
    example = make_inputs(examined.example_ids, inputs=examined.inputs)
    traced = trace_model(TracedLanguageModel(model, examined.inputs), example)
    check_sites_are_called(traced, examined.layers.config.sites(examined.layers.layer_count))
    progress(f"writing {bytes_of_weights(model) / 1e6:.1f} MB of weights")
    save_trace(traced, path)


def _check_options(dtype: str, attention: str | None) -> None:
    if dtype not in DTYPES:
        raise ExportError("INVALID_OPTION", f"dtype must be one of {', '.join(DTYPES)}, not {dtype!r}")
    if attention is not None and attention not in ATTENTION_IMPLEMENTATIONS:
        choices = ", ".join(ATTENTION_IMPLEMENTATIONS)
        raise ExportError("INVALID_OPTION", f"attention must be one of {choices}, not {attention!r}")


def _find_layers(
    model: Any, given: LayerConfig | None, inputs: dict[str, Any], progress: Progress
) -> CheckedLayers:
    """The layer config that was given, else the family's, else the one that the module tree suggests; checked."""
    if given is not None:
        return check_layers(model, given, inputs)
    known = FAMILIES.get(model.config.model_type)
    if known is not None:
        try:
            return check_layers(model, known, inputs)
        except ExportError as error:
            progress(
                f"the usual layers of {model.config.model_type} do not fit ({error.message}); inspecting the model"
            )
    suggested = inspect_layers(model, inputs)
    progress(f"layers found by inspection: {json.dumps(suggested.to_json())}")
    return check_layers(model, suggested, inputs)
