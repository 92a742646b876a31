"""What a source holds was read or was left out by name, and what it claims is that, or the difference is told."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archives import meta, reddit
from archives.grailbird import make_tweet
from archives.writing import render_grailbird_script
from builders.mastodon import a_boost, a_note, an_outbox
from builders.trainer import ObjectsInMemory, Pages, a_tweet, manifest_js, tweets_js, zipped
from tweetbot_contract.spec.sources import Source
from tweetbot_fakes.remotes.bluesky import key_of, record
from tweetbot_fakes.remotes.bluesky_repository import exported
from tweetbot_trainer.data.dataset.source_counts import SourceCounts, check_missing
from tweetbot_trainer.data.sources import open_source
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.retry_budget import RetryBudget

POSTS = "the gull sees ship number"


@dataclass(frozen=True)
class Mix:
    """How many records of each kind a source holds; `lost` are claimed and not there."""

    good: int
    again: int = 0
    damaged: int = 0
    private: int = 0
    other: int = 0
    lost: int = 0


@dataclass(frozen=True)
class Held:
    """A source's file, how many records it holds, and how many it claims, None if it says nothing."""

    content: bytes
    records: int
    claimed: int | None = None


def hold_archive(mix: Mix) -> Held:
    rows = [a_tweet(f"{POSTS} {number}", number=number) for number in range(mix.good)]
    rows += rows[: mix.again]
    rows += [{"tweet": {"id_str": str(9000 + number)}} for number in range(mix.damaged)]
    members = {"data/tweets.js": tweets_js(*rows)}
    manifest = manifest_js("data/tweets.js", counts=[len(rows) + mix.lost])
    return Held(zipped({"data/manifest.js": manifest, **members}), len(rows), len(rows) + mix.lost)


def hold_grailbird(mix: Mix) -> Held:
    at = "2013-02-28 10:02:36 +0000"
    rows: list[dict[str, Any]] = [make_tweet(10**10 + number, at, f"{POSTS} {number}") for number in range(mix.good)]
    rows += rows[: mix.again]
    rows += [{"id_str": str(9000 + number)} for number in range(mix.damaged)]
    name = "data/js/tweets/2013_02.js"
    index = [{"file_name": name, "year": 2013, "month": 2, "tweet_count": len(rows) + mix.lost}]
    members = {
        "data/js/tweet_index.js": render_grailbird_script("var tweet_index", index),
        name: render_grailbird_script("Grailbird.data.tweets_2013_02", rows),
    }
    return Held(zipped(members), len(rows), len(rows) + mix.lost)


def hold_jsonl(mix: Mix) -> Held:
    lines = [json.dumps({"id": str(number), "text": f"{POSTS} {number}"}) for number in range(mix.good)]
    lines += ['{"txt": 1}', "{", "null"][: mix.damaged]
    return Held("\n".join(lines).encode(), len(lines))


def hold_csv(mix: Mix) -> Held:
    file = io.StringIO()
    table = csv.writer(file)
    table.writerows([("id", "text"), *((str(number), f"{POSTS} {number}") for number in range(mix.good))])
    table.writerows([("9", "more", "cells", "than")] * mix.damaged)
    return Held(file.getvalue().encode(), mix.good + mix.damaged)


def hold_openai(mix: Mix) -> Held:
    lines = [json.dumps({"messages": [{"role": "assistant", "content": f"{POSTS} {n}"}]}) for n in range(mix.good)]
    lines += [json.dumps({"messages": [{"role": "user", "content": "who?"}]})] * mix.other
    lines += ["{"] * mix.damaged
    return Held("\n".join(lines).encode(), len(lines))


def hold_outbox(mix: Mix) -> Held:
    items: list[Any] = [a_note(f"<p>{POSTS} {number}</p>", number=number + 1) for number in range(mix.good - 1)]
    items += [a_boost(900)]
    unlisted: dict[str, Any] = {"to": ["https://mastodon.example/users/gull/followers"], "cc": ["as:Public"]}
    items += [a_note(number=1000 + number, **unlisted) for number in range(mix.private)]
    items += [{"type": "Like", "to": ["as:Public"], "object": "https://elsewhere.example/1"}] * mix.other
    items += [a_note(number=2000 + number, id=None) for number in range(mix.damaged)]
    return Held(an_outbox(*items, totalItems=len(items) + mix.lost), len(items), len(items) + mix.lost)


def hold_repository(mix: Mix) -> Held:
    posts = {f"app.bsky.feed.post/{key_of(number)}": record(number) for number in range(mix.good)}
    like = {"$type": "app.bsky.feed.like", "createdAt": "2024-01-01"}
    likes = {f"app.bsky.feed.like/{key_of(number)}": like | {"at": number} for number in range(mix.other)}
    bare = {"$type": "app.bsky.feed.post"}
    damaged = {f"app.bsky.feed.post/{key_of(9000 + n)}": bare | {"at": n} for n in range(mix.damaged)}
    return Held(exported(posts | likes | damaged), len(posts | damaged), len(posts | damaged))


