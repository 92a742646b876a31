"""X exports: today's form, older forms, and what is wrong with some of them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from builders_trainer import Shelf, a_tweet, manifest_js, mentioning, script, texts, tweets_js, zipped
from tweetbot_trainer.errors import SpecRefused
from tweetbot_trainer.posts import Post
from tweetbot_trainer.sources.archive import ArchiveSource, snowflake_time

NOTE = "The tide came back with soup and nobody noticed, " * 8
CUT = NOTE[:275] + "… https://t.co/abc"
SECOND = "2021-04-09T04:54:00.400Z"


def posts_in(members: dict[str, bytes]) -> list[Post]:
    return list(ArchiveSource("export", 0, Shelf(export=zipped(members))).posts())


def posts_of(*rows: dict[str, Any]) -> list[Post]:
    return posts_in({"data/tweets.js": tweets_js(*rows)})


def a_note(text: str = NOTE, **fields: Any) -> bytes:
    note = {"noteTweetId": "1", "createdAt": SECOND, "core": {"text": text}} | fields
    return script("YTD.note_tweet.part0", [{"noteTweet": note}])


def test_a_tweet_becomes_a_post() -> None:
    assert posts_of(a_tweet("low tide", number=7)) == [
        Post("1000000000000000007", "low tide", datetime(2021, 4, 9, 4, 54, tzinfo=UTC), "en", 0)
    ]


def test_parts_are_read_in_the_manifests_order_and_no_others() -> None:
    members = {
        "data/manifest.js": manifest_js("data/tweets-part1.js", "data/tweets.js"),
        "data/tweets.js": tweets_js(a_tweet("first", number=1)),
        "data/tweets-part1.js": tweets_js(a_tweet("second", number=2), part=1),
        "data/tweets-part2.js": tweets_js(a_tweet("unlisted", number=3), part=2),
    }
    assert texts(posts_in(members)) == ["second", "first"]


@pytest.mark.parametrize("manifest", [{}, {"data/manifest.js": b"window.x = {"}, {"data/manifest.js": manifest_js()}])
def test_without_a_usable_manifest_parts_are_found_by_name(manifest: dict[str, bytes]) -> None:
    members = manifest | {
        "data/tweets.js": tweets_js(a_tweet("first", number=1)),
        "data/tweets-part1.js": tweets_js(a_tweet("second", number=2), part=1),
        "data/community-tweet.js": script("YTD.community_tweet.part0", [a_tweet("third", number=3)]),
        "data/likes.js": b"never read",
        "__MACOSX/data/tweets.js": b"never read",
    }
    assert sorted(texts(posts_in(members))) == ["first", "second", "third"]


def test_a_part_that_the_manifest_lists_and_the_zip_lacks_is_named() -> None:
    members = {"data/manifest.js": manifest_js("data/tweets.js", "data/tweets-part1.js"), "data/tweets.js": tweets_js()}
    with pytest.raises(SpecRefused, match=r"incomplete: its manifest lists data/tweets-part1\.js"):
        posts_in(members)


def test_the_older_form_without_wrapper_and_with_another_name_is_read() -> None:
    rows = [a_tweet("low tide")["tweet"]]
    assert texts(posts_in({"data/tweet.js": script("YTD.tweet.part0", rows)})) == ["low tide"]


def test_a_folder_above_data_is_no_hindrance() -> None:
    assert texts(posts_in({"twitter-2023/data/tweets.js": tweets_js(a_tweet("low tide"))})) == ["low tide"]


@pytest.mark.parametrize(
    "member",
    [
        b"\xef\xbb\xbfwindow.YTD.tweets.part0 = [%s]",
        b"window.YTD.tweets.part0 = [%s];\n",
        b"window.YTD.tweets.part0=[%s] ; \r\n",
        b"window.YTD.tweets.part0 =\n[\n%s\n]",
        b"  [%s]",
    ],
)
def test_the_assignment_may_be_written_in_any_way(member: bytes) -> None:
    row = json.dumps(a_tweet("a = [b];")).encode()
    assert texts(posts_in({"data/tweets.js": member.replace(b"%s", row)})) == ["a = [b];"]


def test_text_that_looks_like_the_end_of_a_member_survives_any_chunking() -> None:
    long = "; ;\n" * 40_000 + "."
    assert texts(posts_of(a_tweet(long), a_tweet("next", number=2))) == [long, "next"]


@pytest.mark.parametrize(
    ("text", "names", "retweet"),
    [
        ("RT @gull: low tide", ["gull"], True),
        ("RT @GULL: low tide", ["gull", "crab"], True),
        ("RT @gull: low tide", [], False),
        ("RT @gull: low tide", ["crab", "gull"], False),
        ("RT @gull low tide", ["gull"], False),
        ("so RT @gull: low tide", ["gull"], False),
    ],
)
def test_a_retweet_begins_with_the_name_that_is_mentioned_first(text: str, names: list[str], retweet: bool) -> None:
    assert posts_of(a_tweet(text, entities=mentioning(*names)))[0].retweet is retweet


@pytest.mark.parametrize("field", ["in_reply_to_status_id_str", "in_reply_to_user_id", "in_reply_to_user_id_str"])
def test_a_reply_names_whom_it_answers(field: str) -> None:
    row: dict[str, Any] = a_tweet()["tweet"] | {field: "12"}
    assert posts_of(row)[0].reply
    assert not posts_of(a_tweet())[0].reply


@pytest.mark.parametrize("host", ["twitter.com", "x.com", "mobile.twitter.com", "www.x.com"])
def test_a_quote_links_to_a_status(host: str) -> None:
    links = {"urls": [{"url": "https://t.co/a", "expanded_url": f"https://{host}/gull/status/20"}]}
    assert posts_of(a_tweet(entities=links))[0].quote


def test_of_an_edited_post_only_the_newest_form_counts() -> None:
    edits = {"initial": {"editTweetIds": [str(10**18 + 1), str(10**18 + 2)]}}
    later = {"edit": {"initialTweetId": str(10**18 + 1), "editControlInitial": edits["initial"]}}
    rows = [a_tweet("teh tide", number=1, edit_info=edits), a_tweet("the tide", number=2, edit_info=later)]
    assert texts(posts_of(*rows)) == ["the tide"]
    assert texts(posts_of(*reversed(rows))) == ["the tide"]


def test_an_edited_post_whose_newest_form_was_deleted_counts_as_it_was() -> None:
    edits = {"initial": {"editTweetIds": [str(10**18 + 1), str(10**18 + 2)]}}
    assert texts(posts_of(a_tweet("teh tide", number=1, edit_info=edits))) == ["teh tide"]


def test_an_id_in_two_members_counts_once() -> None:
    members = {"data/tweets.js": tweets_js(a_tweet()), "data/community-tweet.js": script("YTD.c.part0", [a_tweet()])}
    assert len(posts_in(members)) == 1


@pytest.mark.parametrize(
    "note",
    [
        a_note(),
        a_note(core=None, noteTweetResults={"text": NOTE}, tweetId=str(10**18 + 1), createdAt=None),
        a_note(core=None, noteTweetContents={"text": NOTE}),
        a_note(createdAt="2021-04-09T04:53:59.700Z"),
    ],
    ids=["core", "results", "contents", "just before"],
)
def test_a_cut_post_gets_its_notes_text(note: bytes) -> None:
    assert texts(posts_in({"data/tweets.js": tweets_js(a_tweet(CUT)), "data/note-tweet.js": note})) == [NOTE]


def test_a_long_reply_keeps_the_names_before_its_note() -> None:
    members = {"data/tweets.js": tweets_js(a_tweet("@crab " + CUT)), "data/note-tweet.js": a_note()}
    assert texts(posts_in(members)) == ["@crab " + NOTE]


def test_entities_in_the_cut_text_do_not_hide_its_note() -> None:
    note = "fish & chips > soup, " * 20
    cut = note.replace("&", "&amp;").replace(">", "&gt;")[:300] + "…"
    members = {"data/tweets.js": tweets_js(a_tweet(cut)), "data/note-tweet.js": a_note(note)}
    assert texts(posts_in(members)) == [note]


@pytest.mark.parametrize("note", [a_note("Another beginning. " * 20), a_note(createdAt="2021-04-09T04:54:01.000Z")])
def test_a_note_of_another_text_or_time_is_not_taken(note: bytes) -> None:
    assert texts(posts_in({"data/tweets.js": tweets_js(a_tweet(CUT)), "data/note-tweet.js": note})) == [CUT]


def test_a_tweet_without_a_usable_time_has_its_snowflakes() -> None:
    assert posts_of(a_tweet(created_at="once"))[0].created_at == snowflake_time(10**18 + 1)


def test_a_snowflake_holds_the_time_to_the_millisecond() -> None:
    assert snowflake_time(1541815603606036480) == datetime(2022, 6, 28, 16, 7, 40, 105000, tzinfo=UTC)


@pytest.mark.parametrize("tweet_id", [20, 10**25])
def test_ids_that_are_no_snowflakes_hold_no_time(tweet_id: int) -> None:
    assert snowflake_time(tweet_id) is None


@pytest.mark.parametrize(
    "row", [{"tweet": {"full_text": "x"}}, {"tweet": {"id_str": "1"}}, {"tweet": {"id_str": "x", "full_text": "x"}}, 5]
)
def test_a_row_that_is_no_tweet_is_refused_with_its_member(row: Any) -> None:
    with pytest.raises(SpecRefused, match=r"data/tweets\.js"):
        posts_of(row)


def test_posts_come_from_a_local_file_through_the_folder_store(tmp_path: Path) -> None:
    from tweetbot_trainer.store.folder import FolderStore

    (tmp_path / "export.zip").write_bytes(zipped({"data/tweets.js": tweets_js(a_tweet("low tide"))}))
    source = ArchiveSource((tmp_path / "export.zip").as_uri(), 2, FolderStore())
    assert [(post.text, post.source) for post in source.posts()] == [("low tide", 2)]
