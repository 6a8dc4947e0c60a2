"""Tokenizers of the demo models: a byte-level BPE as GPT-2's, a Metaspace BPE with byte fallback as Llama's.

Both are trained on the sentences of the facts. Every answer is repeated often enough to become one token
together with its leading space, so that the probability of an answer is that of one token; the words of the
subjects are rare and stay split into several tokens.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from facts import Fact
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

ANSWER_REPETITIONS = 1000
GPT2_END = "<|endoftext|>"
LLAMA_UNKNOWN, LLAMA_BEGIN, LLAMA_END = "<unk>", "<s>", "</s>"
BYTE_FALLBACK_TOKENS = [f"<0x{byte:02X}>" for byte in range(256)]
METASPACE = "▁"


def train_gpt2_tokenizer(facts: list[Fact], vocabulary_size: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE; no token is added in front of a text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=[GPT2_END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_training_texts(facts), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=GPT2_END, eos_token=GPT2_END, unk_token=GPT2_END
    )


def train_llama_tokenizer(facts: list[Fact], vocabulary_size: int) -> PreTrainedTokenizerFast:
    """BPE on words that carry their space as `▁`, `<s>` before each text, and bytes for unseen characters.

    The `▁` in front of the first word is added by the tokenizer and stripped by its decoder, as in Llama's.
    """
    tokenizer = Tokenizer(models.BPE(unk_token=LLAMA_UNKNOWN, fuse_unk=True, byte_fallback=True))
    metaspace = pre_tokenizers.Metaspace(replacement=METASPACE, prepend_scheme="first", split=True)
    # Only for training: no merge crosses punctuation, so "Paris." becomes "▁Paris" and "." by merges alone.
    punctuation = pre_tokenizers.Split(Regex(r"[.,:?'()-]"), behavior="isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([metaspace, punctuation])
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=[LLAMA_UNKNOWN, LLAMA_BEGIN, LLAMA_END, *BYTE_FALLBACK_TOKENS],
        show_progress=False,
    )
    tokenizer.train_from_iterator(_training_texts(facts), trainer)
    tokenizer = _with_ordinary_byte_tokens(tokenizer)
    tokenizer.pre_tokenizer = metaspace
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace(METASPACE, " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(content=" ", left=1, right=0),
        ]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{LLAMA_BEGIN} $A",
        pair=f"{LLAMA_BEGIN} $A {LLAMA_BEGIN}:1 $B:1",
        special_tokens=[(LLAMA_BEGIN, tokenizer.token_to_id(LLAMA_BEGIN))],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=LLAMA_BEGIN, eos_token=LLAMA_END, unk_token=LLAMA_UNKNOWN
    )


def _training_texts(facts: list[Fact]) -> Iterator[str]:
    for fact in facts:
        yield fact.sentence
    for answer in sorted({fact.answer for fact in facts}):
        for _ in range(ANSWER_REPETITIONS):
            yield f": {answer}"


def _with_ordinary_byte_tokens(tokenizer: Tokenizer) -> Tokenizer:
    """Leave the byte tokens in the vocabulary only, so that a text `<0x41>` is not read as one of them."""
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = [
        token for token in state["added_tokens"] if token["content"] not in BYTE_FALLBACK_TOKENS
    ]
    return Tokenizer.from_str(json.dumps(state))
