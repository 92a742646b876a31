"""The snapshot: one digest for one set of posts, and back."""

import hashlib
import json
import os
import random
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import zstandard

from builders.trainer import a_post, many_posts
from tweetbot_contract.spec.spec import Filter
from tweetbot_trainer.data.cleaning import CleanedPost, clean
from tweetbot_trainer.data.dataset import dataset
from tweetbot_trainer.data.dataset.dataset import (
    POSTS_FILE,
    SUMMARY_FILE,
    Dataset,
    build_dataset,
    is_whole,
    read_dataset,
)
from tweetbot_trainer.data.dataset.ids import IDS_FILE, PostId, read_ids
from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.runtime.errors import SpecRefused

ORIGINAL = Filter(recipe="huggingtweets")


def built(posts: list[Post], filter: Filter = ORIGINAL, sources: int = 1) -> Dataset:
    return build_dataset(clean(posts, filter), filter, sources=sources)


def kept(text: str, **fields: Any) -> CleanedPost:
    return CleanedPost(a_post(text, **fields), text, None)


def test_the_digest_is_the_sha256_of_the_canonical_lines() -> None:
    filler = "x " * 3000
    cleaned = [kept("ä 🌊", number=2), kept(filler, number=1, created_at=None, lang="en")]
    header = (
        '{"filter":{"deduplicate":false,"languages":[],"mentions":"Keep","minWords":3,"redactPII":false,'
        '"replies":"Keep"},"recipe":"huggingtweets","recipeVersion":"1","schema":1}\n'
    )
    lines = (
        f'{{"created_at":null,"id":"1000000000000000001","lang":"en","source":0,"text":"{filler}"}}\n'
        '{"created_at":"2021-04-11T04:54:00.000Z","id":"1000000000000000002","lang":null,"source":0,"text":"ä 🌊"}\n'
    )
    assert build_dataset(cleaned, ORIGINAL, sources=1).digest == hashlib.sha256((header + lines).encode()).hexdigest()


def test_the_order_in_which_dated_posts_come_does_not_matter() -> None:
    posts = many_posts(300)
    mixed = random.Random(1).sample(posts, len(posts))
    assert built(mixed, Filter()).digest == built(posts, Filter()).digest


@pytest.mark.parametrize(
    "change", [{"text": "another text of three words"}, {"id": "9"}, {"lang": "ja"}, {"created_at": None}]
)
def test_any_change_of_a_post_is_another_dataset(change: dict[str, Any]) -> None:
    posts = many_posts(300)
    other = Post(**{name: getattr(posts[0], name) for name in Post.__slots__} | change)
    assert built([other, *posts[1:]]).digest != built(posts).digest


def test_another_option_is_another_dataset() -> None:
    posts = many_posts(300)
    assert built(posts, Filter(min_words=2)).digest != built(posts, Filter()).digest


def test_an_option_spelled_out_as_its_default_is_the_same_dataset() -> None:
    posts = many_posts(300)
    assert built(posts, Filter(min_words=3, languages=())).digest == built(posts, Filter()).digest


def test_posts_stand_by_source_then_time_and_undated_ones_as_they_came() -> None:
    posts = [
        a_post("b" * 7000 + " x y", number=2, source=0),
        a_post("second undated one", number=9, source=1, created_at=None),
        a_post("first undated one", number=1, source=1, created_at=None),
        a_post("a" * 7000 + " x y", number=1, source=0),
        a_post("c" * 7000 + " x y", number=3, source=1),
    ]
    assert [post.text[:6] for post in built(posts, sources=2).posts] == [
        "aaaaaa",
        "bbbbbb",
        "second",
        "first ",
        "cccccc",
    ]


def test_tables_add_up_by_source() -> None:
    posts = [*many_posts(200), *many_posts(250, source=1), a_post("x", source=1), a_post("RT", retweet=True)]
    dataset = built(posts, sources=2)
    assert [table.downloaded for table in dataset.source_tables] == [201, 251]
    assert (dataset.table.downloaded, dataset.table.short, dataset.table.retweets) == (452, 1, 1)


def test_the_newest_kept_post_is_named() -> None:
    dataset = built([*many_posts(200), a_post("x", number=900)])
    assert dataset.newest_post_at == "2021-10-25T04:54:00.000Z"


def test_a_dataset_comes_back_as_it_was() -> None:
    awkward = kept("line\u2028separator and\nnew line\u0085 and \x1c", created_at=datetime(2024, 1, 1, tzinfo=UTC))
    dataset = build_dataset([*clean(many_posts(300), Filter()), awkward], Filter(), sources=1)
    files = dataset.build_files()
    assert read_dataset(files[POSTS_FILE], files[SUMMARY_FILE], digest=dataset.digest) == dataset


def test_a_dataset_of_an_earlier_version_is_still_itself() -> None:
    """Written by version 2 of the recipe modern: it keeps its digest, its names and its header."""
    folder = Path(__file__).parents[4] / "golden" / "datasets" / "modern-2"
    packed, summary = ((folder / name).read_bytes() for name in (POSTS_FILE, SUMMARY_FILE))
    digest = "1a5d54b7463aea5c1deb984be422f643f1de972ff3ae991024c0660ae63e1d6c"
    dataset = read_dataset(packed, summary, digest=digest)
    assert is_whole(packed, summary, digest=digest)
    assert [post.text for post in dataset.posts][:2] == ["mail [email] today", "@gull the tide & the fog"]
    assert (dataset.header["recipeVersion"][0], dataset.header["filter"]["mentions"]) == ("2", "Keep")


