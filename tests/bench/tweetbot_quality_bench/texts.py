"""The texts: Debian's fortunes, some files of them held out as accounts, and the demo's grammar as another account.

All files are cleaned together, as posts are: no near-duplicate of an account's text is left in what the base reads.
"""

import json
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from random import Random

from trial.fortunes import download_texts, read_records
from tweetbot_contract.spec.spec import Filter
from tweetbot_demo.grammar import make_post
from tweetbot_trainer.data.cleaning import clean
from tweetbot_trainer.data.posts import DatasetPost, parse_json

#: Files of many short texts in one voice: hackers' chat, quips, quotations, one comic figure's lines.
FILES = ("knghtbrd", "men-women", "people", "zippy")
#: Texts unlike posts, or in other languages.
UNFIT = ("ascii-art", "translate-me")
GULL = "harbour_gull"
ACCOUNTS = (*FILES, GULL)
#: Not an account but the base's own texts, as posts: only for a scratch base.
MANY = "fortunes"
#: Characters of an account's longest text, how many texts an account has at the most, and how many MANY has.
LONGEST, POSTS, MANY_POSTS = 400, 550, 5000


@dataclass(frozen=True, slots=True)
class Texts:
    """What the base is trained on, and each account's posts in order of time."""

    pretraining: tuple[str, ...]
    accounts: dict[str, tuple[DatasetPost, ...]]


def read_texts() -> Texts:
    """Download the packages into a temporary folder and read their texts; nothing is installed or kept."""
    with tempfile.TemporaryDirectory() as name:
        lines = [json.dumps(record) for record in read_records(download_texts(Path(name)))]
    by_file = defaultdict[str, list[str]](list)
    for one in clean((parse_json(line, number) for number, line in enumerate(lines, start=1)), Filter()):
        if one.kept:
            by_file[one.post.id.rpartition("-")[0]].append(one.text)
    rest = [text for name, texts in by_file.items() if name not in (*FILES, *UNFIT) for text in texts]
    accounts = {name: _select_posts(by_file[name], POSTS) for name in FILES}
    return Texts(
        tuple(rest), {**accounts, GULL: _select_posts(_make_gull_posts(), POSTS), MANY: _select_posts(rest, MANY_POSTS)}
    )


def _select_posts(texts: list[str], most: int) -> tuple[DatasetPost, ...]:
    """Select an account's posts in random order: the files are sorted by alphabet."""
    order = [text for text in texts if len(text) <= LONGEST]
    Random(1).shuffle(order)
    return tuple(DatasetPost(str(index), text, None, None, 0) for index, text in enumerate(order[:most]))


def _make_gull_posts() -> list[str]:
    random = Random(1)
    return [make_post(random) for _ in range(POSTS)]
