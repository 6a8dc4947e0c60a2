"""Small tokenizers for the tiny random models, trained on tokenizer_text.txt."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

TEXT_FILE = Path(__file__).parent / "tokenizer_text.txt"
END_OF_TEXT = "<|endoftext|>"
UNKNOWN, BEGIN, END = "<unk>", "<s>", "</s>"
BYTE_TOKENS = [f"<0x{byte:02X}>" for byte in range(256)]


def train_byte_level(vocabulary_size: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE as GPT-2 and GPT-NeoX have it: nothing is added in front of a text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_lines(), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=END_OF_TEXT, eos_token=END_OF_TEXT, unk_token=END_OF_TEXT
    )


def train_metaspace(vocabulary_size: int) -> PreTrainedTokenizerFast:
    """BPE over words that carry their space, as Llama 2 has it: `<s>` in front, bytes for unseen characters.

    Rare characters stay out of the vocabulary: they fall back to bytes.
    """
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN, fuse_unk=True, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first", split=True)
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(content=" ", left=1, right=0),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=[UNKNOWN, BEGIN, END, *BYTE_TOKENS],
        show_progress=False,
    )
    tokenizer.train_from_iterator(_without_rare_characters(_lines()), trainer)
    tokenizer = _without_added_bytes(tokenizer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A",
        pair=f"{BEGIN} $A {BEGIN}:1 $B:1",
        special_tokens=[(BEGIN, tokenizer.token_to_id(BEGIN))],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=BEGIN, eos_token=END, unk_token=UNKNOWN
    )


def _without_added_bytes(tokenizer: Tokenizer) -> Tokenizer:
    """Keep the byte tokens in the vocabulary alone, so that the text `<0x41>` stays six characters."""
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = [token for token in state["added_tokens"] if token["content"] not in BYTE_TOKENS]
    return Tokenizer.from_str(json.dumps(state))


def _lines() -> list[str]:
    return TEXT_FILE.read_text(encoding="utf-8").splitlines()


def _without_rare_characters(lines: list[str]) -> list[str]:
    # Not the trainer's limit_alphabet: it breaks ties at random.
    count = Counter("".join(lines))
    rare = {ord(character): " " for character, times in count.items() if times < 3}
    return [line.translate(rare) for line in lines]
