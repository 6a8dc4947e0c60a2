"""How long a prompt the model's positions allow."""

from __future__ import annotations

from typing import Any

# In the order in which configs use them.
FIELDS = ("n_positions", "max_position_embeddings", "max_sequence_length", "max_seq_len", "n_ctx")


def maximum_positions(config: Any) -> int | None:
    """The limit in tokens, or None where the config sets none (linear position biases)."""
    text_config = config.get_text_config()
    if text_config.model_type == "bloom" or getattr(text_config, "alibi", False):
        return None
    for field in FIELDS:
        value = getattr(text_config, field, None)
        if isinstance(value, int) and value > 0:
            return value
    return None


def sliding_window(config: Any) -> int | None:
    """The narrowest window of attention in tokens, or None where every layer sees everything."""
    text_config = config.get_text_config()
    windows = [getattr(text_config, field, None) for field in ("sliding_window", "window_size")]
    return min((window for window in windows if isinstance(window, int) and window > 0), default=None)
