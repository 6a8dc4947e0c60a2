"""Layer configs of families whose module tree is known, by the Hugging Face config's `model_type`."""

from __future__ import annotations

from .layer_config import LayerConfig


def _templates(blocks: str, attention: str, mlp: str, embedding: str) -> LayerConfig:
    layer = f"{blocks}.{{num}}"
    return LayerConfig(layer, f"{layer}.{attention}", f"{layer}.{mlp}", embedding)


_LLAMA = _templates("model.layers", "self_attn", "mlp", "model.embed_tokens")
_GPT2 = _templates("transformer.h", "attn", "mlp", "transformer.wte")

_LLAMA_LIKE = [
    "arcee",
    "cohere",
    "cohere2",
    "ernie4_5",
    "exaone4",
    "gemma",
    "gemma2",
    "gemma3_text",
    "glm",
    "glm4",
    "gpt_oss",
    "granite",
    "helium",
    "hunyuan_v1_dense",
    "llama",
    "mistral",
    "mixtral",
    "nemotron",
    "olmo",
    "olmo2",
    "olmo3",
    "olmoe",
    "persimmon",
    "phi",
    "phi3",
    "phimoe",
    "qwen2",
    "qwen2_moe",
    "qwen3",
    "qwen3_moe",
    "seed_oss",
    "smollm3",
    "stablelm",
    "starcoder2",
]
_GPT2_LIKE = ["codegen", "gpt2", "gpt_bigcode", "gpt_neo", "gptj"]

# Where a family's module adds the residual inside (Bloom, MPT) or has no MLP module (OPT, XGLM, BioGPT), the site is
# the last projection: what the part itself contributes.
FAMILIES: dict[str, LayerConfig] = {
    **dict.fromkeys(_LLAMA_LIKE, _LLAMA),
    **dict.fromkeys(_GPT2_LIKE, _GPT2),
    "biogpt": _templates("biogpt.layers", "self_attn", "fc2", "biogpt.embed_tokens"),
    "bloom": _templates(
        "transformer.h", "self_attention.dense", "mlp.dense_4h_to_h", "transformer.word_embeddings"
    ),
    "falcon": _templates("transformer.h", "self_attention", "mlp", "transformer.word_embeddings"),
    "gpt_neox": _templates("gpt_neox.layers", "attention", "mlp", "gpt_neox.embed_in"),
    "granitemoe": _templates("model.layers", "self_attn", "block_sparse_moe", "model.embed_tokens"),
    "mpt": _templates("transformer.blocks", "attn", "ffn.down_proj", "transformer.wte"),
    "openai-gpt": _templates("transformer.h", "attn", "mlp", "transformer.tokens_embed"),
    "opt": _templates("model.decoder.layers", "self_attn", "fc2", "model.decoder.embed_tokens"),
    "xglm": _templates("model.layers", "self_attn", "fc2", "model.embed_tokens"),
}
