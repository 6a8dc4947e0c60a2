"""Makes the exporter importable and keeps the libraries quiet and off the network."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "scripts" / "export"), str(Path(__file__).parent)]

from exporter.environment import hide_loading_bars  # noqa: E402

hide_loading_bars()
# Models this small only lose time waiting for a second thread.
torch.set_num_threads(1)
os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(scope="session")
def gpt2_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face folder with a tiny random GPT-2; tests only read it."""
    from tiny_models import save_model

    return save_model(tmp_path_factory.mktemp("hf") / "gpt2", "gpt2")


@pytest.fixture(scope="session")
def gpt2_export(gpt2_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model folder exported from `gpt2_folder`; tests only read it."""
    from exporter import export_model

    out = tmp_path_factory.mktemp("exported") / "gpt2"
    export_model(str(gpt2_folder), out)
    return out


def read_manifest(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "causal-tracer.json").read_text("utf-8"))
