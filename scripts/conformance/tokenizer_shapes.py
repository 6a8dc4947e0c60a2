"""Small trained tokenizers of the shapes that decoder-only models have."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import PreTrainedTokenizerFast

TEXT_FILE = Path(__file__).resolve().parents[1] / "parity" / "tokenizer_text.txt"
END_OF_TEXT = "<|endoftext|>"
UNKNOWN, BEGIN, END = "<unk>", "<s>", "</s>"
BYTE_TOKENS = [f"<0x{byte:02X}>" for byte in range(256)]
LLAMA3_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
QWEN2_PATTERN = LLAMA3_PATTERN.replace(r"\p{N}{1,3}", r"\p{N}")


def _lines() -> list[str]:
    return TEXT_FILE.read_text(encoding="utf-8").splitlines()


def _train_byte_level(
    tokenizer: Tokenizer, size: int = 420, special: tuple[str, ...] = (END_OF_TEXT,)
) -> Tokenizer:
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_lines(), trainer)
    return tokenizer


def _add_begin(tokenizer: Tokenizer, token: str) -> Tokenizer:
    template = processors.TemplateProcessing(
        single=f"{token} $A",
        pair=f"{token} $A {token}:1 $B:1",
        special_tokens=[(token, tokenizer.token_to_id(token))],
    )
    tokenizer.post_processor = template
    return tokenizer


def make_gpt2() -> Tokenizer:
    """Byte-level BPE; nothing added."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return _train_byte_level(tokenizer)


def make_byte_level_with_begin() -> Tokenizer:
    """Byte-level BPE with a start token, as OPT's, and a space put in front."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    return _add_begin(_train_byte_level(tokenizer, special=(BEGIN, END)), BEGIN)


def make_neox() -> Tokenizer:
    """Byte-level BPE of composed characters, with runs of spaces as added tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    _train_byte_level(tokenizer)
    tokenizer.add_tokens([AddedToken(" " * count, normalized=True) for count in range(8, 1, -1)])
    return tokenizer


def make_llama3() -> Tokenizer:
    """Byte-level BPE after a regular expression, merges ignored for whole words, a start token."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(LLAMA3_PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    begin = "<|begin_of_text|>"
    _add_begin(_train_byte_level(tokenizer, special=(begin, "<|end_of_text|>", "<|eot_id|>")), begin)
    template = tokenizer.post_processor
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template])
    return tokenizer


def make_qwen2() -> Tokenizer:
    """Byte-level BPE of composed characters after a regular expression, with chat tokens added."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN2_PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    _train_byte_level(tokenizer)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.add_special_tokens(
        [AddedToken(f"<|im_{name}|>", normalized=False) for name in ("start", "end")]
    )
    tokenizer.add_tokens([AddedToken("<think>", normalized=False), AddedToken("</think>", normalized=False)])
    return tokenizer


def make_added_tokens() -> Tokenizer:
    """Byte-level BPE with added tokens that take the spaces beside them, special and ordinary ones."""
    tokenizer = make_gpt2()
    tokenizer.add_special_tokens(
        [
            AddedToken("<|system|>", lstrip=True),
            AddedToken("<|user|>", rstrip=True),
            AddedToken("<|both|>", lstrip=True, rstrip=True),
            AddedToken("<mask>", lstrip=True, normalized=False),
        ]
    )
    tokenizer.add_tokens(
        [
            AddedToken("Eiffel"),
            AddedToken("New York", normalized=True),
            AddedToken("東京", normalized=False),
        ]
    )
    return tokenizer


def make_falcon() -> Tokenizer:
    """Byte-level BPE after punctuation and digits are cut off."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Punctuation(behavior="contiguous"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
            pre_tokenizers.Digits(individual_digits=False),
            pre_tokenizers.Split(Regex(r"[0-9][0-9][0-9]"), behavior="isolated"),
        ]
    )
    return _train_byte_level(tokenizer)


def make_starcoder() -> Tokenizer:
    """Byte-level BPE with every digit a token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    return _train_byte_level(tokenizer)


def _train_with_bytes(tokenizer: Tokenizer) -> Tokenizer:
    """Train with the 256 byte tokens, kept in the vocabulary only; rare characters fall back to them."""
    decoder = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence([*decoder, decoders.Strip(content=" ", left=1, right=0)])
    trainer = trainers.BpeTrainer(
        vocab_size=460, special_tokens=[UNKNOWN, BEGIN, END, *BYTE_TOKENS], show_progress=False
    )
    # Not the trainer's limit_alphabet: it breaks ties at random.
    common = [line.encode("ascii", "ignore").decode() for line in _lines()]
    tokenizer.train_from_iterator(common, trainer)
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = [token for token in state["added_tokens"] if token["content"] not in BYTE_TOKENS]
    return _add_begin(Tokenizer.from_str(json.dumps(state)), BEGIN)


def make_mistral() -> Tokenizer:
    """BPE over words that carry their space, bytes for unseen characters, a start token."""
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN, fuse_unk=True, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    return _train_with_bytes(tokenizer)


def make_metaspace() -> Tokenizer:
    """The same with a space in front of every part between special tokens, words split."""
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN, fuse_unk=True, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    return _train_with_bytes(tokenizer)


def make_llama() -> Tokenizer:
    """As the first Llama: spaces replaced by a normalizer, which also puts one in front."""
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN, fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    return _train_with_bytes(tokenizer)


def make_gemma() -> Tokenizer:
    """Spaces replaced by a normalizer, nothing put in front, bytes for unseen characters, a start token."""
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN, fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", behavior="merged_with_previous")
    tokenizer = _train_with_bytes(tokenizer)
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    return tokenizer


def make_unigram() -> Tokenizer:
    """Unigram over words that carry their space, compatibility characters and runs of spaces normalized."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    trainer = trainers.UnigramTrainer(
        vocab_size=300, special_tokens=[BEGIN, END, UNKNOWN], unk_token=UNKNOWN, show_progress=False
    )
    tokenizer.train_from_iterator(_lines(), trainer)
    template = processors.TemplateProcessing(
        single=f"{END} $A", special_tokens=[(END, tokenizer.token_to_id(END))]
    )
    tokenizer.post_processor = template
    return tokenizer


SHAPES: dict[str, Callable[[], Tokenizer]] = {
    "gpt2": make_gpt2,
    "byte-level-with-begin": make_byte_level_with_begin,
    "neox": make_neox,
    "llama3": make_llama3,
    "qwen2": make_qwen2,
    "added-tokens": make_added_tokens,
    "falcon": make_falcon,
    "starcoder": make_starcoder,
    "mistral": make_mistral,
    "metaspace": make_metaspace,
    "llama": make_llama,
    "gemma": make_gemma,
    "unigram": make_unigram,
}


def wrap(tokenizer: Tokenizer) -> Any:
    """The tokenizer as transformers has it."""
    vocabulary = tokenizer.get_vocab()
    known = {
        name: next((token for token in tokens if token in vocabulary), None)
        for name, tokens in {
            "bos_token": (BEGIN, "<|begin_of_text|>", END_OF_TEXT),
            "eos_token": (END, "<|end_of_text|>", END_OF_TEXT),
            "unk_token": (UNKNOWN, END_OF_TEXT),
        }.items()
    }
    named = {name: token for name, token in known.items() if token is not None}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **named)
