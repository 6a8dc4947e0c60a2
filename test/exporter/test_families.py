"""Whole exports of tiny random models, compared with the models themselves."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import read_manifest
from exporter import export_model
from exporter.tracing import load_trace
from tiny_models import make_model, save_model

# family: (attention, inputs, hidden, attention and MLP site of layer 0, embedding)
ALL = ["input_ids", "attention_mask", "position_ids"]
NO_POSITIONS = ALL[:2]
FAMILIES = {
    "gpt2": ("sdpa", ALL, "transformer.h.0", "attn", "mlp", "transformer.wte"),
    "llama": ("sdpa", ALL, "model.layers.0", "self_attn", "mlp", "model.embed_tokens"),
    "mistral": ("sdpa", ALL, "model.layers.0", "self_attn", "mlp", "model.embed_tokens"),
    "mixtral": ("sdpa", ALL, "model.layers.0", "self_attn", "mlp", "model.embed_tokens"),
    "gpt_neox": ("sdpa", ALL, "gpt_neox.layers.0", "attention", "mlp", "gpt_neox.embed_in"),
    "gemma2": ("eager", ALL, "model.layers.0", "self_attn", "mlp", "model.embed_tokens"),
    "opt": ("sdpa", ALL, "model.decoder.layers.0", "self_attn", "fc2", "model.decoder.embed_tokens"),
    "bloom": (
        "eager",
        NO_POSITIONS,
        "transformer.h.0",
        "self_attention.dense",
        "mlp.dense_4h_to_h",
        "transformer.word_embeddings",
    ),
    "gptj": ("eager", ALL, "transformer.h.0", "attn", "mlp", "transformer.wte"),
    "falcon": ("sdpa", ALL, "transformer.h.0", "self_attention", "mlp", "transformer.word_embeddings"),
    "mpt": ("eager", NO_POSITIONS, "transformer.blocks.0", "attn", "ffn.down_proj", "transformer.wte"),
}


def numpy_checksum(tensor: torch.Tensor) -> list[float]:
    """The checksum of the manifest, written a second time."""
    values = tensor.double().numpy().ravel()
    weights = (np.arange(values.size, dtype=np.uint64) * np.uint64(2654435761)) % np.uint64(2**32)
    projection = float((values * (weights.astype(np.float64) / 2**32 - 0.5)).sum())
    return [float(values.mean()), float(np.linalg.norm(values)), projection]


@pytest.mark.parametrize("family", FAMILIES)
def test_exported_model_equals_the_model(family: str, tmp_path: Path) -> None:
    attention, inputs, block, attention_part, mlp_part, embedding = FAMILIES[family]
    source = save_model(tmp_path / "hf", family)
    summary = export_model(str(source), tmp_path / "out")
    manifest = read_manifest(tmp_path / "out")
    model = make_model(family)
    if attention == "eager":
        model.set_attn_implementation("eager")  # Gemma 2's soft cap is lost in the library's default

    assert manifest["family"] == family
    assert manifest["attentionImplementation"] == attention
    assert manifest["inputs"] == inputs
    assert manifest["dtype"] == "float32"
    assert (manifest["layerCount"], manifest["hiddenSize"], manifest["vocabularySize"]) == (3, 32, 320)
    assert manifest["layerConfig"] == {
        "hiddenLayersMatcher": block.replace("0", "{num}"),
        "attentionLayersMatcher": f"{block.replace('0', '{num}')}.{attention_part}",
        "mlpLayersMatcher": f"{block.replace('0', '{num}')}.{mlp_part}",
        "embeddingLayer": embedding,
    }
    weight = model.get_submodule(embedding).weight
    assert manifest["embeddingNoiseScale"] == 3 * weight.std().item()
    content = (tmp_path / "out" / "model.pt").read_bytes()
    assert manifest["model"] == {
        "file": "model.pt",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }
    assert summary.worst_difference <= manifest["verification"]["tolerance"]

    traced = load_trace(tmp_path / "out" / "model.pt")
    assert [name for name, _ in traced.named_modules()] == [name for name, _ in model.named_modules()]
    check_logits(model, traced, inputs)
    check_recorded_numbers(model, manifest, block, attention_part, mlp_part)


def check_logits(model: torch.nn.Module, traced: torch.nn.Module, inputs: list[str]) -> None:
    """A shape that the exporter did not use, without and with left padding."""
    ids = torch.randint(2, 320, (5, 11), generator=torch.Generator().manual_seed(7))
    for paddings in (torch.zeros(5, dtype=torch.long), torch.tensor([0, 1, 2, 7, 10])):
        positions = torch.arange(11).expand(5, 11) - paddings[:, None]
        given = {"input_ids": ids, "attention_mask": (positions >= 0).long()}
        given["position_ids"] = positions.clamp(min=0)
        given = {name: given[name] for name in inputs}
        with torch.no_grad():
            expected = model(**given, use_cache=False).logits
            found = traced(*given.values())
        ordinary = positions >= 0
        assert (expected - found)[ordinary].abs().max().item() < 1e-4


def check_recorded_numbers(model: torch.nn.Module, manifest: dict, block: str, *parts: str) -> None:
    """The manifest's check against hooks of this test's own."""
    check = manifest["check"]
    seen: dict[str, torch.Tensor] = {}
    sites = [block, *(f"{block}.{part}" for part in parts), manifest["layerConfig"]["embeddingLayer"]]
    for name in sites:

        def hook(_module: object, _inputs: object, output: object, name: str = name) -> None:
            seen[name] = (output[0] if isinstance(output, tuple) else output).clone()

        model.get_submodule(name).register_forward_hook(hook)
    with torch.no_grad():
        logits = model(torch.tensor(check["inputIds"])).logits
    assert len(check["sites"]) == 1 + 3 * 3
    recorded = {site["module"]: site for site in check["sites"]}
    for name in sites:
        assert recorded[name]["shape"] == [2, 8, 32]
        checksum = recorded[name]["checksum"]
        values = [checksum["mean"], checksum["norm"], checksum["projection"]]
        assert values == pytest.approx(numpy_checksum(seen[name]), rel=1e-4, abs=1e-4)
    for row, top in enumerate(check["topLogits"]):
        values, ids = logits[row, -1].topk(5)
        assert [entry["id"] for entry in top] == ids.tolist()
        assert [entry["logit"] for entry in top] == pytest.approx(values.tolist(), abs=1e-4)


def test_in_place_operations_leave_outputs_alone(tmp_path: Path) -> None:
    export_model(str(save_model(tmp_path / "hf", "falcon")), tmp_path / "out")
    traced = load_trace(tmp_path / "out" / "model.pt")
    block = getattr(traced.transformer.h, "0").code
    assert "torch.add(" in block
    assert "torch.add_(" not in block


def test_opt_with_projections_and_final_normalization(tmp_path: Path) -> None:
    changes = {"do_layer_norm_before": False, "word_embed_proj_dim": 16}
    source = save_model(tmp_path / "hf", "opt", **changes)
    export_model(str(source), tmp_path / "out")
    manifest = read_manifest(tmp_path / "out")
    shapes = {site["module"]: site["shape"] for site in manifest["check"]["sites"]}
    assert shapes["model.decoder.embed_tokens"] == [2, 8, 16]
    assert shapes["model.decoder.layers.2.fc2"] == [2, 8, 32]
    assert manifest["hiddenSize"] == 32


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_low_precision(dtype: str, gpt2_folder: Path, tmp_path: Path) -> None:
    summary = export_model(str(gpt2_folder), tmp_path / "out", dtype=dtype)
    traced = load_trace(tmp_path / "out" / "model.pt")
    assert {parameter.dtype for parameter in traced.parameters()} == {getattr(torch, dtype)}
    assert read_manifest(tmp_path / "out")["dtype"] == dtype
    assert summary.worst_difference <= summary.tolerance


def test_folder_names_no_path_of_this_machine(gpt2_folder: Path, gpt2_export: Path) -> None:
    places = [str(gpt2_folder), str(Path(torch.__file__).parent), str(Path(__file__).parent)]
    for path in gpt2_export.iterdir():
        content = path.read_bytes()
        assert [place for place in places if place.encode() in content] == []


def test_files_of_the_folder(gpt2_export: Path) -> None:
    assert sorted(path.name for path in gpt2_export.iterdir()) == [
        "causal-tracer.json",
        "config.json",
        "model.pt",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


def test_positions_of_short_models(tmp_path: Path) -> None:
    source = save_model(tmp_path / "hf", "gpt2", n_positions=6)
    export_model(str(source), tmp_path / "out")
    manifest = read_manifest(tmp_path / "out")
    assert manifest["maximumPositions"] == 6
    assert max(case["length"] for case in manifest["verification"]["cases"]) == 6
    assert len(manifest["check"]["inputIds"][0]) == 6
