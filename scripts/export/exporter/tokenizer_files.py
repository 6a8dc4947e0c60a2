"""Writes the tokenizer's files and proves that they alone give the ids that the Python tokenizer gives."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from .environment import REMEDY, is_installed
from .errors import ExportError, first_line
from .model_source import ModelSource
from .progress import Progress

TOKENIZER_FILE = "tokenizer.json"
SETTINGS_FILES = ("tokenizer_config.json", "special_tokens_map.json")
# How this run loaded the tokenizer, which the library saves as if it were the tokenizer's.
LOADING_SETTINGS = {"is_local", "local_files_only", "name_or_path", "trust_remote_code", "revision"}
SENTENCEPIECE_PACKAGES = ("sentencepiece", "protobuf")
VOCABULARY_FILES = ("tokenizer*", "vocab*", "merges*", "*.model", "*.tiktoken", "tekken.json")
READABLE_MODELS = ("BPE", "Unigram", "WordPiece")

CHECK_TEXTS = (
    "The Eiffel Tower is in the city of",
    " Space Needle",
    "  two leading spaces,  two inside, one trailing ",
    "Café Zürich, naïve façade, Gdańsk",
    "Москва является столицей",
    "東京は日本の首都です。",
    "“Curly” and \"straight\" quotes, it's o'clock",
    "first line\nsecond line\n\n\tindented\r\n",
    "emoji 🙂👩‍🔬🇫🇷 and symbols €∑→",
    "3.14159 + 1,000,000 = x_1/y-2 (50%)",
    "supercalifragilisticexpialidocious ANTIDISESTABLISHMENTARIANISM",
)


def load_tokenizer(source: ModelSource, progress: Progress) -> Any:
    """Load the model's tokenizer in fast form. Raises ExportError TOKENIZER_INVALID saying why there is none."""
    from transformers import AutoTokenizer

    own_files = source.is_local and source.gguf_file is None
    if own_files and not any(any(Path(source.location).glob(name)) for name in VOCABULARY_FILES):
        raise _no_tokenizer(source, "there are no tokenizer files")
    try:
        tokenizer = AutoTokenizer.from_pretrained(source.location, **source.loading_options())
    except Exception as error:
        missing = [name for name in SENTENCEPIECE_PACKAGES if not is_installed(name)]
        if missing and any(word in str(error) for word in ("sentencepiece", "protobuf", "tiktoken")):
            reason = f"reading it needs the Python package {' and '.join(missing)}; {REMEDY}"
        else:
            reason = " ".join(str(error).split())[:400]
        raise _no_tokenizer(source, reason) from error
    if not getattr(tokenizer, "is_fast", False):
        tokenizer = _convert(tokenizer, progress)
    # Without a vocabulary file the library may make a tokenizer up that knows special tokens only.
    if len(set(tokenizer.get_vocab().values()) - set(tokenizer.all_special_ids)) < 2:
        raise _no_tokenizer(source, "the vocabulary is empty")
    _compare_with_own_file(source, tokenizer, progress)
    kind = type(tokenizer.backend_tokenizer.model).__name__
    if kind not in READABLE_MODELS:
        raise ExportError(
            "TOKENIZER_INVALID",
            f"the tokenizer is of the kind {kind}; those that can be read are {', '.join(READABLE_MODELS)}",
        )
    return tokenizer


def _compare_with_own_file(source: ModelSource, tokenizer: Any, progress: Progress) -> None:
    """Warn where the library's tokenizer class reads the folder's tokenizer.json otherwise than it stands there."""
    from tokenizers import Tokenizer

    path = Path(source.location) / TOKENIZER_FILE
    if not source.is_local or source.gguf_file is not None or not path.is_file():
        return
    own = Tokenizer.from_file(str(path))
    own.no_truncation()
    own.no_padding()
    for text in CHECK_TEXTS:
        if own.encode(text).ids != list(tokenizer(text)["input_ids"]):
            progress(
                f"warning: {type(tokenizer).__name__} gives other ids than {path} by itself, the first time for "
                f"{text!r}; the ids of {type(tokenizer).__name__} are taken, as transformers does"
            )
            return


