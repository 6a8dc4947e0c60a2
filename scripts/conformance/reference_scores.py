"""The scores of the Python package for a tiny model, with the layer names of its model folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from causal_tracer import CausalTracer, LayerConfig
from causal_tracer.lib import TraceLayer
from transformers import PreTrainedModel, PreTrainedTokenizerBase

KINDS = ("hidden", "mlp", "attention")
WINDOWS = (1, 4)
SAMPLES = 3
#: (prompt, subject)
PROMPTS = (
    ("The Space Needle is in the city of", "Space Needle"),
    ("Paris is big, and café Paris", "Paris"),
)


def record_copies() -> None:
    """Make the package keep copies of the tensors that its hooks see.

    It keeps the tensors themselves; Falcon's block then adds the attention's output in place to that of the MLP, so
    that what the package restores is not what the MLP gave.
    """
    original = TraceLayer.recursive_tensor_copy

    def copy(output: Any, **options: Any) -> Any:
        return original(output, **{**options, "clone": isinstance(output, torch.Tensor)})

    TraceLayer.recursive_tensor_copy = copy


class Reference:
    """The package's tracer of one model."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
        """`folder` is the model folder, whose manifest names the layers."""
        layers = json.loads((folder / "causal-tracer.json").read_text("utf-8"))["layerConfig"]
        config = LayerConfig(
            hidden_layers_matcher=layers["hiddenLayersMatcher"],
            attention_layers_matcher=layers["attentionLayersMatcher"],
            mlp_layers_matcher=layers["mlpLayersMatcher"],
            embedding_layer=layers["embeddingLayer"],
        )
        self.tracer = CausalTracer(model, tokenizer, config, device=torch.device("cpu"))

    def trace(self, prompt: str, subject: str, kind: str, window: int) -> dict[str, Any]:
        """One flow with its options."""
        flow = self.tracer.calculate_hidden_flow(
            prompt, subject=subject, kind=kind, samples=SAMPLES, window=window
        )
        return {
            "prompt": prompt,
            "options": {"subject": subject, "kind": kind, "samples": SAMPLES, "window": window},
            "inputIds": flow.input_ids.tolist(),
            "subjectRange": list(flow.subject_range),
            "answer": flow.answer,
            "lowScore": flow.low_score,
            "highScore": flow.high_score,
            "scores": flow.scores.tolist(),
        }

    def trace_all(self) -> list[dict[str, Any]]:
        """Every prompt, kind and window."""
        return [
            self.trace(prompt, subject, kind, window)
            for prompt, subject in PROMPTS
            for kind in KINDS
            for window in WINDOWS
        ]


def is_telling(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the answers are neither certain, nor rare, nor tied: differences would show."""
    for prompt, _ in PROMPTS:
        with torch.no_grad():
            logits = model(**tokenizer([prompt], return_tensors="pt")).logits[0, -1]
        best, second = torch.softmax(logits, dim=-1).topk(2).values.tolist()
        if not (0.15 < best < 0.95 and best - second > 0.02):
            return False
    return True
