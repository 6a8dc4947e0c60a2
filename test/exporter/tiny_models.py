"""Tiny random models of many families, with a small trained tokenizer, for tests without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

TRAINING_TEXTS = [
    "The Eiffel Tower is in the city of Paris. The Space Needle is in the city of Seattle.",
    "Café Zürich, naïve façade. “Quotes” and 'quotes', 3.14 + 1,000 = x_1/y-2",
    "first line\nsecond line\n\n\tindented",
    "Москва является столицей. 東京は日本の首都です。",
]

LLAMA_SHAPE: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 96,
    "head_dim": 8,
}
GPT2_SHAPE: dict[str, Any] = {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 96}

SHAPES: dict[str, dict[str, Any]] = {
    "gpt2": GPT2_SHAPE,
    "gptj": {**GPT2_SHAPE, "rotary_dim": 4},
    "codegen": {**GPT2_SHAPE, "rotary_dim": 4},
    "gpt_neo": {
        "hidden_size": 32,
        "num_layers": 2,
        "num_heads": 4,
        "attention_types": [[["global", "local"], 1]],
        "max_position_embeddings": 96,
        "window_size": 4,
    },
    "gpt_neox": LLAMA_SHAPE,
    "llama": LLAMA_SHAPE,
    "mistral": {**LLAMA_SHAPE, "sliding_window": 10},
    "qwen3": LLAMA_SHAPE,
    "gemma2": {**LLAMA_SHAPE, "sliding_window": 4, "query_pre_attn_scalar": 8},
    "gemma3_text": {**LLAMA_SHAPE, "sliding_window": 4, "num_hidden_layers": 7},
    "mixtral": {**LLAMA_SHAPE, "num_local_experts": 4},
    "opt": {
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "ffn_dim": 48,
        "max_position_embeddings": 96,
        "word_embed_proj_dim": 32,
    },
    "bloom": {"hidden_size": 32, "n_layer": 3, "n_head": 4},
    "falcon": {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4},
    "mpt": {"d_model": 32, "n_heads": 4, "n_layers": 3, "max_seq_len": 96},
    "phi": LLAMA_SHAPE,
    "biogpt": {**LLAMA_SHAPE},
}


def train_tokenizer(bos: bool = False) -> PreTrainedTokenizerFast:
    """A byte-level BPE of some 320 tokens, with a start token if `bos`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<s>"]
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TRAINING_TEXTS, trainer)
    if bos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="<|endoftext|>", unk_token="<|endoftext|>"
    )


def make_model(family: str, seed: int = 0, **changes: Any) -> Any:
    """A random model whose attention is far from uniform, so that a wrong mask shows."""
    options = {"vocab_size": 320, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 0}
    config = AutoConfig.for_model(family, **{**options, **SHAPES.get(family, {}), **changes})
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=0.25)
    return model


def save_model(folder: Path, family: str, bos: bool = False, **changes: Any) -> Path:
    """A Hugging Face folder with a tiny random model and its tokenizer."""
    make_model(family, **changes).save_pretrained(folder)
    train_tokenizer(bos).save_pretrained(folder)
    return folder
