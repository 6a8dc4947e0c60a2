"""The model families of the conformance suite: a tiny config of each, and what is special about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

HIDDEN = 32
LAYERS = 4
POSITIONS = 96
#: Shorter than the traced prompts, so that a full mask in its place shows.
SLIDING_WINDOW = 5

LLAMA_SHAPE: dict[str, Any] = {
    "hidden_size": HIDDEN,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "intermediate_size": 48,
    "max_position_embeddings": POSITIONS,
}
GPT2_SHAPE: dict[str, Any] = {"n_embd": HIDDEN, "n_layer": LAYERS, "n_head": 4, "n_positions": POSITIONS}
ALTERNATING = ["sliding_attention", "full_attention"] * (LAYERS // 2)


@dataclass(frozen=True)
class Family:
    """One tiny model: a Hugging Face `model_type` and its config."""

    name: str
    model_type: str
    shape: Mapping[str, Any]
    special: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    #: A start token and byte fallback, as Llama's tokenizer has them, in place of GPT-2's.
    metaspace: bool = False

    def options(self) -> dict[str, Any]:
        """What the config is made with."""
        return {**self.shape, **self.changes}


def _llama_like(name: str, special: str, model_type: str | None = None, **changes: Any) -> Family:
    return Family(name, model_type or name, LLAMA_SHAPE, special, changes, metaspace=True)


def _gpt2_like(name: str, special: str, **changes: Any) -> Family:
    return Family(name, name, GPT2_SHAPE, special, changes)


def _falcon(name: str, special: str, **changes: Any) -> Family:
    shape = {
        name: LLAMA_SHAPE[name] for name in LLAMA_SHAPE if name not in ("num_key_value_heads", "head_dim")
    }
    return Family(name, "falcon", shape, special, changes)


FAMILIES: tuple[Family, ...] = (
    _gpt2_like("gpt2", "learned positions, tied embeddings"),
    _gpt2_like("gpt_bigcode", "one key and value head for all queries"),
    _gpt2_like("gptj", "parallel residual, interleaved rotary positions", rotary_dim=4),
    Family(
        "gpt_neo",
        "gpt_neo",
        {
            "hidden_size": HIDDEN,
            "num_layers": LAYERS,
            "num_heads": 4,
            "attention_types": [[["global", "local"], LAYERS // 2]],
            "window_size": SLIDING_WINDOW,
            "max_position_embeddings": POSITIONS,
        },
        "every second layer attends locally, scores are not scaled",
    ),
    Family(
        "gpt_neox",
        "gpt_neox",
        LLAMA_SHAPE,
        "parallel residual, rotary positions in a part of each head",
        {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5}},
    ),
    _gpt2_like("codegen", "parallel residual, queries, keys and values interleaved", rotary_dim=4),
    _llama_like("llama", "grouped queries, rotary positions"),
    _llama_like(
        "llama, llama3 rotary scaling",
        "frequencies scaled by the llama3 rule",
        "llama",
        rope_parameters={
            "rope_type": "llama3",
            "rope_theta": 10000.0,
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 16,
        },
    ),
    _llama_like("mistral", "sliding window in every layer", sliding_window=SLIDING_WINDOW),
    _llama_like("mixtral", "mixture of experts", num_local_experts=4),
    Family("qwen2", "qwen2", LLAMA_SHAPE, "biases on queries, keys and values"),
    _llama_like(
        "qwen2_moe",
        "mixture of experts with a shared one",
        num_experts=4,
        num_experts_per_tok=2,
        moe_intermediate_size=24,
        shared_expert_intermediate_size=40,
    ),
    _llama_like("qwen3", "queries and keys normalized"),
    _llama_like(
        "qwen3_moe",
        "mixture of experts, queries and keys normalized",
        num_experts=4,
        num_experts_per_tok=2,
        moe_intermediate_size=24,
    ),
    _llama_like("gemma", "embeddings scaled, tied"),
    _llama_like(
        "gemma2",
        "attention scores and logits soft-capped, every second layer has a sliding window",
        sliding_window=SLIDING_WINDOW,
        query_pre_attn_scalar=8,
        attn_logit_softcapping=3.0,
        final_logit_softcapping=9.0,
        layer_types=ALTERNATING,
    ),
    _llama_like(
        "gemma3_text",
        "sliding and full layers with rotary positions of their own",
        sliding_window=SLIDING_WINDOW,
        query_pre_attn_scalar=8,
        layer_types=["sliding_attention", "sliding_attention", "full_attention", "sliding_attention"],
    ),
    _llama_like("phi", "parallel residual, rotary positions in a part of each head"),
    _llama_like("phi3", "queries, keys and values in one product", pad_token_id=0),
    Family(
        "opt",
        "opt",
        {
            "hidden_size": HIDDEN,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": 4,
            "ffn_dim": 48,
            "max_position_embeddings": POSITIONS,
            "word_embed_proj_dim": HIDDEN,
        },
        "learned positions with an offset; the MLP is its last product",
    ),
    _falcon("falcon, old decoder", "parallel residual, one key and value head"),
    _falcon(
        "falcon, ALiBi",
        "ALiBi, sequential residual",
        alibi=True,
        multi_query=False,
        parallel_attn=False,
        bias=True,
    ),
    _falcon(
        "falcon, new decoder",
        "parallel residual with two norms, grouped queries",
        new_decoder_architecture=True,
        num_kv_heads=2,
    ),
    Family(
        "mpt",
        "mpt",
        {"d_model": HIDDEN, "n_heads": 4, "n_layers": LAYERS, "max_seq_len": POSITIONS},
        "ALiBi; the MLP is its last product",
    ),
    Family(
        "bloom",
        "bloom",
        {"hidden_size": HIDDEN, "n_layer": LAYERS, "n_head": 4},
        "ALiBi, norm after the embedding; attention and MLP are their last products",
    ),
    _llama_like("stablelm", "layer norm, rotary positions in a part of each head"),
    _llama_like("starcoder2", "layer norm, biases, sliding window", sliding_window=SLIDING_WINDOW),
    _llama_like("olmo", "layer norm without weights", clip_qkv=2.0),
    _llama_like("olmo2", "norms after attention and MLP"),
    _llama_like("cohere", "parallel residual, interleaved rotary positions, logits scaled", logit_scale=0.5),
    _llama_like(
        "granite",
        "embeddings, residuals, attention scores and logits scaled",
        embedding_multiplier=1.5,
        residual_multiplier=0.8,
        attention_multiplier=0.3,
        logits_scaling=1.5,
    ),
    _llama_like("smollm3", "some layers have no positions", no_rope_layers=[1, 0, 1, 0]),
    _llama_like(
        "gpt_oss",
        "attention sinks, mixture of experts, every second layer has a sliding window",
        num_local_experts=4,
        num_experts_per_tok=2,
        sliding_window=SLIDING_WINDOW,
        layer_types=ALTERNATING,
        rope_parameters={
            "rope_type": "yarn",
            "rope_theta": 10000.0,
            "factor": 4.0,
            "beta_fast": 32.0,
            "beta_slow": 1.0,
            "truncate": False,
            "original_max_position_embeddings": 24,
        },
    ),
    _llama_like("arcee", "squared ReLU without a gate"),
    Family(
        "biogpt",
        "biogpt",
        {name: LLAMA_SHAPE[name] for name in LLAMA_SHAPE if name not in ("num_key_value_heads", "head_dim")},
        "embeddings scaled, learned positions with an offset; the MLP is its last product",
    ),
    _llama_like(
        "cohere2",
        "parallel residual, sliding layers with and full layers without positions",
        sliding_window=SLIDING_WINDOW,
        layer_types=ALTERNATING,
        logit_scale=0.5,
    ),
    _llama_like("ernie4_5", "interleaved rotary positions"),
    _llama_like(
        "exaone4",
        "norms after attention and MLP, sliding layers with and full layers without positions",
        sliding_window=SLIDING_WINDOW,
        layer_types=ALTERNATING,
    ),
    _llama_like("glm", "interleaved rotary positions in a part of each head"),
    _llama_like("glm4", "norms before and after attention and MLP"),
    _llama_like(
        "granitemoe",
        "mixture of experts, scaled as granite is",
        num_local_experts=4,
        num_experts_per_tok=2,
        # Unscaled scores make this model so sensitive that float32 itself is only good for 1e-5.
        attention_multiplier=0.3,
        embedding_multiplier=1.5,
        residual_multiplier=0.8,
        logits_scaling=1.5,
    ),
    _llama_like("helium", "interleaved rotary positions"),
    _llama_like("hunyuan_v1_dense", "queries and keys normalized after the rotation"),
    _llama_like("nemotron", "layer norm with one plus the weight, squared ReLU"),
    _llama_like("olmo3", "norms after attention and MLP, sliding layers", sliding_window=SLIDING_WINDOW),
    _llama_like(
        "olmoe", "mixture of experts, queries and keys normalized", num_experts=4, num_experts_per_tok=2
    ),
    _llama_like("persimmon", "layer norm on queries and keys, squared ReLU"),
    _llama_like("phimoe", "mixture of experts, layer norm", num_local_experts=4, num_experts_per_tok=2),
    _llama_like("seed_oss", "biases on queries, keys and values"),
    Family(
        "xglm",
        "xglm",
        {
            "d_model": HIDDEN,
            "num_layers": LAYERS,
            "attention_heads": 4,
            "ffn_dim": 48,
            "max_position_embeddings": POSITIONS,
        },
        "sinusoidal positions, embeddings scaled; the MLP is its last product",
    ),
)

#: Models that the exporter must refuse, and why it does.
REFUSED: tuple[Family, ...] = (
    Family(
        "mamba",
        "mamba",
        {"hidden_size": 16, "num_hidden_layers": 2, "state_size": 4},
        "",
    ),
    Family(
        "mamba2",
        "mamba2",
        {
            "hidden_size": 16,
            "num_hidden_layers": 2,
            "state_size": 4,
            "num_heads": 4,
            "head_dim": 8,
            "n_groups": 1,
        },
        "",
    ),
    Family("falcon_mamba", "falcon_mamba", {"hidden_size": 16, "num_hidden_layers": 2, "state_size": 4}, ""),
    Family(
        "recurrent_gemma", "recurrent_gemma", {**LLAMA_SHAPE, "lru_width": HIDDEN, "num_hidden_layers": 3}, ""
    ),
    Family("rwkv", "rwkv", {"hidden_size": 16, "num_hidden_layers": 2, "context_length": POSITIONS}, ""),
    _llama_like("lfm2", "", layer_types=["conv", "full_attention"] * (LAYERS // 2)),
    _llama_like(
        "llama, dynamic rotary scaling",
        "",
        "llama",
        rope_parameters={"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 2.0},
    ),
    _llama_like(
        "phi3, longrope rotary scaling",
        "",
        "phi3",
        rope_parameters={
            "rope_type": "longrope",
            "rope_theta": 10000.0,
            "short_factor": [1.0] * 4,
            "long_factor": [2.0] * 4,
            "original_max_position_embeddings": 48,
        },
        original_max_position_embeddings=48,
    ),
)

#: The families of the quick run: one for each way in which attention, positions and blocks differ.
QUICK = {"gpt2", "llama", "mistral", "gpt_neox", "bloom", "gemma2", "mixtral", "opt", "mamba"}
