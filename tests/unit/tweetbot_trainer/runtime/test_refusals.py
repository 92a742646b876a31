"""The tables of what servers mean by refusing, as docs/lifecycle.md shows them; each is tested beside its client."""

from pathlib import Path

import pytest

from tweetbot_contract import reasons
from tweetbot_trainer.data.sources.bluesky.client import TABLE as BLUESKY
from tweetbot_trainer.data.sources.x_api.errors import TABLE as X
from tweetbot_trainer.learning.model.hub_errors import TABLE as HUB
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.refusals import Meaning, extract_words, find_meaning, shorten_words

ROOT = Path(__file__).parents[4]


def described(server: str, meaning: Meaning) -> str:
    """Return a line of the table in docs/lifecycle.md."""
    names = ", ".join(f"`{name}`" for name in meaning.names if name) or "none"
    advice = meaning.advice or meaning.reason.advice
    return f"| {server} | {names} | {'; '.join(meaning.words)} | `{meaning.reason}` | {advice} |"


def test_the_docs_show_the_tables() -> None:
    tables = {"X": X, "Bluesky": BLUESKY, "the hub": HUB}
    lines = (ROOT / "docs" / "lifecycle.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith(tuple(f"| {server} |" for server in tables))] == [
        described(server, meaning) for server, table in tables.items() for meaning in table
    ]


def test_the_first_line_that_fits_counts() -> None:
    suspended = Meaning(("gone",), SpecRefused, reasons.ACCOUNT_SUSPENDED, words=("suspended",))
    missing = Meaning(("gone", "lost*"), SpecRefused, reasons.ACCOUNT_NOT_FOUND)
    asked = Meaning(("late",), SpecRefused, reasons.SPEC_REFUSED, actions=("write",))
    table = (suspended, missing, asked)
    assert find_meaning(table, "gone", "It was Suspended.") is suspended
    assert find_meaning(table, "gone", "nobody") is missing
    assert find_meaning(table, "lost-again", "") is missing
    assert find_meaning(table, "late", "", "write") is asked
    assert find_meaning(table, "late", "", "read") is None
    assert find_meaning(table, "", "suspended") is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", ""),
        (b"<html><head><title>Sign in</title><style>p {}</style></head><p>to\n the  net", "Sign in to the net"),
        (b"<SCRIPT>if (1 < 2) {}</SCRIPT >plain", "plain"),
        (b"<script>without an end", "without an end"),
        ("Zugriff verweigert: Gerät".encode(), "Zugriff verweigert: Gerät"),
        (b"\xff\xfe", "��"),
    ],
)
def test_a_page_is_told_as_people_see_it(answer: bytes, words: str) -> None:
    assert extract_words(answer) == words


def test_a_page_without_end_is_told_by_its_beginning() -> None:
    assert extract_words(b"<script" * 10**6) == ("<script" * 10**6)[:4096]
    assert len(shorten_words("word " * 1000)) <= 200
