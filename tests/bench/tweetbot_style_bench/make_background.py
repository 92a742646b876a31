"""Make the background of the style score again, from the source archive of a package and Debian's fortunes.

    pip download --no-deps --no-binary :all: vaderSentiment==3.3.2
    PYTHONPATH=tests/bench:tests python -m tweetbot_style_bench.make_background vaderSentiment-3.3.2.tar.gz

The texts are those that VADER's authors published with it under the MIT licence (English posts of many people, reviews
of goods and films, snippets of newspaper editorials), and sayings from the fortunes, under the BSD licence. No file of
them that a bench takes for an account is read. Every fifth text is held out for the floor of the scale.
"""

import csv
import html
import io
import json
import lzma
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from trial.fortunes import download_texts
from tweetbot_style_bench.sayings import read_sayings
from tweetbot_trainer.learning.style import background
from tweetbot_trainer.learning.style.ngrams import count_ngrams
from tweetbot_trainer.learning.style.views import View, make_function_word_view, mask_topics
from tweetbot_trainer.store.hashing import compute_sha256

ARCHIVE_SHA256 = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
KINDS = {
    "posts": "tweets_GroundTruth.txt",
    "goods": "amazonReviewSnippets_GroundTruth.txt",
    "films": "movieReviewSnippets_GroundTruth.txt",
    "editorials": "nytEditorialSnippets_GroundTruth.txt",
}
SAYINGS = (
    *("art", "computers", "cookie", "education", "food", "humorists", "kids", "linuxcookie", "magic", "medicine"),
    *("miscellaneous", "news", "platitudes", "politics", "science", "sports", "wisdom", "work"),
)
#: Characters of texts to take of each kind, so that none outweighs the posts, and to hold out.
TAKEN: dict[str, int] = {
    "posts": 300_000,
    "goods": 120_000,
    "films": 120_000,
    "editorials": 120_000,
    "sayings": 200_000,
}
HELD_OUT = 20_000
SHORTEST = 10
#: The closed classes of English, and how people spell them in posts.
FUNCTION_WORDS = """
a an the this that these those some any no every each either neither both all half such what which whose
i me my mine myself you your yours yourself he him his himself she her hers herself it its itself we us our ours
ourselves they them their theirs themselves one ones who whom somebody someone something anybody anyone anything nobody
everybody everyone everything nothing none another other others u ur ya yall
am is are was were be been being have has had having do does did doing done will would shall should can could may might
must ought im ive id ill youre youve theyre thats dont doesnt didnt cant wont isnt wasnt arent werent couldnt shouldnt
wouldnt havent hasnt hadnt aint gonna gotta wanna
i'm i've i'd i'll you're you've you'd you'll he's he'd he'll she's she'd she'll it's it'd it'll we're we've we'd we'll
they're they've they'd they'll that's there's here's what's who's where's how's let's don't doesn't didn't can't won't
isn't wasn't aren't weren't couldn't shouldn't wouldn't haven't hasn't hadn't ain't y'all
and or but nor so yet for because cause cuz if unless until till while when whenever where wherever whether though
although since as than like once
of in on at by to from with without within into onto out off up down over under above below between among through
during before after about against across along around behind beside besides beyond despite except inside near past per
toward towards upon via
not never always often sometimes ever also too very really quite rather just only even still already again almost
enough maybe perhaps then now here there why how much many more most less least few several own same else instead
however therefore thus yes no oh well ok okay please
"""


def main() -> None:
    """Write the file and print the hash of its content, which background.py pins."""
    package = Path(sys.argv[1])
    if compute_sha256(package) != ARCHIVE_SHA256:
        sys.exit(f"{package} is another archive than the one that the background was made from")
    texts = {kind: _read_package(package, name) for kind, name in KINDS.items()} | {"sayings": _read_sayings()}
    content = make_content({kind: _select(own, TAKEN[kind]) for kind, own in texts.items()})
    target = Path(background.__file__).with_name(background.FILE)
    target.write_bytes(lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))
    print(compute_sha256(content), f"{target.stat().st_size} bytes")


def make_content(texts: Mapping[str, Sequence[str]]) -> bytes:
    """Return the counts of texts by kind as JSON; the same texts give the same bytes."""
    words = list(dict.fromkeys(FUNCTION_WORDS.split()))
    fields = {
        "functionWords": words,
        "characters": _count(texts, mask_topics, background.CHARACTERS),
        "words": _count(texts, make_function_word_view(words), background.WORDS),
    }
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _count(texts: Mapping[str, Sequence[str]], view: View, order: int) -> dict[str, Any]:
    held_out = {kind: _take(own[::5], HELD_OUT) for kind, own in texts.items()}
    seen = [text for own in texts.values() for index, text in enumerate(own) if index % 5]
    return {
        "model": count_ngrams(map(view, seen), order),
        "heldOut": {kind: count_ngrams(map(view, own), order) for kind, own in held_out.items()},
    }


def _take(texts: Sequence[str], characters: int) -> list[str]:
    """Return the first texts, up to the one that brings their characters to this number."""
    taken: list[str] = []
    for text in texts:
        if characters <= 0:
            break
        taken.append(text)
        characters -= len(text)
    return taken


def _read_package(package: Path, name: str) -> list[str]:
    with tarfile.open(package) as outer:
        inner = next(member for member in outer if member.name.endswith("hutto_ICWSM_2014.tar.gz"))
        with tarfile.open(fileobj=outer.extractfile(inner)) as archive:
            found = next(member for member in archive if Path(member.name).name == name)
            body = archive.extractfile(found)
            lines = body.read().decode("utf-8", "replace") if body else ""
    rows = csv.reader(io.StringIO(lines), delimiter="\t", quoting=csv.QUOTE_NONE)
    return [html.unescape(row[2]) for row in rows if len(row) > 2]


def _read_sayings() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        return [text for _, text in read_sayings(download_texts(Path(folder)), SAYINGS)]


def _select(texts: Sequence[str], characters: int) -> list[str]:
    order = [text for text in texts if len(text) >= SHORTEST]
    Random(0).shuffle(order)
    return _take(order, characters)


if __name__ == "__main__":
    main()
