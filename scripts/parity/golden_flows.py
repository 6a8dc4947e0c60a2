"""Golden numbers of whole traces, made by the Python package itself."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from causal_tracer import CausalTracer, HiddenFlow, HiddenFlowQuery, LayerConfig
from flow_cases import KINDS, FlowCase
from golden_files import model_sha256, write_golden
from golden_hooks import checksum
from golden_texts import TRACED_PROMPTS
from reference_model import load_reference_model, load_reference_tokenizer

#: A clean run whose two best answers are nearer than this cannot say which implementation is right.
SMALLEST_LEAD = 1e-3
#: Scores of a flow that differ by less than this prove little.
SMALLEST_SPREAD = 1e-2


class Reference:
    """The Python package's tracers of one model folder, one for each noise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.model = load_reference_model(folder)
        self.tokenizer = load_reference_tokenizer(folder)
        # The package knows GPT-2 and Llama by itself.
        known = self.model.config.model_type in ("gpt2", "llama")
        self.layer_config = None if known else _layer_config(folder)
        self.default = self.tracer(None)

    def tracer(self, noise: float | None) -> CausalTracer:
        """A tracer with that noise; None takes the package's default."""
        return CausalTracer(
            self.model, self.tokenizer, self.layer_config, noise=noise, device=torch.device("cpu")
        )

    def ranked_answers(self, prompt: str) -> tuple[list[int], list[float]]:
        """The five most probable next tokens, best first, with their probabilities."""
        with torch.no_grad():
            logits = self.model(**self.tokenizer([prompt], return_tensors="pt")).logits[0, -1]
        best = torch.softmax(logits, dim=-1).topk(5)
        return best.indices.tolist(), best.values.tolist()


def make_flows(folder: Path, cases: Sequence[FlowCase], file: Path, versions: dict[str, str]) -> str:
    """Trace the cases of one model, and some prompts in one call; returns a line about them."""
    started = time.monotonic()
    reference = Reference(folder)
    flows = [_run_case(reference, case) for case in cases]
    batch = _run_batch(reference)
    header = {
        "versions": versions,
        "model": folder.name,
        "modelSha256": model_sha256(folder),
        "layerCount": reference.default.count_layers(),
        "defaultNoise": reference.default.noise,
        "batch": batch,
    }
    base_outputs = [_run_base_outputs(reference, kind) for kind in KINDS]
    write_golden(file, header, {"flows": flows, "baseOutputs": base_outputs})
    spread = [_spread(flow["result"]) for flow in flows]
    telling = sum(value > SMALLEST_SPREAD for value in spread)
    return (
        f"{len(flows)} flows, {telling} of them with scores that differ by more than {SMALLEST_SPREAD} "
        f"(median {sorted(spread)[len(spread) // 2]:.3f}), {time.monotonic() - started:.0f} s"
    )


def _run_case(reference: Reference, case: FlowCase) -> dict[str, Any]:
    tracer = reference.default
    noise = None
    if case.noise is not None:
        noise = round(case.noise * tracer.noise, 3)
        tracer = reference.tracer(noise)
    ids, probabilities = reference.ranked_answers(case.prompt.prompt)
    if probabilities[0] - probabilities[1] < SMALLEST_LEAD:
        raise SystemExit(
            f"{case.model}: the answer to {case.prompt.prompt!r} is nearly tied; change the prompt"
        )
    override = None if case.answer_rank is None else ids[case.answer_rank - 1]
    start_layer, end_layer = case.layers(tracer.count_layers())
    flow = tracer.calculate_hidden_flow(
        case.prompt.prompt,
        subject=case.prompt.subject,
        kind=case.kind,
        answer_id_override=override,
        samples=case.samples,
        window=case.window,
        patch_seed=case.seed,
        batch_size=case.batch_size,
        start_layer=start_layer,
        end_layer=end_layer,
        patch_subject_tokens_only=case.subject_tokens_only,
    )
    options = {
        "subject": case.prompt.subject,
        "kind": case.kind,
        "answerIdOverride": override,
        "samples": case.samples,
        "window": case.window,
        "patchSeed": case.seed,
        "batchSize": case.batch_size,
        "startLayer": start_layer,
        "endLayer": end_layer,
        "patchSubjectTokensOnly": case.subject_tokens_only,
        "includeLayerOutputs": case.layer_outputs,
    }
    result = {
        "inputIds": flow.input_ids.tolist(),
        "inputTokens": flow.input_tokens,
        "answerId": ids[0] if override is None else override,
        **_outcome(flow),
    }
    if case.layer_outputs:
        result["layerOutputs"] = _summaries(flow.layer_outputs)
    return {
        "name": case.prompt.name,
        "prompt": case.prompt.prompt,
        "noise": noise,
        "options": {name: value for name, value in options.items() if value is not None},
        "result": result,
    }


def _outcome(flow: HiddenFlow) -> dict[str, Any]:
    return {
        "subjectRange": list(flow.subject_range),
        "answer": flow.answer,
        "lowScore": flow.low_score,
        "highScore": flow.high_score,
        "scores": flow.scores.tolist(),
    }


def _run_batch(reference: Reference) -> dict[str, Any]:
    """Prompts of different lengths in one call. Their tokens are left out: the package pads them."""
    prompts = [TRACED_PROMPTS[index] for index in (1, 2, 6)]
    override = reference.ranked_answers(prompts[1].prompt)[0][1]
    overrides = [None, override, None]
    flows = reference.default.calculate_hidden_flows(
        [
            HiddenFlowQuery(case.prompt, case.subject, answer)
            for case, answer in zip(prompts, overrides, strict=True)
        ],
        samples=3,
        window=3,
        kind="mlp",
    )
    return {
        "queries": [
            {
                name: value
                for name, value in (
                    ("text", case.prompt),
                    ("subject", case.subject),
                    ("overrideAnswerId", answer),
                )
                if value is not None
            }
            for case, answer in zip(prompts, overrides, strict=True)
        ],
        "options": {"samples": 3, "window": 3, "kind": "mlp"},
        "results": [_outcome(flow) for flow in flows],
    }


def _run_base_outputs(reference: Reference, kind: str) -> dict[str, Any]:
    prompts = [case.prompt for case in TRACED_PROMPTS[:5]]
    overrides = [(1, 7), (3, 11)]
    outputs = reference.default.calculate_base_outputs_batched(
        prompts, kind, batch_size=3, answer_id_overrides=overrides
    )
    return {
        "prompts": prompts,
        "options": {"kind": kind, "batchSize": 3, "answerIdOverrides": [list(pair) for pair in overrides]},
        "answerIds": outputs.answer_token_ids.tolist(),
        "baseScores": outputs.base_scores.tolist(),
        "layerOutputs": [_summaries(outputs.uncorrupted_layer_outputs[i]) for i in range(len(prompts))],
    }


def _summaries(layer_outputs: dict[str, torch.Tensor]) -> dict[str, Any]:
    return {
        name: {"shape": list(output.shape), "checksum": checksum(output)}
        for name, output in layer_outputs.items()
    }


def _layer_config(folder: Path) -> LayerConfig:
    config = json.loads((folder / "causal-tracer.json").read_text(encoding="utf-8"))["layerConfig"]
    return LayerConfig(
        hidden_layers_matcher=config["hiddenLayersMatcher"],
        attention_layers_matcher=config["attentionLayersMatcher"],
        mlp_layers_matcher=config["mlpLayersMatcher"],
        embedding_layer=config["embeddingLayer"],
    )


def _spread(result: dict[str, Any]) -> float:
    scores = [score for row in result["scores"] for score in row]
    return max(scores) - min(scores)
