"""X exports: today's form, older forms, and what is wrong with some of them."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from builders.trainer import ObjectsInMemory, a_tweet, manifest_js, mentioning, script, texts, tweets_js, zipped
from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.data.sources.x_archive.source import XArchiveSource
from tweetbot_trainer.data.sources.x_archive.tweets import decode_snowflake_time
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.log import Log


def posts_in(members: dict[str, bytes]) -> list[Post]:
    return list(XArchiveSource("export", 0, ObjectsInMemory(export=zipped(members))).read_posts())


def posts_of(*rows: dict[str, Any]) -> list[Post]:
    return posts_in({"data/tweets.js": tweets_js(*rows)})


def test_a_tweet_becomes_a_post() -> None:
    assert posts_of(a_tweet("low tide", number=7)) == [
        Post("1000000000000000007", "low tide", datetime(2021, 4, 9, 4, 54, tzinfo=UTC), "en", 0)
    ]


def test_parts_are_read_in_the_manifests_order_and_then_those_that_it_does_not_name() -> None:
    members = {
        "data/manifest.js": manifest_js("data/tweets-part1.js", "data/tweets.js"),
        "data/tweets.js": tweets_js(a_tweet("first", number=1)),
        "data/tweets-part1.js": tweets_js(a_tweet("second", number=2), part=1),
        "data/tweets-part2.js": tweets_js(a_tweet("unlisted", number=3), part=2),
    }
    assert texts(posts_in(members)) == ["second", "first", "unlisted"]


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
    with pytest.raises(SpecRefused, match=r"incomplete: its own list names tweets-part1\.js"):
        posts_in(members)


def test_a_month_that_the_index_lists_and_the_zip_lacks_is_named() -> None:
    index = b'var tweet_index =  [ {"file_name" : "data\\/js\\/tweets\\/2013_02.js"} ]'
    members = {"data/js/tweet_index.js": index, "data/js/tweets/2013_03.js": b"x = []"}
    with pytest.raises(SpecRefused, match=r"its own list names js/tweets/2013_02\.js"):
        posts_in(members)


def test_a_hole_between_parts_is_named() -> None:
    members = {f"data/tweets{part}.js": tweets_js() for part in ("", "-part1", "-part3", "-part10")}
    with pytest.raises(SpecRefused, match=r"it holds tweets-part3\.js, but not tweets-part2\.js; X splits") as failure:
        posts_in(members)
    assert failure.value.reason.name == "SourceIncomplete"


def test_ten_parts_are_read_in_their_order() -> None:
    names = ["tweets.js", *(f"tweets-part{number}.js" for number in range(1, 12))]
    members = {f"data/{name}": tweets_js(a_tweet(name, number=number)) for number, name in enumerate(names)}
    assert texts(posts_in(members)) == names


def test_the_older_form_without_wrapper_and_with_another_name_is_read() -> None:
    rows = [a_tweet("low tide")["tweet"]]
    assert texts(posts_in({"data/tweet.js": script("YTD.tweet.part0", rows)})) == ["low tide"]


@pytest.mark.parametrize(
    "name",
    ["data/tweets.js", "twitter-2023/data/tweets.js", "a/b/c/d/data/tweets.js", "tweets.js", "twitter-2019/tweets.js"],
)
def test_folders_above_are_no_hindrance(name: str) -> None:
    own_pages = {
        f"{folder}/{file}": b"x" for folder in ("assets", "js", "a/lib") for file in ("tweets.js", "manifest.js")
    }
    assert texts(posts_in(own_pages | {name: tweets_js(a_tweet("low tide"))})) == ["low tide"]


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


def test_every_version_of_an_edited_post_is_there_and_names_all_versions() -> None:
    ids = [str(10**18 + 1), str(10**18 + 2)]
    edits = {"initial": {"editTweetIds": ids}}
    later = {"edit": {"initialTweetId": ids[0], "editControlInitial": edits["initial"]}}
    posts = posts_of(a_tweet("teh tide", number=1, edit_info=edits), a_tweet("the tide", number=2, edit_info=later))
    assert [(post.text, list(post.edits)) for post in posts] == [("teh tide", ids), ("the tide", ids)]


@pytest.mark.parametrize("ids", [[str(10**18 + 1)], ["1", "2"], [], "x", [None]])
def test_a_post_that_was_never_edited_names_no_versions(ids: Any) -> None:
    assert posts_of(a_tweet(number=1, edit_info={"initial": {"editTweetIds": ids}}))[0].edits == ()


def test_an_id_in_two_members_counts_once() -> None:
    members = {"data/tweets.js": tweets_js(a_tweet()), "data/community-tweet.js": script("YTD.c.part0", [a_tweet()])}
    assert len(posts_in(members)) == 1


def test_what_an_export_repeats_and_which_notes_are_left_over_goes_to_the_log() -> None:
    members = {
        "data/tweets.js": tweets_js(a_tweet(), a_tweet()),
        "data/note-tweet.js": script("YTD.n.part0", [{"noteTweet": {"core": {"text": "long"}}}]),
    }
    stream = io.StringIO()
    list(XArchiveSource("export", 3, ObjectsInMemory(export=zipped(members)), Log(stream)).read_posts())
    output = json.loads(stream.getvalue())
    expected = {"source": 3, "form": "since 2022", "posts": 1, "repeated": 1, "notes": 1, "joined": 0}
    assert expected.items() <= output.items()


def test_posts_come_before_the_whole_export_is_read() -> None:
    members = {"data/tweets.js": tweets_js(a_tweet("low tide")), "data/tweets-part1.js": b"damaged"}
    posts = XArchiveSource("export", 0, ObjectsInMemory(export=zipped(members))).read_posts()
    assert next(posts).text == "low tide"
    with pytest.raises(SpecRefused, match=r"data/tweets-part1\.js in the zip is damaged"):
        next(posts)


def test_a_tweet_without_a_usable_time_has_its_snowflakes() -> None:
    post = posts_of(a_tweet(number=1_000_000_000, created_at="once"))[0]
    assert post.created_at == decode_snowflake_time(10**18 + 1_000_000_000)


def test_a_snowflake_holds_the_time_to_the_millisecond() -> None:
    assert decode_snowflake_time(1541815603606036480) == datetime(2022, 6, 28, 16, 7, 40, 105000, tzinfo=UTC)


@pytest.mark.parametrize("tweet_id", [20, 10**25])
def test_ids_that_are_no_snowflakes_hold_no_time(tweet_id: int) -> None:
    assert decode_snowflake_time(tweet_id) is None


@pytest.mark.parametrize(
    "row", [{"tweet": {"full_text": "x"}}, {"tweet": {"id_str": "1"}}, {"tweet": {"id_str": "x", "full_text": "x"}}, 5]
)
def test_a_row_that_is_no_tweet_is_refused_with_its_member(row: Any) -> None:
    with pytest.raises(SpecRefused, match=r"data/tweets\.js"):
        posts_of(row)


def test_posts_come_from_a_local_file_through_the_folder_store(tmp_path: Path) -> None:
    from tweetbot_trainer.store.folder import FolderStore

    (tmp_path / "export.zip").write_bytes(zipped({"data/tweets.js": tweets_js(a_tweet("low tide"))}))
    source = XArchiveSource((tmp_path / "export.zip").as_uri(), 2, FolderStore())
    assert [(post.text, post.source) for post in source.read_posts()] == [("low tide", 2)]