def hold_threads(mix: Mix) -> Held:
    rows: list[Any] = [meta.make_thread(f"{POSTS} {number}", number=number) for number in range(mix.good)]
    rows += rows[: mix.again]
    rows += [meta.make_thread("", number=900 + number) for number in range(mix.other)]
    rows += [7] * mix.damaged
    name = "your_instagram_activity/threads/threads_and_replies.json"
    return Held(zipped({name: meta.render_threads(*rows)}), len(rows))


def hold_instagram(mix: Mix) -> Held:
    rows: list[Any] = [meta.make_album(f"{POSTS} {number}", number=number) for number in range(mix.good)]
    rows += rows[: mix.again]
    rows += [7] * mix.damaged
    name = "your_instagram_activity/media/posts_1.json"
    return Held(zipped({name: meta.render(rows)}), len(rows))


def hold_reddit(mix: Mix) -> Held:
    posts = [reddit.make_post(number, f"{POSTS} {number}") for number in range(mix.good - 1)]
    posts += posts[: mix.again]
    comments = [reddit.make_comment(1, "It does come back")]
    comments += [reddit.make_comment(900 + number, "[deleted]") for number in range(mix.other)]
    comments += [reddit.make_comment(950 + number, "x", date="when?") for number in range(mix.damaged)]
    lost = [reddit.make_post(5000 + number, "gone") for number in range(mix.lost)]
    members = reddit.make_tables(posts + lost, comments) | {"posts.csv": reddit.render_table(reddit.POSTS, posts)}
    records = len(posts) + len(comments)
    return Held(zipped(members), records, records + mix.lost)


HOLDERS: dict[str, tuple[dict[str, Any], Callable[[Mix], Held]]] = {
    "archive": ({"archive": {"uri": "s3://team-a/b"}}, hold_archive),
    "grailbird": ({"archive": {"uri": "s3://team-a/b"}}, hold_grailbird),
    "jsonl": ({"posts": {"uri": "s3://team-a/b"}}, hold_jsonl),
    "csv": ({"posts": {"uri": "s3://team-a/b", "format": "csv"}}, hold_csv),
    "openai": ({"posts": {"uri": "s3://team-a/b", "format": "openai"}}, hold_openai),
    "mastodon": ({"mastodon": {"uri": "s3://team-a/b.json"}}, hold_outbox),
    "bluesky": ({"bluesky": {"car": "s3://team-a/b", "maxPosts": 25}}, hold_repository),
    "threads": ({"threads": {"uri": "s3://team-a/b"}}, hold_threads),
    "instagram": ({"instagram": {"uri": "s3://team-a/b"}}, hold_instagram),
    "reddit": ({"reddit": {"uri": "s3://team-a/b"}}, hold_reddit),
}
MIXES = st.builds(
    Mix,
    good=st.integers(21, 40),
    again=st.integers(0, 5),
    damaged=st.integers(0, 3),
    private=st.integers(0, 9),
    other=st.integers(0, 9),
    lost=st.integers(0, 40),
)


def read(kind: str, held: Held) -> SourceCounts:
    """Read a source as prepare does."""
    spec, _ = HOLDERS[kind]
    (uri,) = (part.get("uri") or part["car"] for part in spec.values())
    log = Log(io.StringIO())
    source = open_source(
        Source.model_validate(spec),
        0,
        store=ObjectsInMemory(**{uri: held.content}),
        secrets=Path(),
        pages=lambda _: Pages(),
        retry_budget=RetryBudget(0, log, lambda _: None),
        log=log,
    )
    posts = sum(1 for _ in source.read_posts())
    return SourceCounts(source.build_report(), posts)


@pytest.mark.parametrize("kind", HOLDERS)
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(mix=MIXES)
def test_nothing_is_lost_in_silence(kind: str, mix: Mix) -> None:
    held = HOLDERS[kind][1](mix)
    counts = read(kind, held)
    assert counts.posts + sum(counts.report.left_out.values()) == held.records
    assert (counts.report.left_out.get("unreadable", 0) > 0) == bool(counts.report.warnings)
    assert counts.report.claimed == held.claimed
    lost = (held.claimed or held.records) - held.records
    if lost * 20 > (held.claimed or 0):
        with pytest.raises(SpecRefused, match=f"but {lost} of them"):
            check_missing(counts, 0, max_missing_percent=None)
    else:
        warning = check_missing(counts, 0, max_missing_percent=None)
        assert (warning is not None) == (lost > 0)
