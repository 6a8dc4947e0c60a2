"""Models that are refused by name, and sources that are no models."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from exporter import ExportError, export_model
from exporter.model_source import find_source
from exporter.positions import maximum_positions, sliding_window
from exporter.refusals import refuse_config, refuse_model
from tiny_models import SHAPES, make_model, save_model, train_tokenizer
from transformers import AutoConfig


def config_folder(folder: Path, family: str, **changes: Any) -> Path:
    AutoConfig.for_model(family, **{**SHAPES.get(family, {}), **changes}).save_pretrained(folder)
    return folder


def refuse(source: object, out: Path) -> ExportError:
    with pytest.raises(ExportError) as raised:
        export_model(str(source), out)
    assert not out.exists()
    return raised.value


@pytest.mark.parametrize("rope_type", ["dynamic", "longrope"])
def test_length_dependent_rotary_scaling(rope_type: str) -> None:
    rope = {"rope_type": rope_type, "factor": 2.0, "rope_theta": 10000.0}
    rope |= {"short_factor": [1.0] * 4, "long_factor": [2.0] * 4, "original_max_position_embeddings": 48}
    for config in (
        AutoConfig.for_model("llama", **SHAPES["llama"], rope_parameters=rope),
        SimpleNamespace(model_type="x", rope_parameters={"full_attention": rope, "sliding_attention": None}),
        SimpleNamespace(model_type="x", rope_scaling={"type": rope_type, "factor": 2}),
    ):
        with pytest.raises(ExportError, match=f'rotary scaling "{rope_type}"') as raised:
            refuse_config(config)
        assert raised.value.code == "EXPORT_FAILED"


def test_rotary_scaling_that_does_not_depend_on_the_length() -> None:
    for rope in (None, {"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0}):
        refuse_config(AutoConfig.for_model("llama", **SHAPES["llama"], rope_parameters=rope))


def test_encoder_decoder(tmp_path: Path) -> None:
    error = refuse(config_folder(tmp_path / "hf", "t5"), tmp_path / "out")
    assert (error.code, error.message[:29]) == ("EXPORT_FAILED", "t5 is an encoder-decoder mode")


def test_quantized_weights() -> None:
    config = SimpleNamespace(model_type="llama", quantization_config={"quant_method": "gptq"})
    with pytest.raises(ExportError, match="quantized"):
        refuse_config(config)


def test_recurrence() -> None:
    model = make_model("mamba", hidden_size=16, num_hidden_layers=1, state_size=4)
    with pytest.raises(ExportError, match=r"recurrence over positions .* is a MambaModel"):
        refuse_model(model)


def test_a_name_that_only_looks_recurrent() -> None:
    class GptOssModel(torch.nn.Module):
        """ "ssM" stands in the middle of this name."""

    refuse_model(torch.nn.Sequential(GptOssModel()))


def test_missing_folders(tmp_path: Path) -> None:
    for source in (tmp_path / "absent", "./absent", "~/absent-model", "a/b/c"):
        error = refuse(source, tmp_path / "out")
        assert error.code == "MODEL_FOLDER_NOT_FOUND"
        assert "does not exist" in error.message
    (tmp_path / "file").write_text("")
    assert "is a file" in refuse(tmp_path / "file", tmp_path / "out").message
    (tmp_path / "empty").mkdir()
    error = refuse(tmp_path / "empty", tmp_path / "out")
    assert (error.code, "has no config.json" in error.message) == ("MODEL_FILE_NOT_FOUND", True)


def test_a_hub_id_without_network(tmp_path: Path) -> None:
    error = refuse("nobody/no-such-model", tmp_path / "out")
    assert error.code == "MODEL_FOLDER_NOT_FOUND"
    assert "no local folder nobody/no-such-model" in error.message


def test_hub_ids_and_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_source("gpt2", "main").loading_options() == {"trust_remote_code": False, "revision": "main"}
    monkeypatch.chdir(tmp_path)
    config_folder(tmp_path / "gpt2", "gpt2")
    source = find_source("gpt2", "main")
    assert source.is_local
    assert source.loading_options() == {"trust_remote_code": False, "local_files_only": True}


def test_a_folder_without_weights(tmp_path: Path) -> None:
    folder = config_folder(tmp_path / "hf", "gpt2")
    train_tokenizer().save_pretrained(folder)
    error = refuse(folder, tmp_path / "out")
    assert error.code == "MODEL_FILE_NOT_FOUND"
    assert "model.safetensors" in error.message


def test_damaged_weights(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "hf", "gpt2")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    error = refuse(folder, tmp_path / "out")
    assert error.code == "MODEL_FILE_INVALID"
    assert "damaged" in error.message


def test_weights_of_another_shape_or_missing(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "hf", "llama")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 4}))
    error = refuse(folder, tmp_path / "out")
    assert error.code == "MODEL_FILE_INVALID"
    assert "lacks 9 weights" in error.message
    assert "model.layers.3." in error.message


def test_a_config_that_is_not_json(tmp_path: Path) -> None:
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "config.json").write_text("{")
    error = refuse(tmp_path / "hf", tmp_path / "out")
    assert "config" in error.message
    assert error.code in ("EXPORT_FAILED", "MODEL_FILE_NOT_FOUND")


def test_positions() -> None:
    def limit(family: str, **options: Any) -> int | None:
        return maximum_positions(AutoConfig.for_model(family, **options))

    assert limit("gpt2", n_positions=50) == 50
    assert limit("llama", max_position_embeddings=60) == 60
    assert limit("mpt", max_seq_len=70) == 70
    assert limit("bloom") is None
    assert limit("falcon", alibi=True) is None
    assert sliding_window(AutoConfig.for_model("gemma2", sliding_window=9)) == 9
    assert sliding_window(AutoConfig.for_model("gpt2")) is None


def test_options_of_the_function(gpt2_folder: Path, tmp_path: Path) -> None:
    for options, text in (
        ({"dtype": "int8"}, "dtype must be one of"),
        ({"attention": "flash"}, "attention must be"),
    ):
        with pytest.raises(ExportError, match=text) as raised:
            export_model(str(gpt2_folder), tmp_path / "out", **options)
        assert raised.value.code == "INVALID_OPTION"
