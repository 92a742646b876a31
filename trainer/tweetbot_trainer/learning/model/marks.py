"""The marks between which a post lies, and what a base says of the tokens that end its texts.

A base ends texts with the mark of its pre-training alone. One that also ends them with a mark of a turn was tuned for
chat. A chat template tells nothing: the bases of Qwen have one, too (docs/decisions/0092).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tokenizers import Tokenizer

from tweetbot_contract.spec.known_bases import FAMILIES, suggest_base
from tweetbot_trainer.learning.model.identity import make_refusal

#: The tokens that texts begin and end with, of each kind of family.
_PAIRS = tuple(dict.fromkeys((family.begin_mark, family.end_mark) for family in FAMILIES))
#: Tokens that end a turn of a chat.
_TURNS = ("<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<end_of_turn>")


@dataclass(frozen=True, slots=True)
class Marks:
    """The ids of the tokens that a post begins and ends with; in most families they are one."""

    begin: int
    end: int


def get_marks(tokenizer: Tokenizer) -> Marks:
    """Return the marks of a base's tokenizer. Raises ValueError if it has none, or those of two families."""
    known = {
        mark: Marks(begin, end)
        for first, mark in _PAIRS
        if (begin := tokenizer.token_to_id(first)) is not None and (end := tokenizer.token_to_id(mark)) is not None
    }
    if len(known) == 1:
        return next(iter(known.values()))
    names = " and ".join(known) if known else f"none of {', '.join(end for _, end in _PAIRS)}"
    raise ValueError(f"its tokenizer knows {names}, and one must end a text")


def require_marks(tokenizer: Tokenizer, stated: Mapping[str, Mapping[str, Any]], uri: str) -> None:
    """Require the tokenizer to have marks, and what the files say (`stated`, by their names) to end texts to be them.

    Raises SpecRefused (BaseModelRefused).
    """
    try:
        marks = get_marks(tokenizer)
    except ValueError as error:
        raise make_refusal(uri, str(error)) from error
    mark = tokenizer.id_to_token(marks.end)
    for name, content in stated.items():
        for end in _list_ends(content, tokenizer):
            if end in _TURNS:
                source = suggest_base(uri)
                advice = f"give {source}, from which it was made" if source else "give the base that it was made from"
                raise make_refusal(uri, f"it was tuned for chat, as its {name} ends texts with {end}: {advice}")
            if end != mark:
                raise make_refusal(uri, f"its {name} ends texts with {end}, and its tokenizer knows {mark}")


def _list_ends(content: Mapping[str, Any], tokenizer: Tokenizer) -> list[str]:
    """Return the tokens that end a text; ids beyond the tokenizer end none (GPT-2's own, in a small vocabulary)."""
    ids, token = content.get("eos_token_id"), content.get("eos_token")
    named = token.get("content") if isinstance(token, dict) else token
    given = [each for each in (ids if isinstance(ids, list) else [ids]) if isinstance(each, int) and each >= 0]
    found = [tokenizer.id_to_token(each) for each in given]
    return [each for each in (*found, named) if isinstance(each, str)]
