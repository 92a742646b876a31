"""Whatever JSON a source holds: posts that can be written as UTF-8, or a refusal with a reason."""

import json
from io import StringIO
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from builders.trainer import ObjectsInMemory, on_a_busy_machine, zipped
from tweetbot_contract.spec.sources import InstagramSource, PostsSource, RedditSource, ThreadsSource
from tweetbot_trainer.data.posts import Post, dump_post
from tweetbot_trainer.data.sources.interface import PostSource
from tweetbot_trainer.data.sources.meta.source import MetaExportSource
from tweetbot_trainer.data.sources.posts_file import PostsFileSource
from tweetbot_trainer.data.sources.reddit.source import RedditExportSource
from tweetbot_trainer.data.sources.x_api.records import get_next_token, list_ids, list_keys, parse_posts
from tweetbot_trainer.data.sources.x_archive.source import XArchiveSource
from tweetbot_trainer.runtime.errors import StageError
from tweetbot_trainer.runtime.log import Log

TEXT = st.text(st.characters(), max_size=12)
ODD = st.none() | st.booleans() | st.integers() | st.just("9" * 5000) | TEXT
ANY_JSON = st.recursive(
    ODD, lambda part: st.lists(part, max_size=3) | st.dictionaries(TEXT, part, max_size=3), max_leaves=8
)
IDS = st.sampled_from(["1", "1000000000000000001", "1000000000000000002", "9" * 20])
TIMES = st.sampled_from(["Fri Apr 09 04:54:00 +0000 2021", "2021-04-09T04:54:00.000Z", "9999-12-31T23:59:59-12:00"])
TWEET = st.fixed_dictionaries(
    {"id_str": IDS | ANY_JSON, "full_text": TEXT | ANY_JSON},
    optional={
        "created_at": TIMES | ANY_JSON,
        "lang": TEXT | ANY_JSON,
        "entities": ANY_JSON | st.fixed_dictionaries({"urls": ANY_JSON, "user_mentions": ANY_JSON}),
        "edit_info": ANY_JSON | st.fixed_dictionaries({"initial": ANY_JSON, "edit": ANY_JSON}),
        "in_reply_to_user_id": IDS | ANY_JSON,
        "in_reply_to_screen_name": TEXT | ANY_JSON,
        "user": ANY_JSON | st.fixed_dictionaries({"id": ANY_JSON, "screen_name": ANY_JSON}),
        "display_text_range": st.lists(ANY_JSON, min_size=1, max_size=2) | ANY_JSON,
        "truncated": ANY_JSON,
    },
)
NOTE = st.fixed_dictionaries({}, optional={"core": ANY_JSON, "createdAt": TIMES | ANY_JSON, "tweetId": IDS | ANY_JSON})
RECORD = st.fixed_dictionaries(
    {"id": IDS | ANY_JSON, "text": TEXT | ANY_JSON},
    optional={
        "created_at": TIMES | ANY_JSON,
        "lang": ANY_JSON,
        "note_tweet": ANY_JSON,
        "referenced_posts": ANY_JSON,
        "retweet": ANY_JSON,
        "reply": st.just(True) | ANY_JSON,
        "names_end": ANY_JSON,
        "in_reply_to_user_id": ANY_JSON,
        "source": ANY_JSON,
    },
)

THREAD = st.fixed_dictionaries(
    {},
    optional={
        "title": TEXT | ANY_JSON,
        "creation_timestamp": st.integers(0, 2**41) | st.floats() | ANY_JSON,
        "media": st.lists(st.fixed_dictionaries({"title": TEXT, "uri": TEXT, "text_app_post": ANY_JSON})) | ANY_JSON,
    },
)
ANSWER = st.fixed_dictionaries({"role": st.just("assistant") | ODD, "content": ODD | st.lists(ODD, max_size=2)}) | ODD
CELLS = st.lists(st.sampled_from(["id1", "[deleted]", "> a", "2024-03-01 12:30:10 UTC", '"', "\n", ","]) | TEXT)


def read(source: PostSource) -> list[Post] | None:
    try:
        return list(source.read_posts())
    except StageError as failure:
        failure.message.encode()
        return None


def written(posts: list[Post] | None) -> None:
    for post in posts or ():
        json.dumps(dump_post(post), ensure_ascii=False).encode()


@on_a_busy_machine
@given(st.lists(TWEET | ANY_JSON, max_size=3), st.lists(NOTE | ANY_JSON, max_size=2))
def test_an_export_of_any_json_is_read_or_refused(tweets: list[Any], notes: list[Any]) -> None:
    members = {
        "data/tweets.js": b"window.YTD.tweets.part0 = " + json.dumps([{"tweet": row} for row in tweets]).encode(),
        "data/note-tweet.js": b"window.YTD.note_tweet.part0 = "
        + json.dumps([{"noteTweet": row} for row in notes]).encode(),
    }
    written(read(XArchiveSource("export", 0, ObjectsInMemory(export=zipped(members)))))