def _no_tokenizer(source: ModelSource, reason: str) -> ExportError:
    if source.gguf_file is not None:
        return ExportError(
            "TOKENIZER_INVALID",
            f"transformers makes no tokenizer of {source.describe()}, and a prompt cannot be traced without one; "
            f"export the original Hugging Face model instead. Reason: {reason}",
        )
    return ExportError(
        "TOKENIZER_INVALID",
        f"{source.describe()} has no tokenizer that can be loaded, and a prompt cannot be traced without one; put "
        f"the model's tokenizer.json and tokenizer_config.json beside its weights. Reason: {reason}",
    )


def check_vocabulary(tokenizer: Any, vocabulary_size: int, progress: Progress) -> None:
    """Raise ExportError TOKENIZER_MISMATCH where the tokenizer has ids that the model does not know."""
    vocabulary = tokenizer.get_vocab()
    beyond = sorted(
        (token_id, token) for token, token_id in vocabulary.items() if token_id >= vocabulary_size
    )
    if beyond:
        token_id, token = beyond[0]
        raise ExportError(
            "TOKENIZER_MISMATCH",
            f"the tokenizer has {len(beyond)} tokens beyond the model's vocabulary of {vocabulary_size} (the first is "
            f"{token!r}, id {token_id}): it belongs to another model, or tokens were added without resizing the "
            "model's embedding",
        )
    if len(vocabulary) * 2 < vocabulary_size:
        progress(
            f"warning: the tokenizer has {len(vocabulary)} tokens, the model {vocabulary_size}; is it the model's own?"
        )


def write_tokenizer(tokenizer: Any, folder: Path) -> list[dict[str, Any]]:
    """Write the tokenizer's files into `folder`; returns the manifest's `tokenizerCheck`.

    Raises ExportError TOKENIZER_INVALID where the written file alone gives other ids.
    """
    from tokenizers import Tokenizer

    backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    backend.no_truncation()
    backend.no_padding()
    with tempfile.TemporaryDirectory() as saved:
        tokenizer.save_pretrained(saved)
        for name in SETTINGS_FILES:
            if (Path(saved) / name).is_file():
                settings = json.loads((Path(saved) / name).read_text("utf-8"))
                kept = {key: value for key, value in settings.items() if key not in LOADING_SETTINGS}
                text = json.dumps(kept, ensure_ascii=False, indent=2)
                (folder / name).write_text(text + "\n", "utf-8")
    backend.save(str(folder / TOKENIZER_FILE))
    written = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
    checks = []
    for text in CHECK_TEXTS:
        wanted = list(tokenizer(text)["input_ids"])
        found = written.encode(text).ids
        if wanted != found:
            raise ExportError(
                "TOKENIZER_INVALID",
                f"tokenizer.json alone gives other ids than the Python tokenizer {type(tokenizer).__name__}: {text!r} "
                f"becomes {found} instead of {wanted}; settings that only live in Python must be saved into "
                "tokenizer.json (for example as its post-processor)",
            )
        checks.append(
            {"text": text, "ids": wanted, "tokens": [tokenizer.decode([token]) for token in wanted]}
        )
    return checks


def _convert(tokenizer: Any, progress: Progress) -> Any:
    """A fast tokenizer that gives the same ids as the slow one. Raises ExportError TOKENIZER_INVALID."""
    from transformers import PreTrainedTokenizerFast
    from transformers.convert_slow_tokenizer import convert_slow_tokenizer

    name = type(tokenizer).__name__
    progress(f"converting the slow tokenizer {name}")
    remedy = (
        "make a tokenizer.json with the tokenizers library (huggingface.co/docs/tokenizers), "
        "and put it beside the model"
    )
    try:
        converted = PreTrainedTokenizerFast(
            tokenizer_object=convert_slow_tokenizer(tokenizer), **tokenizer.special_tokens_map
        )
    except Exception as error:
        raise ExportError(
            "TOKENIZER_INVALID",
            f"the tokenizer {name} exists only in slow form and cannot be converted "
            f"({first_line(error)[:200]}); {remedy}",
        ) from error
    for text in CHECK_TEXTS:
        wanted, found = list(tokenizer(text)["input_ids"]), list(converted(text)["input_ids"])
        if wanted != found:
            raise ExportError(
                "TOKENIZER_INVALID",
                f"the tokenizer {name} exists only in slow form, and its conversion gives other ids: {text!r} becomes "
                f"{found} instead of {wanted}; {remedy}",
            )
    return converted