def test_the_summary_is_written_last_and_tells_no_time_and_no_address() -> None:
    files = built(many_posts(300)).build_files()
    assert list(files) == [POSTS_FILE, IDS_FILE, SUMMARY_FILE]
    assert set(json.loads(files[SUMMARY_FILE])) == {"digest", "header", "table", "sources", "newestPostAt"}


def test_the_summary_tells_the_window_and_the_counts_of_each_source() -> None:
    posts = [*many_posts(300), *(a_post(post.text, number=number, source=1, created_at=None)
                                 for number, post in enumerate(many_posts(400)[300:] * 3))]  # fmt: skip
    summary = built(posts, sources=2).build_summary()
    first, second = summary["sources"]
    assert (first["oldestPostAt"], first["newestPostAt"]) == ("2021-04-09T04:54:00.000Z", "2022-02-02T04:54:00.000Z")
    assert (second["table"]["kept"], second["oldestPostAt"], second["newestPostAt"]) == (300, None, None)


def test_the_ids_tell_which_posts_are_in_it_and_none_of_their_text() -> None:
    dataset = built(many_posts(300))
    lines = dataset.build_files()[IDS_FILE].splitlines()
    text = hashlib.sha256(dataset.posts[7].text.encode()).hexdigest()
    assert list(read_ids(lines))[7] == PostId(dataset.posts[7].id, text, 0)
    assert len(lines) == 300
    assert b"gull" not in dataset.build_files()[IDS_FILE]


#: This digest may never change: every model's key depends on it, so a change would retrain every fleet.
GOLDEN = "9b9dac630e426315aefb4492cf82adbec34812542cac0509c38d72176e77fec2"
BUILD = """
import random, sys
sys.path[:0] = {path!r}
from builders.trainer import a_post, many_posts
from tweetbot_contract.spec.spec import Filter
from tweetbot_trainer.data.cleaning import clean
from tweetbot_trainer.data.dataset.dataset import build_dataset
text = "\\u00df \\u01c5 \\u0130 \\ufb03 \\u6e2f\\u306e\\u6ce2 \\U0001f30a \\u2028 \\x85 e\\u0301"
awkward = [a_post(text, number=n, lang="ja", created_at=None) for n in range(3)]
posts = [*random.sample(many_posts(300), 300), *awkward]
for recipe in ("huggingtweets", "modern"):
    filter = Filter(recipe=recipe)
    print(build_dataset(clean(posts, filter), filter, sources=1).digest)
"""


def digests_in(**environment: str) -> list[str]:
    code = BUILD.format(path=sys.path)
    output = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return output.stdout.split()


def test_the_same_posts_give_the_same_digest_under_any_locale_time_zone_and_hash_seed() -> None:
    here = digests_in(PYTHONHASHSEED="0", TZ="UTC", LC_ALL="C.UTF-8")
    there = digests_in(PYTHONHASHSEED="4711", TZ="Asia/Kathmandu", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert here == there
    assert here[0] == GOLDEN


@pytest.mark.parametrize("place", [0, 40, -1])
def test_a_damaged_file_is_refused(place: int) -> None:
    dataset = built(many_posts(300))
    files = dataset.build_files()
    packed = bytearray(files[POSTS_FILE])
    packed[place] ^= 0xFF
    assert not is_whole(bytes(packed), files[SUMMARY_FILE], digest=dataset.digest)
    with pytest.raises(SpecRefused, match="damaged"):
        read_dataset(bytes(packed), files[SUMMARY_FILE], digest=dataset.digest)


def test_a_file_that_unpacks_to_more_than_any_dataset_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four GiB of zeros are 130 kB packed; here the limit is lower, so that the test need not unpack them."""
    monkeypatch.setattr(dataset, "UNPACKED_LIMIT", 1_000_000)
    packed = zstandard.compress(b"{}\n" + b"0" * 1_000_000)
    with pytest.raises(SpecRefused, match="unpacks to more than 1000000 bytes"):
        read_dataset(packed, b"{}", digest="d" * 64)


def test_another_dataset_than_asked_for_is_refused() -> None:
    files = built(many_posts(300)).build_files()
    with pytest.raises(SpecRefused, match="its hash does not match"):
        read_dataset(files[POSTS_FILE], files[SUMMARY_FILE], digest="0" * 64)


@pytest.mark.parametrize("summary", [b"", b"{}", b"[]", b'{"table": {"downloaded": 1, "kept": 0}}'])
def test_a_damaged_summary_is_refused(summary: bytes) -> None:
    dataset = built(many_posts(300))
    assert not is_whole(dataset.build_files()[POSTS_FILE], summary, digest=dataset.digest)
    with pytest.raises(SpecRefused, match="damaged"):
        read_dataset(dataset.build_files()[POSTS_FILE], summary, digest=dataset.digest)
