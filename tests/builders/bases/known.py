"""Configurations of bases as the Hub has them, and tokenizers with their marks."""

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers

FOLDER = Path(__file__).parents[2] / "unit" / "tweetbot_trainer" / "learning" / "model" / "data"


def read_published(family: str) -> dict[str, Any]:
    """Return a family's file: its special tokens, and its models by their names on the Hub."""
    content: dict[str, Any] = json.loads((FOLDER / f"{family}.json").read_text(encoding="utf-8"))
    return content


def list_published() -> list[tuple[str, str, dict[str, Any]]]:
    """Return each model's family, name and entry."""
    families = sorted(path.stem for path in FOLDER.glob("*.json"))
    return [(family, name, entry) for family in families for name, entry in read_published(family)["models"].items()]


def a_tokenizer(special: dict[str, int]) -> Tokenizer:
    """Return a tokenizer of bytes, with special tokens at these ids; the bytes take those that are left."""
    free = (number for number in range(1000) if number not in special.values())
    vocabulary = dict(zip(sorted(pre_tokenizers.ByteLevel.alphabet()), free, strict=False)) | special
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(special))
    return tokenizer
