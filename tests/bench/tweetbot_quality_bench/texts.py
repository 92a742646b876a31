"""What is read: Debian's fortunes, whole files of them held out as accounts, and the demo's grammar as one more.

Cleaned as posts are, all files together: no near-duplicate of an account's text is left in what the base reads.
"""

import json
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from random import Random

from trial.fortunes import fetched, records
from tweetbot_contract.spec.spec import Filter
from tweetbot_demo.grammar import decorated
from tweetbot_trainer.data.cleaning import clean
from tweetbot_trainer.data.posts import DatasetPost, parse_json

#: Files of many short texts in a voice of their own: hackers' chat, quips, quotations, one comic figure's lines.
FILES = ("knghtbrd", "men-women", "people", "zippy")
#: Texts of another form than posts, or in other tongues.
UNFIT = ("ascii-art", "translate-me")
GULL = "harbour_gull"
ACCOUNTS = (*FILES, GULL)
#: Not an account but what the base reads, as posts: only a training from nothing may have it.
MANY = "fortunes"
#: Characters of an account's longest text, how many texts an account has at the most, and how many MANY has.
LONGEST, POSTS, MANY_POSTS = 400, 550, 5000


@dataclass(frozen=True, slots=True)
class Texts:
    """What the base is trained on, and each account's posts in the order in which they count as written."""

    pretraining: tuple[str, ...]
    accounts: dict[str, tuple[DatasetPost, ...]]


def read_texts() -> Texts:
    """Fetch the packages into a temporary folder and return their texts; nothing is installed or kept."""
    with tempfile.TemporaryDirectory() as name:
        lines = [json.dumps(record) for record in records(fetched(Path(name)))]
    by_file = defaultdict[str, list[str]](list)
    for one in clean((parse_json(line, number) for number, line in enumerate(lines, start=1)), Filter()):
        if one.kept:
            by_file[one.post.id.rpartition("-")[0]].append(one.text)
    rest = [text for name, texts in by_file.items() if name not in (*FILES, *UNFIT) for text in texts]
    accounts = {name: _account(by_file[name], POSTS) for name in FILES}
    return Texts(tuple(rest), {**accounts, GULL: _account(_gull(), POSTS), MANY: _account(rest, MANY_POSTS)})


def _account(texts: list[str], most: int) -> tuple[DatasetPost, ...]:
    """Return the posts of an account: the files stand in the order of the alphabet, so theirs is drawn."""
    order = [text for text in texts if len(text) <= LONGEST]
    Random(1).shuffle(order)
    return tuple(DatasetPost(str(place), text, None, None, 0) for place, text in enumerate(order[:most]))


def _gull() -> list[str]:
    random = Random(1)
    return [decorated(random) for _ in range(POSTS)]
