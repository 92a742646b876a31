"""Text to tokens and back, the same way for every base: byte-level, lossless, no end mark from a text."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from tweetbot_trainer.data.posts import END_MARK
from tweetbot_trainer.learning.model.identity import make_refusal
from tweetbot_trainer.learning.model.marks import get_marks
from tweetbot_trainer.runtime.errors import SpecRefused

#: A tokenizer must reproduce this text: bits per byte mean nothing if it loses characters.
_PROBE = "My dream is… Grüße, 港の朝 🌊\t#tag @name"


#: Bytes of a learned token at most. A tokenizer shows what it was trained on: words of scripts with spaces, passages of
#: others, here up to 17 Chinese or Japanese characters (docs/security.md). A lower limit would change trained models.
LONGEST_TOKEN = 51


#: The class of a panic in a library that is written in Rust (pyo3); it has no name to import.
_PANIC = "PanicException"


@dataclass(frozen=True, slots=True)
class EncodedText:
    """The tokens of a text, without end marks, and its length in UTF-8 bytes."""

    tokens: tuple[int, ...]
    utf8_bytes: int


def train_tokenizer(texts: Iterable[str], entries: int) -> Tokenizer:
    """Train a byte-level BPE of at most `entries` entries on these texts alone."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=entries,
        special_tokens=[END_MARK],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        max_token_length=LONGEST_TOKEN + 1,  # exclusive
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def read_tokenizer(body: bytes, uri: str, vocabulary: int) -> Tokenizer:
    """Read a base's tokenizer.json for `vocabulary` embeddings. Raises SpecRefused (BaseModelRefused)."""
    try:
        with _refuse_panics(uri):
            tokenizer = Tokenizer.from_str(body.decode())
    except SpecRefused:
        raise
    except Exception as error:
        raise make_refusal(uri, "its tokenizer.json cannot be read") from error
    ids = tokenizer.get_vocab(with_added_tokens=True).values()
    if len(ids) > vocabulary:
        raise make_refusal(uri, f"its tokenizer has {len(ids)} entries, its weights only {vocabulary}")
    if (highest := max(ids)) >= vocabulary:
        raise make_refusal(uri, f"its tokenizer has an entry {highest}, its weights end at {vocabulary - 1}")
    tokenizer.no_padding()
    tokenizer.no_truncation()
    with _refuse_panics(uri):
        (probe,) = encode_all(tokenizer, (_PROBE,), uri=uri)
        decoded = tokenizer.decode(list(probe.tokens), skip_special_tokens=False)
    if decoded != _PROBE:
        raise make_refusal(uri, "its tokenizer is not byte-level: it loses characters")
    return tokenizer


@contextmanager
def _refuse_panics(uri: str) -> Iterator[None]:
    """Turn a panic of the tokenizers library, which is no Exception, into SpecRefused (BaseModelRefused)."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != _PANIC:
            raise
        raise make_refusal(uri, "its tokenizer.json makes the tokenizers library fail") from error


def encode(tokenizer: Tokenizer, text: str) -> EncodedText:
    """Encode one text; see encode_all."""
    return encode_all(tokenizer, (text,))[0]


def encode_all(tokenizer: Tokenizer, texts: Sequence[str], *, uri: str = "spec.model.base") -> list[EncodedText]:
    """Encode texts without adding end marks; a literal `<|endoftext|>` in a text becomes ordinary tokens.

    Raises SpecRefused if the tokenizer, that of the base `uri`, cannot.
    """
    tokenizer.encode_special_tokens = True
    with _refuse_panics(uri):
        encodings = tokenizer.encode_batch(list(texts), add_special_tokens=False)
    tokenizer.encode_special_tokens = False
    return [
        EncodedText(tuple(encoding.ids), len(text.encode())) for encoding, text in zip(encodings, texts, strict=True)
    ]


def write_tokenizer(tokenizer: Tokenizer, folder: Path, context: int, *, tokenizer_class: str) -> None:
    """Write tokenizer.json and tokenizer_config.json as transformers, vLLM, TGI and KServe read them.

    The end mark pads, on the left, so that pipelines answer prompts in batches. A collator that masks padding in the
    loss must therefore keep the end mark behind a post, or a model tuned further never learns to stop.
    """
    _begin_with_mark(tokenizer).save(str(folder / "tokenizer.json"))
    marks = get_marks(tokenizer)
    begin, end = tokenizer.id_to_token(marks.begin), tokenizer.id_to_token(marks.end)
    config = {
        "add_bos_token": True,  # for loaders that build the post-processor themselves, such as llama.cpp's
        "add_prefix_space": False,
        "bos_token": begin,
        "clean_up_tokenization_spaces": False,
        "eos_token": end,
        "model_max_length": context,
        "pad_token": end,
        "padding_side": "left",
        "tokenizer_class": tokenizer_class,
        "unk_token": end,
    }
    text = json.dumps(config, indent=2, sort_keys=True) + "\n"
    (folder / "tokenizer_config.json").write_text(text, encoding="utf-8")


def _begin_with_mark(tokenizer: Tokenizer) -> Tokenizer:
    """Return a copy that puts the begin mark before each text that is encoded with special tokens, as training did.

    It replaces the base's own post-processor: that of a GPT-2 only corrects offsets, and that of a Llama 3 does this.
    """
    copy, begin = Tokenizer.from_str(tokenizer.to_str()), get_marks(tokenizer).begin
    mark = tokenizer.id_to_token(begin)
    copy.post_processor = processors.TemplateProcessing(
        single=f"{mark} $A",
        pair=f"{mark} $A {mark} $B",
        special_tokens=[(mark, begin)],
    )
    return copy
