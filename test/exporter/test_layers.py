"""Layer configs: read from a file, checked against a model, found by inspection."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import read_manifest
from exporter import ExportError, LayerConfig, export_model
from exporter.layer_check import check_layers
from exporter.layer_config import matching_layers, parse_layer_config, read_layer_config
from exporter.layer_families import FAMILIES
from exporter.layer_inspection import inspect_layers
from tiny_models import make_model
from torch import nn

GPT2 = {
    "hiddenLayersMatcher": "transformer.h.{num}",
    "attentionLayersMatcher": "transformer.h.{num}.attn",
    "mlpLayersMatcher": "transformer.h.{num}.mlp",
    "embeddingLayer": "transformer.wte",
}
IDS = {"input_ids": torch.tensor([[5, 6, 7, 8], [9, 10, 11, 12]])}


def error_of(call: Any, *arguments: Any, **options: Any) -> ExportError:
    with pytest.raises(ExportError) as raised:
        call(*arguments, **options)
    return raised.value


def test_config_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "layers.json"
    path.write_text(json.dumps(GPT2))
    config = read_layer_config(path)
    assert config == FAMILIES["gpt2"]
    assert config.to_json() == GPT2
    assert config.sites(1) == [
        "transformer.wte",
        "transformer.h.0",
        "transformer.h.0.attn",
        "transformer.h.0.mlp",
    ]


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        ([], "LAYER_CONFIG_INVALID", "must be an object"),
        ({**GPT2, "mlpLayersMatcher": 3}, "LAYER_CONFIG_INVALID", "mlpLayersMatcher"),
        (
            {"hiddenLayersMatcher": "h.{num}"},
            "LAYER_CONFIG_INVALID",
            "lacks attentionLayersMatcher, mlpLayersMatcher",
        ),
        ({**GPT2, "mlp": "x"}, "LAYER_CONFIG_INVALID", "unknown fields mlp"),
        ({**GPT2, "mlpLayersMatcher": "h.0.mlp"}, "LAYER_TEMPLATE_INVALID", "must contain {num} once"),
        ({**GPT2, "hiddenLayersMatcher": "{num}.{num}"}, "LAYER_TEMPLATE_INVALID", "{num} once"),
    ],
)
def test_refused_configs(value: object, code: str, text: str) -> None:
    error = error_of(parse_layer_config, value, "layers.json")
    assert error.code == code
    assert text in error.message


def test_unreadable_config_files(tmp_path: Path) -> None:
    assert "No such file" in error_of(read_layer_config, tmp_path / "absent.json").message
    (tmp_path / "broken.json").write_text("{")
    error = error_of(read_layer_config, tmp_path / "broken.json")
    assert (error.code, "is not JSON" in error.message) == ("LAYER_CONFIG_INVALID", True)


def test_matching_layers_takes_whole_numbers() -> None:
    names = {"h.0", "h.10", "h.2", "h.2.mlp", "h.02", "xh.3", "h.x"}
    assert matching_layers("h.{num}", names) == [0, 2, 10]


@pytest.fixture(scope="module")
def gpt2() -> nn.Module:
    return make_model("gpt2")


def test_checked_layers(gpt2: nn.Module) -> None:
    layers = check_layers(gpt2, FAMILIES["gpt2"], IDS)
    assert (layers.layer_count, layers.hidden_size, len(layers.outputs)) == (3, 32, 10)
    assert {tuple(output.shape) for output in layers.outputs.values()} == {(2, 4, 32)}


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        (
            {"mlp_layers": "transformer.h.{num}.mpl"},
            "LAYER_TEMPLATE_INVALID",
            "near names: transformer.h.0.mlp",
        ),
        ({"embedding_layer": "transformer.wt"}, "LAYER_TEMPLATE_INVALID", "transformer.wte"),
        (
            {"attention_layers": "transformer.h.{num}.attn.attn_dropout"},
            "LAYER_CONFIG_INVALID",
            "never called",
        ),
        ({"mlp_layers": "transformer.h.{num}.mlp.c_fc"}, "LAYER_CONFIG_INVALID", "of 128 numbers"),
        ({"embedding_layer": "transformer.drop"}, "LAYER_CONFIG_INVALID", "has no weight"),
    ],
)
def test_layers_that_do_not_fit(gpt2: nn.Module, changes: dict[str, str], code: str, text: str) -> None:
    fields = {**FAMILIES["gpt2"].__dict__, **changes}
    error = error_of(check_layers, gpt2, LayerConfig(**fields), IDS)
    assert error.code == code
    assert text in error.message


def test_layers_without_a_part() -> None:
    model = make_model("gpt2")
    model.transformer.h[1].mlp = nn.Sequential(model.transformer.h[1].mlp)
    config = LayerConfig(
        "transformer.h.{num}", "transformer.h.{num}.attn", "transformer.h.{num}.mlp.c_fc", "x"
    )
    error = error_of(check_layers, model, config, IDS)
    assert "matches layers 0 to 2, but transformer.h.{num}.mlp.c_fc matches 0, 2" in error.message


def test_a_shared_block_is_refused() -> None:
    model = make_model("gpt2")
    model.transformer.h[2] = model.transformer.h[0]
    error = error_of(check_layers, model, FAMILIES["gpt2"], IDS)
    assert "transformer.h.0 is called 2 times" in error.message


@pytest.mark.parametrize(
    "family", ["gpt2", "gpt_neo", "gpt_neox", "llama", "mixtral", "gemma2", "falcon", "phi"]
)
def test_inspection_finds_what_the_table_says(family: str) -> None:
    assert inspect_layers(make_model(family), IDS) == FAMILIES[family]


@pytest.mark.parametrize(
    ("family", "text"),
    [
        ("opt", "0 children that are its MLP"),
        ("bloom", "equals its block's, so it includes the residual"),
        ("mpt", "equals its block's, so it includes the residual"),
    ],
)
def test_inspection_does_not_guess(family: str, text: str) -> None:
    error = error_of(inspect_layers, make_model(family), IDS)
    assert error.code == "LAYER_CONFIG_INVALID"
    assert text in error.message
    assert "--layer-config" in error.message


def test_inspection_of_two_equal_lists() -> None:
    class Twice(nn.Module):
        """Two chains of equal length."""

        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(20, 4)
            self.first = nn.ModuleList(nn.Linear(4, 4) for _ in range(2))
            self.second = nn.ModuleList(nn.Linear(4, 4) for _ in range(2))

        def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
            hidden = self.embedding(input_ids)
            for layer in (*self.first, *self.second):
                hidden = layer(hidden)
            return hidden

    error = error_of(inspect_layers, Twice(), IDS)
    assert "first (2), second (2)" in error.message


def test_export_of_an_unknown_family(
    gpt2_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(FAMILIES, "gpt2")
    messages: list[str] = []
    export_model(str(gpt2_folder), tmp_path / "out", progress=messages.append)
    assert read_manifest(tmp_path / "out")["layerConfig"] == GPT2
    assert any(message.startswith("layers found by inspection") for message in messages)


def test_export_with_a_layer_config(gpt2_folder: Path, tmp_path: Path) -> None:
    config = parse_layer_config({**GPT2, "mlpLayersMatcher": "transformer.h.{num}.mlp.c_proj"}, "test")
    export_model(str(gpt2_folder), tmp_path / "out", layer_config=config)
    manifest = read_manifest(tmp_path / "out")
    assert manifest["layerConfig"] == config.to_json()
    assert "transformer.h.2.mlp.c_proj" in {site["module"] for site in manifest["check"]["sites"]}


def test_export_with_a_wrong_layer_config(gpt2_folder: Path, tmp_path: Path) -> None:
    config = parse_layer_config({**GPT2, "hiddenLayersMatcher": "model.layers.{num}"}, "test")
    error = error_of(export_model, str(gpt2_folder), tmp_path / "out", layer_config=config)
    assert error.code == "LAYER_TEMPLATE_INVALID"
    assert list(tmp_path.iterdir()) == []
