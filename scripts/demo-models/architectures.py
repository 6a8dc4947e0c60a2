"""The two demo models: what is GPT-2's and Llama's shape, small enough to be committed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from demo_tokenizers import train_gpt2_tokenizer, train_llama_tokenizer
from facts import Fact
from training import TrainingSettings
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

VOCABULARY_SIZE = 2400
MAXIMUM_POSITIONS = 64
LAYERS = 10
HIDDEN_SIZE = 96
HEADS = 4


@dataclass(frozen=True)
class DemoModel:
    """A demo model's name, how its tokenizer and its untrained model are made, and how it is trained."""

    name: str
    train_tokenizer: Callable[[list[Fact], int], PreTrainedTokenizerFast]
    create: Callable[[PreTrainedTokenizerFast], PreTrainedModel]
    training: TrainingSettings


def _create_gpt2(tokenizer: PreTrainedTokenizerFast) -> GPT2LMHeadModel:
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=len(tokenizer),
            n_positions=MAXIMUM_POSITIONS,
            n_embd=HIDDEN_SIZE,
            n_layer=LAYERS,
            n_head=HEADS,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


def _create_llama(tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            max_position_embeddings=MAXIMUM_POSITIONS,
            hidden_size=HIDDEN_SIZE,
            intermediate_size=3 * HIDDEN_SIZE,
            num_hidden_layers=LAYERS,
            num_attention_heads=HEADS,
            num_key_value_heads=HEADS // 2,
            tie_word_embeddings=True,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


DEMO_MODELS = (
    DemoModel("demo-gpt2", train_gpt2_tokenizer, _create_gpt2, TrainingSettings()),
    DemoModel("demo-llama", train_llama_tokenizer, _create_llama, TrainingSettings()),
)
