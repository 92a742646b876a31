"""A file for OpenAI's fine-tuning, one JSON object a line: what its assistant says, and nothing that others say.

    {"messages": [{"role": "system", …}, {"role": "user", …}, {"role": "assistant", "content": "…", "weight": 1}]}
    {"prompt": "…", "completion": " …\\n###"}

Such a file was made for a model that talks like its assistant: these texts, as examples, have one author.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

from tweetbot_trainer.data.posts import BadPost, Json, Post, make_post_id, replace_surrogates

#: What OpenAI's guide and its tool put after each completion of the older form, as a sign to stop.
END_SIGNS = ("[END]", "END", "###", "***", "+++", "&&&", "$$$", "@@@", "%%%", "<|endoftext|>")
#: Texts by which the sign of a file is found.
_SAMPLE = 500
#: Keys of OpenAI's other files, and what these hold.
_OTHER_FILES = {
    "preferred_output": "pairs of answers to compare (preference tuning), which no author need have written",
    "non_preferred_output": "pairs of answers to compare (preference tuning), which no author need have written",
    "custom_id": "a batch of requests or answers, which a model wrote",
}
_WHAT_TO_DO = "give the file for supervised fine-tuning, whose lines have messages, or prompt and completion"


class OtherFile(BadPost):
    """A line which shows that the file is of another kind."""


class Said(NamedTuple):
    """What the assistant says, "" if it is not to be learned; a completion of the older form is `bare`."""

    text: str
    bare: bool = False


def read_openai(lines: Iterable[str], source: int) -> Iterator[tuple[int, Post | BadPost | None]]:
    """Yield a line's number with each post of the assistant, None for one without text, or why the line holds none.

    Raises OtherFile.
    """
    records = _iter_records(lines)
    first = list(islice(records, _SAMPLE))
    sign = find_end_sign([said.text for _, said in first if isinstance(said, Said) and said.bare])
    for ordinal, (number, said) in enumerate(chain(first, records)):
        if isinstance(said, BadPost):
            yield number, said
            continue
        text = strip_end_sign(said.text, sign) if sign and said.bare else said.text
        yield number, Post(make_post_id(text, ordinal), text, source=source) if text else None


def parse_line(line: str) -> list[Said]:
    """Return what the assistant says in a line. Raises BadPost, or OtherFile."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadPost("not JSON; a line is one whole object") from error
    if not isinstance(record, dict):
        raise BadPost("not an object")
    for key, what in _OTHER_FILES.items():
        if key in record:
            raise OtherFile(f"it holds {what}; {_WHAT_TO_DO}")
    if "messages" in record:
        return [Said(_read_message(message)) for message in _iter_answers(record["messages"])] or [Said("")]
    if not isinstance(completion := record.get("completion"), str):
        other = "; a line with text is of the format jsonl" if "text" in record else ""
        raise BadPost(f"neither messages nor a completion{other}")
    return [Said(replace_surrogates(completion).strip(), bare=True)]


def explain_fault(line: str, fault: BadPost) -> BadPost:
    """Return what is wrong with a line of the format jsonl: it may be one of this format."""
    try:
        return BadPost("it is for OpenAI's fine-tuning; set format: openai") if parse_line(line) else fault
    except BadPost:
        return fault


def find_end_sign(completions: Sequence[str]) -> str | None:
    """Return the sign that all completions end with, which one alone may do by chance."""
    written = [text for text in completions if text]
    found = (sign for sign in END_SIGNS if all(_ends_with(text, sign) for text in written))
    return next(found, None) if len(written) > 1 else None


def strip_end_sign(completion: str, sign: str) -> str:
    """Return the completion without the sign at its end, however often its character is repeated."""
    if not _ends_with(completion, sign):
        return completion
    shorter = completion.removesuffix(sign)
    return (shorter.rstrip(sign[0]) if len(set(sign)) == 1 else shorter).rstrip()


def _iter_records(lines: Iterable[str]) -> Iterator[tuple[int, Said | BadPost]]:
    number, silent = 0, True
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            for said in parse_line(line):
                silent = silent and not said.text
                yield number, said
        except OtherFile as error:
            raise OtherFile(f"line {number}: {error}") from error
        except BadPost as error:
            silent = False
            yield number, error
    if number and silent:
        raise OtherFile(f"no line holds a text of the assistant; {_WHAT_TO_DO}")


def _ends_with(text: str, sign: str) -> bool:
    before = text.removesuffix(sign)
    return before != text and (not sign.isalpha() or not before or before[-1].isspace())


def _iter_answers(messages: object) -> Iterator[Json]:
    """Yield the assistant's messages. Raises BadPost."""
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise BadPost("messages is not a list of objects")
    for message in messages:
        if not isinstance(role := message.get("role"), str):
            raise BadPost("a message has no role")
        if role == "assistant":
            yield message


def _read_message(message: Json) -> str:
    """Return an assistant's text; "" if it has weight 0, calls a tool, or refuses. Raises BadPost."""
    content = message.get("content")
    if message.get("weight") == 0 or content is None:
        return ""
    if isinstance(content, list):
        content = "\n".join(_iter_texts(content))
    if not isinstance(content, str):
        raise BadPost("an assistant's content is neither text nor a list of parts")
    return replace_surrogates(content).strip()


def _iter_texts(parts: list[Any]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
            yield part["text"]
