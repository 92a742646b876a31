"""Files that are a server's answer instead of what was asked for: an error in JSON or XML, or a web page."""

import json
import re
from typing import NamedTuple

JSON = "an answer in JSON"
#: Bytes of a file that tell what it is, and characters of what it says.
HEAD, _SAID_LENGTH = 64 * 1024, 200
#: An error of S3 and of many other servers.
_XML_MESSAGE = re.compile(r"<(?:Message|message)>([^<]*)</")
_TITLE = re.compile(r"<title[^>]*>([^<]*)</", re.IGNORECASE)
_SAYING = ("error", "message", "error_description", "detail", "title")


class Answer(NamedTuple):
    """What a file is instead of what was asked for, and what it says."""

    kind: str
    said: str

    def __str__(self) -> str:
        return f"{self.kind} ({self.said})" if self.said else self.kind


def find_answer(head: bytes) -> Answer | None:
    """Return the answer of a server that a file with this head is, None for other files."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith((b"{", b"[")):
        return _build_answer(JSON, _find_json_words(text))
    plain = text.decode(errors="replace")
    if plain[:15].lower().startswith(("<!doctype html", "<html")):
        return _build_answer("a web page", _find_match(_TITLE, plain))
    return _build_answer("an answer in XML", _find_match(_XML_MESSAGE, plain)) if plain.startswith("<") else None


def _build_answer(kind: str, said: str) -> Answer:
    return Answer(kind, " ".join(said.split())[:_SAID_LENGTH].rstrip(" ."))


def _find_json_words(text: bytes) -> str:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    found = [answer.get(key) for key in _SAYING] if isinstance(answer, dict) else []
    return ": ".join(dict.fromkeys(word for word in found if isinstance(word, str) and word))


def _find_match(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""
