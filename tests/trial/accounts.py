"""The standing set's accounts: made up, seeded, each of the shape of an account that somebody's run has met.

The shares are those of public archives: names before replies are 13.6 % and 20.7 % of all characters, 32 % of the kept
posts of a blog's account end with what led to a link, 30 % of a kept-up Grailbird export are cut, and 86 % of a
Mastodon account are unlisted.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from trial import mastodon_accounts, x_accounts
from trial.shapes import SMALL, make_text
from trial.words import ARABIC, GERMAN, JAPANESE, make_foreign_sentence, make_sentence

SEED = 20261130
ENDINGS = {"archive": ".zip", "mastodon": ".tar.gz", "posts": ".jsonl"}


@dataclass(frozen=True, slots=True)
class Account:
    """One account: `write` returns a file's content and the ids of the posts of which it has only the beginning."""

    about: str
    kind: str
    write: Callable[[Random], tuple[bytes, frozenset[str]]]
    filter: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)

    def build_source(self, folder: Path, name: str) -> tuple[dict[str, Any], frozenset[str]]:
        """Write the account's file into a folder; return the spec's source, and the ids of cut posts."""
        content, cut = self.write(Random(f"{SEED} {name}"))
        path = folder / (name + ENDINGS[self.kind])
        path.write_bytes(content)
        return {self.kind: {"uri": f"file://{path}", **self.source}}, cut


def write_languages(random: Random) -> tuple[bytes, frozenset[str]]:
    """Write posts in five scripts, labelled as their network labels them."""
    foreign = {"ja": (JAPANESE, ""), "de": (GERMAN, " "), "ar": (ARABIC, " ")}
    records = []
    for number in range(240):
        lang = random.choice(["en", "en", "en-GB", *foreign])
        text = make_foreign_sentence(random, *foreign[lang]) if lang in foreign else make_sentence(random)
        records.append({"id": str(number), "text": text, "lang": lang, "created_at": _make_time(number)})
    return _write_lines(records)


def write_bot(random: Random) -> tuple[bytes, frozenset[str]]:
    """Write what a bot posts: one sentence with other numbers, each day, and a few of the author's own."""
    records = []
    for number in range(300):
        hour = f"{random.randint(0, 9)}:{random.randint(10, 59)}"
        report = f"Low tide in the old harbour of the quiet village is at {hour} today, and the wind is cold again"
        text = report if number % 3 else make_sentence(random)
        records.append({"id": str(number), "text": text, "lang": "en", "created_at": _make_time(number)})
    return _write_lines(records)


def write_small_talk(random: Random) -> tuple[bytes, frozenset[str]]:
    """Write emoji, single words and names between sentences, and some personal data."""
    personal = ("write to gull@harbour.example, X", "call +1 202-555-0143, X")
    shapes = [*(("X",) * 5), SMALL, SMALL, SMALL, personal, ("X 😂", "X 🌊", "草 X")]
    records = [
        {
            "id": str(number),
            "text": make_text(random, *random.choice(shapes)),
            "created_at": _make_time(number),
            "lang": "en",
        }
        for number in range(300)
    ]
    return _write_lines(records)


def _write_lines(records: list[dict[str, Any]]) -> tuple[bytes, frozenset[str]]:
    lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
    return "".join(lines).encode(), frozenset()


def _make_time(number: int) -> str:
    return f"20{10 + number // 336}-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}T12:00:00Z"


JSONL = {"format": "jsonl"}
ACCOUNTS = {
    "replies": Account("answers people", "archive", x_accounts.write_replies),
    "replies-2013": Account("answers people, Grailbird", "archive", x_accounts.write_old_replies),
    "titles": Account("a blog's links", "archive", x_accounts.write_titles),
    "cut": Account("Grailbird kept up by a tool", "archive", x_accounts.write_cut),
    "retweets": Account("retweets by hand", "archive", x_accounts.write_retweets),
    "threads": Account("threads, `replies: Drop`", "archive", x_accounts.write_threads, {"replies": "Drop"}),
    "mastodon": Account("Mastodon, mostly unlisted", "mastodon", mastodon_accounts.write_unlisted),
    "warnings": Account("Mastodon, content warnings", "mastodon", mastodon_accounts.write_warnings),
    "languages": Account("five languages, `[en, ja]`", "posts", write_languages, {"languages": ["en", "ja"]}, JSONL),
    "bot": Account("a bot's daily report", "posts", write_bot, {}, JSONL),
    "small-talk": Account("emoji and single words", "posts", write_small_talk, {}, JSONL),
}
