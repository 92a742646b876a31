"""Text to tokens and back, the same way for every base: byte level, lossless, the end mark never read out of a text."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from tweetbot_contract import reasons
from tweetbot_trainer.runtime.errors import SpecRefused

#: Stands before every post and closes it; GPT-2's own mark between documents.
END_MARK = "<|endoftext|>"
#: A tokenizer must give back what it was given; bits per byte mean nothing otherwise.
_PROBE = "My dream is… Grüße, 港の朝 🌊\t#tag @name"


@dataclass(frozen=True, slots=True)
class EncodedText:
    """The tokens of one text, without marks, and its length in UTF-8 bytes."""

    tokens: tuple[int, ...]
    utf8_bytes: int


def train_tokenizer(texts: Iterable[str], entries: int) -> Tokenizer:
    """Return a byte-level BPE of at most so many entries learned from these texts alone."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=entries,
        special_tokens=[END_MARK],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def read_tokenizer(path: Path, uri: str, vocabulary: int) -> Tokenizer:
    """Read a base's tokenizer.json and check that it fits a model with so many embeddings.

    Raises SpecRefused (BaseModelRefused), its message naming the base's address.
    """
    try:
        tokenizer = Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except Exception as error:
        raise _make_refusal(uri, "its tokenizer.json cannot be read") from error
    if tokenizer.token_to_id(END_MARK) is None:
        raise _make_refusal(uri, f"its tokenizer knows no {END_MARK}")
    if (entries := tokenizer.get_vocab_size(with_added_tokens=True)) > vocabulary:
        raise _make_refusal(uri, f"its tokenizer has {entries} entries, its weights only {vocabulary}")
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if tokenizer.decode(list(encode(tokenizer, _PROBE).tokens), skip_special_tokens=False) != _PROBE:
        raise _make_refusal(uri, "its tokenizer is not byte-level: it loses characters")
    return tokenizer


def get_end_mark_id(tokenizer: Tokenizer) -> int:
    """Return the end mark's id; every tokenizer that came through here has one."""
    mark: int | None = tokenizer.token_to_id(END_MARK)
    if mark is None:
        raise ValueError(f"the tokenizer has no {END_MARK}")
    return mark


def encode(tokenizer: Tokenizer, text: str) -> EncodedText:
    """Return one text's tokens; see encode_all."""
    return encode_all(tokenizer, (text,))[0]


def encode_all(tokenizer: Tokenizer, texts: Sequence[str]) -> list[EncodedText]:
    """Return each text's tokens, no marks added. A literal `<|endoftext|>` in a text becomes ordinary characters."""
    tokenizer.encode_special_tokens = True
    encodings = tokenizer.encode_batch(list(texts), add_special_tokens=False)
    tokenizer.encode_special_tokens = False
    return [
        EncodedText(tuple(encoding.ids), len(text.encode())) for encoding, text in zip(encodings, texts, strict=True)
    ]


def write_tokenizer(tokenizer: Tokenizer, folder: Path, context: int) -> None:
    """Write tokenizer.json and tokenizer_config.json as transformers, vLLM and KServe read them.

    No pad token on purpose: with pad = end mark, collators that hide padding also hide every end mark from the loss,
    and a model tuned further never learns to stop. Generation pads by generation_config.json.
    """
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "add_prefix_space": False,
        "bos_token": END_MARK,
        "clean_up_tokenization_spaces": False,
        "eos_token": END_MARK,
        "model_max_length": context,
        "tokenizer_class": "GPT2Tokenizer",
        "unk_token": END_MARK,
    }
    text = json.dumps(config, indent=2, sort_keys=True) + "\n"
    (folder / "tokenizer_config.json").write_text(text, encoding="utf-8")


def _make_refusal(uri: str, why: str) -> SpecRefused:
    return SpecRefused(reasons.BASE_MODEL_REFUSED, f"The base model at {uri} cannot be used: {why}.")