@on_a_busy_machine
@given(st.lists(TWEET | ANY_JSON, max_size=2), *[ANY_JSON | st.lists(ANY_JSON, max_size=2)] * 4, st.booleans())
def test_whatever_the_lists_of_an_export_say_it_is_read_or_refused(
    tweets: list[Any], manifest: Any, index: Any, account: Any, profile: Any, wrapped: bool
) -> None:
    contents = {
        "manifest.js": {"dataTypes": manifest, "archiveInfo": account, "userInfo": profile} if wrapped else manifest,
        "js/tweet_index.js": [{"file_name": index}] if wrapped else index,
        "account.js": [{"account": account}] if wrapped else account,
        "profile.js": [{"profile": {"avatarMediaUrl": profile}}] if wrapped else profile,
        "js/user_details.js": account,
        "js/tweets/2013_02.js": tweets,
    }
    source = XArchiveSource(
        "export",
        0,
        ObjectsInMemory(
            export=zipped({f"data/{name}": f"x = {json.dumps(content)}".encode() for name, content in contents.items()})
        ),
    )
    written(read(source))
    source.read_profile()


@on_a_busy_machine
@given(st.binary(max_size=60))
def test_an_export_of_any_bytes_is_read_or_refused(content: bytes) -> None:
    written(
        read(XArchiveSource("export", 0, ObjectsInMemory(export=zipped({"data/tweets.js": b"window.x = [" + content}))))
    )


@on_a_busy_machine
@given(st.lists(RECORD | ANY_JSON, max_size=3))
def test_lines_of_any_json_are_read_or_refused(records: list[Any]) -> None:
    content = "\n".join(map(json.dumps, records)).encode()
    written(read(PostsFileSource(PostsSource(uri="s3://team-a/x"), 0, ObjectsInMemory(**{"s3://team-a/x": content}))))


@on_a_busy_machine
@given(
    st.binary(max_size=60) | TEXT.map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from(["csv", "txt"]),
)
def test_files_of_any_bytes_are_read_or_refused(content: bytes, format: Any) -> None:
    spec = PostsSource(uri="s3://team-a/x", format=format)
    written(read(PostsFileSource(spec, 0, ObjectsInMemory(**{spec.uri: b"text,id\n" + content}))))


@on_a_busy_machine
@given(st.dictionaries(st.sampled_from(["data", "meta", "errors"]), st.lists(RECORD, max_size=3) | ANY_JSON))
def test_a_page_of_any_json_is_read_or_refused(page: dict[str, Any]) -> None:
    try:
        posts, keys = parse_posts(page, 0), list_keys(page)
    except StageError:
        return
    written(posts)
    assert get_next_token(page) is None or isinstance(get_next_token(page), str)
    assert keys or not posts
    assert {int(post.id) for post in posts} <= set(list_ids(page))


@on_a_busy_machine
@given(st.lists(THREAD | ANY_JSON, max_size=4), ANY_JSON)
def test_an_export_of_metas_of_any_json_is_read_or_refused(posts: list[Any], person: Any) -> None:
    members = {"threads/threads_and_replies.json": {"text_post_app_text_posts": posts}, "media/posts_1.json": posts}
    members["personal_information.json"] = {"profile_user": person}
    export = zipped({name: json.dumps(content).encode() for name, content in members.items()})
    for spec in (ThreadsSource(uri="s3://team-a/x"), InstagramSource(uri="s3://team-a/x")):
        source = MetaExportSource(spec, 0, reader=ObjectsInMemory(**{spec.uri: export}), log=Log(StringIO()))
        written(read(source))
        source.read_profile()


@on_a_busy_machine
@given(st.lists(CELLS, max_size=4), st.binary(max_size=30))
def test_tables_of_reddits_of_any_cells_are_read_or_refused(rows: list[list[str]], end: bytes) -> None:
    lines = [b"id,date,title,body,link,parent,url", *(",".join(row).encode("utf-8", "replace") for row in rows)]
    table = b"\n".join([*lines, end])
    spec = RedditSource(uri="s3://team-a/x")
    export = zipped({"posts.csv": table, "comments.csv": table, "comment_headers.csv": table, "statistics.csv": table})
    written(read(RedditExportSource(spec, 0, reader=ObjectsInMemory(**{spec.uri: export}), log=Log(StringIO()))))


@on_a_busy_machine
@given(st.lists(st.fixed_dictionaries({"messages": st.lists(ANSWER, max_size=2) | ODD}) | ANY_JSON, max_size=2))
def test_conversations_of_any_json_are_read_or_refused(records: list[Any]) -> None:
    spec = PostsSource(uri="s3://team-a/x", format="openai")
    written(read(PostsFileSource(spec, 0, ObjectsInMemory(**{spec.uri: "\n".join(map(json.dumps, records)).encode()}))))


def test_rows_nested_beyond_all_measure_are_refused() -> None:
    deep = b"window.x = [" + b'[{"a":' * 60_000 + b"1" + b"}]" * 60_000 + b"]"
    assert read(XArchiveSource("export", 0, ObjectsInMemory(export=zipped({"data/tweets.js": deep})))) is None
