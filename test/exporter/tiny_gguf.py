"""Writes tiny random Llama models as GGUF files, as llama.cpp's converter does, and rebuilds them from there.

python test/exporter/tiny_gguf.py OUT.gguf
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from tiny_models import train_tokenizer
from transformers import LlamaConfig, LlamaForCausalLM

#: Rows of quantized weights are whole blocks of 32 numbers.
WIDTH, LAYERS, HEADS, KEY_VALUE_HEADS, POSITIONS = 64, 2, 4, 2, 96
EPSILON, ROTARY_BASE = 1e-5, 10000.0
NORMAL, CONTROL = 1, 3
BLOCK_NAMES = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
#: llama.cpp's converter orders each head's rows so that its pairs of rotated numbers are neighbours.
REORDERED_HEADS = {"attn_q": HEADS, "attn_k": KEY_VALUE_HEADS}


def write_gguf(
    path: Path,
    quantization: str = "Q4_1",
    architecture: str = "llama",
    tied: bool = False,
    tokenizer: bool = True,
    width: int = WIDTH,
    layers: int = LAYERS,
    metadata: dict[str, Any] | None = None,
    extra_tensors: dict[str, np.ndarray] | None = None,
) -> Path:
    """A random model of `layers` blocks, `width` wide.

    Its matrices are stored in `quantization`, its vectors in float32, its embedding in Q8_0.
    """
    writer = gguf.GGUFWriter(str(path), architecture)
    file_type = {"F16": "MOSTLY_F16", "F32": "ALL_F32"}.get(quantization, f"MOSTLY_{quantization}")
    writer.add_file_type(gguf.LlamaFileType[file_type])
    writer.add_context_length(POSITIONS)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(3 * width)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_VALUE_HEADS)
    writer.add_rope_dimension_count(width // HEADS)
    writer.add_rope_freq_base(ROTARY_BASE)
    writer.add_layer_norm_rms_eps(EPSILON)
    vocabulary = _write_tokenizer(writer) if tokenizer else 320
    for key, value in (metadata or {}).items():
        writer.add_key_value(key, value, gguf.GGUFValueType.get_type(value))
    for name, values in _random_tensors(vocabulary, tied, width, layers).items():
        stored = "F32" if values.ndim == 1 else "Q8_0" if name == "token_embd.weight" else quantization
        kind = gguf.GGMLQuantizationType[stored]
        writer.add_tensor(name, gguf.quantize(values, kind), raw_dtype=kind)
    for name, values in (extra_tensors or {}).items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def rebuild(path: Path) -> LlamaForCausalLM:
    """The model, of the default size, whose weights are the file's, dequantized.

    What transformers knows of GGUF has no part in it.
    """
    tensors = {
        tensor.name.removesuffix(".weight"): torch.from_numpy(
            gguf.dequantize(tensor.data, tensor.tensor_type).copy()
        )
        for tensor in gguf.GGUFReader(path).tensors
    }
    state = {
        "model.embed_tokens.weight": tensors["token_embd"],
        "model.norm.weight": tensors["output_norm"],
        "lm_head.weight": tensors.get("output", tensors["token_embd"]),
    }
    for layer in range(LAYERS):
        for name, module in BLOCK_NAMES.items():
            values = tensors[f"blk.{layer}.{name}"]
            if name in REORDERED_HEADS:
                heads = REORDERED_HEADS[name]
                values = values.reshape(heads, -1, 2, WIDTH).transpose(1, 2).reshape(values.shape)
            state[f"model.layers.{layer}.{module}.weight"] = values
    config = LlamaConfig(
        vocab_size=tensors["token_embd"].shape[0],
        hidden_size=WIDTH,
        intermediate_size=3 * WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=KEY_VALUE_HEADS,
        max_position_embeddings=POSITIONS,
        rms_norm_eps=EPSILON,
        rope_theta=ROTARY_BASE,
        tie_word_embeddings="output" not in tensors,
    )
    model = LlamaForCausalLM(config).eval()
    model.load_state_dict(state)
    return model


def _random_tensors(vocabulary: int, tied: bool, width: int, layers: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)

    def matrix(rows: int, columns: int) -> np.ndarray:
        return random.normal(0, 0.25, (rows, columns)).astype(np.float32)

    keys, inner = width // HEADS * KEY_VALUE_HEADS, 3 * width
    shapes = {"attn_k": (keys, width), "attn_v": (keys, width), "ffn_down": (width, inner)}
    shapes |= {"ffn_gate": (inner, width), "ffn_up": (inner, width)}
    tensors = {"token_embd.weight": matrix(vocabulary, width)}
    for layer in range(layers):
        for name in BLOCK_NAMES:
            norm = name.endswith("norm")
            values = random.uniform(0.5, 1.5, width) if norm else matrix(*shapes.get(name, (width, width)))
            tensors[f"blk.{layer}.{name}.weight"] = values.astype(np.float32)
    tensors["output_norm.weight"] = random.uniform(0.5, 1.5, width).astype(np.float32)
    return tensors if tied else {**tensors, "output.weight": matrix(vocabulary, width)}


def _write_tokenizer(writer: gguf.GGUFWriter) -> int:
    model = json.loads(train_tokenizer().backend_tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([CONTROL if token in ("<|endoftext|>", "<s>") else NORMAL for token in tokens])
    writer.add_token_merges([" ".join(merge) for merge in model["merges"]])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(0)
    writer.add_add_bos_token(False)
    return len(tokens)


if __name__ == "__main__":
    write_gguf(Path(sys.argv[1]))
