"""Wrong traces are refused and nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import exporter.export
import pytest
import torch
from conftest import read_manifest
from exporter import ExportError, export_model
from exporter.fingerprint import checksum
from exporter.token_ids import fixed_ids
from exporter.traceable import make_inputs
from exporter.verification import check_causality, verification_cases
from tiny_models import make_model, save_model
from torch import Tensor, nn


def refuse(folder: Path, out: Path) -> ExportError:
    with pytest.raises(ExportError) as raised:
        export_model(str(folder), out)
    assert list(out.parent.iterdir()) == []
    return raised.value


@pytest.fixture
def change_trace(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Tensor]], None]:
    """Traces go through the given function of (logits, input ids, attention mask, position ids)."""

    def install(change: Callable[..., Tensor]) -> None:
        trace_model = exporter.export.trace_model

        def changed(module: nn.Module, example: dict[str, Tensor]) -> Any:
            forward = module.forward
            module.forward = lambda *tensors: change(forward(*tensors), *tensors)
            return trace_model(module, example)

        monkeypatch.setattr(exporter.export, "trace_model", changed)

    return install


def test_a_length_baked_in(gpt2_folder: Path, tmp_path: Path, change_trace: Any) -> None:
    # A Python branch on the length, as dynamic rotary scaling has one: the trace keeps the example's side.
    change_trace(lambda logits, ids, *_: logits + 1 if ids.shape[1] <= 7 else logits)
    error = refuse(gpt2_folder, tmp_path / "out")
    assert error.code == "EXPORT_FAILED"
    assert "other logits than the model" in error.message
    assert '"longer" (batch 1, length 13): 1' in error.message


def test_a_small_difference(gpt2_folder: Path, tmp_path: Path, change_trace: Any) -> None:
    change_trace(lambda logits, *_: logits * 1.001)
    assert '"one token"' in refuse(gpt2_folder, tmp_path / "out").message


def test_not_a_number(gpt2_folder: Path, tmp_path: Path, change_trace: Any) -> None:
    change_trace(lambda logits, *_: logits * float("nan"))
    assert "nan" in refuse(gpt2_folder, tmp_path / "out").message


def test_padding_ignored(gpt2_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trace_model = exporter.export.trace_model

    def blind(module: nn.Module, example: dict[str, Tensor]) -> Any:
        forward = module.forward
        module.forward = lambda ids, mask, positions: forward(ids, torch.ones_like(mask), positions)
        return trace_model(module, example)

    monkeypatch.setattr(exporter.export, "trace_model", blind)
    message = refuse(gpt2_folder, tmp_path / "out").message
    assert '"left padding" (batch 3, length 9, left padding 4)' in message
    assert '"longer"' not in message


def test_a_batch_size_baked_in(gpt2_folder: Path, tmp_path: Path, change_trace: Any) -> None:
    change_trace(lambda logits, *_: logits + torch.zeros(2, 1, 1))
    message = refuse(gpt2_folder, tmp_path / "out").message
    assert "in the case" in message
    assert "batch 1" in message or "batch 3" in message


def test_the_saved_file_is_what_is_verified(
    gpt2_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_trace = exporter.export.save_trace

    def damage(traced: Any, path: Path) -> None:
        with torch.no_grad():
            traced.transformer.wpe.weight[3] *= -1
        save_trace(traced, path)

    monkeypatch.setattr(exporter.export, "save_trace", damage)
    message = refuse(gpt2_folder, tmp_path / "out").message
    assert '"traced shape"' in message
    assert '"one token"' not in message


def test_a_function_without_torchscript_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = save_model(tmp_path / "hf", "bloom")
    monkeypatch.setattr(exporter.export, "replace_untraceable_parts", lambda _model: [])
    with pytest.raises(ExportError, match="GeLUFunction has no TorchScript form"):
        export_model(str(folder), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_model_that_looks_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model(
        "bert", hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48
    )
    ids = torch.tensor([[5, 6, 7, 8]])
    with pytest.raises(ExportError, match="looks ahead"):
        check_causality(model, ids, 1e-3)
    check_causality(make_model("llama"), ids, 1e-4)


def test_soft_capped_attention_is_never_fused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporter.attention.has_soft_cap", lambda _config: False)
    folder = save_model(tmp_path / "hf", "gemma2", attn_logit_softcapping=1.0)
    messages: list[str] = []
    summary = export_model(str(folder), tmp_path / "out", progress=messages.append)
    assert summary.attention_implementation == "eager"
    assert any("sdpa attention gives other logits" in message for message in messages)


def test_attention_can_be_chosen(gpt2_folder: Path, tmp_path: Path) -> None:
    export_model(str(gpt2_folder), tmp_path / "out", attention="eager")
    assert read_manifest(tmp_path / "out")["attentionImplementation"] == "eager"


def test_attention_that_a_family_lacks(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "hf", "gptj")
    with pytest.raises(ExportError, match="gptj has no sdpa attention"):
        export_model(str(folder), tmp_path / "out", attention="sdpa")


def test_cases_are_clipped_to_the_positions() -> None:
    assert max(case.length for case in verification_cases(5, None)) == 5
    assert [case.length for case in verification_cases(None, None) if case.name == "longest"] == [64]
    beyond = [case for case in verification_cases(1024, 100) if case.name == "beyond the sliding window"]
    assert [case.length for case in beyond] == [103]


def test_padding_of_inputs() -> None:
    named = make_inputs(torch.zeros(3, 4, dtype=torch.long), torch.tensor([0, 1, 3]))
    assert named["attention_mask"].tolist() == [[1, 1, 1, 1], [0, 1, 1, 1], [0, 0, 0, 1]]
    assert named["position_ids"].tolist() == [[0, 1, 2, 3], [0, 0, 1, 2], [0, 0, 0, 0]]


def test_fixed_ids_avoid_special_tokens() -> None:
    ids = fixed_ids(10, {0, 1, 2, 9}, 4, 25, seed=3)
    assert ids.shape == (4, 25)
    assert set(ids.flatten().tolist()) == {3, 4, 5, 6, 7, 8}
    assert torch.equal(ids, fixed_ids(10, {0, 1, 2, 9}, 4, 25, seed=3))
    assert not torch.equal(ids, fixed_ids(10, {0, 1, 2, 9}, 4, 25, seed=4))


def test_checksum_of_known_numbers() -> None:
    # weights: -0.5, 2654435761 / 2^32 - 0.5, (2 · 2654435761 mod 2^32) / 2^32 - 0.5
    weights = [-0.5, 0.11803398677147925, -0.2639320264570415]
    found = checksum(torch.tensor([[1.0, -2.0], [4.0, 0.0]])[:, :2].reshape(-1)[:3])
    assert found["mean"] == pytest.approx(1.0, abs=1e-15)
    assert found["norm"] == pytest.approx(21**0.5, abs=1e-15)
    assert found["projection"] == pytest.approx(weights[0] - 2 * weights[1] + 4 * weights[2], abs=1e-12)
