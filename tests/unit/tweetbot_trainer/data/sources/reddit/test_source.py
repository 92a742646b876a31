"""Reddit accounts as their owners' data."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from archives.reddit import (
    ADDRESS,
    COMMENTS,
    POSTS,
    make_comment,
    make_export,
    make_post,
    make_tables,
    render_statistics,
    render_table,
)
from archives.writing import make_zip
from builders.mastodon import tarred
from builders.trainer import ObjectsInMemory, texts, zipped
from tweetbot_contract.spec.sources import RedditSource
from tweetbot_trainer.data.posts import dump_post
from tweetbot_trainer.data.sources.interface import Profile
from tweetbot_trainer.data.sources.reddit.source import RedditExportSource
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.log import Log

URI = "s3://team-a/reddit.zip"
GOLDEN = Path(__file__).parents[5] / "golden" / "exports" / "reddit.jsonl"
READ = {"posts.csv", "comments.csv", "post_headers.csv", "comment_headers.csv", "statistics.csv"}


def source(content: bytes, output: StringIO | None = None) -> RedditExportSource:
    reader = ObjectsInMemory(**{URI: content})
    return RedditExportSource(RedditSource(uri=URI), 0, reader=reader, log=Log(output or StringIO()))


def refusal(content: bytes) -> SpecRefused:
    with pytest.raises(SpecRefused) as raised:
        list(source(content).read_posts())
    assert raised.value.message.count(URI) == 1
    return raised.value


def test_an_export_parses_to_its_golden_records() -> None:
    lines = GOLDEN.read_text(encoding="utf-8").splitlines()
    posts = source(make_zip(make_export())).read_posts()
    assert [dump_post(post) for post in posts] == [json.loads(line) for line in lines]


@pytest.mark.parametrize("pack", [zipped, tarred], ids=["zip", "tar.gz"])
@pytest.mark.parametrize("folder", ["", "export_harbour_gull_20261101/"])
def test_an_export_that_was_packed_again_is_read(pack: Any, folder: str) -> None:
    export = source(pack({f"{folder}{name}": content for name, content in make_export().items()}))
    assert len(list(export.read_posts())) == 9
    assert export.read_profile() == Profile(handle="harbour_gull")


def test_what_the_export_lists_is_what_is_read_and_left_out() -> None:
    output = StringIO()
    export = source(make_zip(make_export()), output)
    list(export.read_posts())
    report = export.build_report()
    assert (report.claimed, report.left_out, report.warnings) == (12, {"repeated": 1, "not_posts": 2}, ())
    assert json.loads(output.getvalue()).items() >= {"posts": 5, "comments": 7, "removed": 2}.items()


def test_rows_that_are_only_listed_are_missing() -> None:
    whole = make_tables([make_post(n, "fog") for n in range(1, 9)], [make_comment(1, "tide")])
    cut = whole | {"posts.csv": render_table(POSTS, [make_post(1, "fog")])}
    export = source(zipped(cut))
    assert texts(export.read_posts()) == ["fog", "tide"]
    assert export.build_report().claimed == 9


@pytest.mark.parametrize(
    ("gone", "stated"),
    [
        ({"post_headers.csv", "comment_headers.csv"}, None),
        ({"post_headers.csv"}, 2),
        ({"comments.csv", "comment_headers.csv"}, 1),
        ({"comments.csv"}, 2),
    ],
)
def test_only_what_is_listed_is_stated(gone: set[str], stated: int | None) -> None:
    tables = make_tables([make_post(1, "fog")], [make_comment(1, "tide")])
    export = source(zipped({name: content for name, content in tables.items() if name not in gone}))
    list(export.read_posts())
    assert export.build_report().claimed == stated


def test_a_damaged_list_states_nothing() -> None:
    tables = make_tables([make_post(1, "fog")], []) | {"post_headers.csv": b"\xff", "comment_headers.csv": b'id\n"'}
    export = source(zipped(tables))
    assert texts(export.read_posts()) == ["fog"]
    assert export.build_report().claimed is None


def test_nothing_else_is_opened() -> None:
    """The headers of other members are destroyed, so opening one would end in an error."""
    members = make_export()
    content = bytearray(make_zip(members))
    for name in members.keys() - READ:
        start = content.rindex(b"PK\x03\x04", 0, content.rindex(name.encode(), 0, content.index(b"PK\x01\x02")))
        content[start : start + 4] = b"gone"
    assert len(list(source(bytes(content)).read_posts())) == 9


def test_no_address_of_the_network_reaches_a_post() -> None:
    export = source(make_zip(make_export()))
    assert ADDRESS not in json.dumps([dump_post(post) for post in export.read_posts()])


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_a_table_may_come_alone(start: bytes) -> None:
    assert texts(source(start + render_table(POSTS, [make_post(1, "fog")])).read_posts()) == ["fog"]
    (comment,) = source(start + render_table(COMMENTS, [make_comment(1, "fog")])).read_posts()
    assert comment.reply


def test_columns_are_found_by_their_names() -> None:
    table = render_table(("Body", "Title", "ID"), [{"Body": "tide", "Title": "fog", "ID": "a1"}])
    (post,) = source(zipped({"posts.csv": table})).read_posts()
    assert (post.id, post.text, post.created_at) == ("t3_a1", "fog\n\ntide", None)


def test_a_few_damaged_rows_are_left_out() -> None:
    table = render_table(COMMENTS, [make_comment(1, "fog"), make_comment(2, "tide"), make_comment(3, "no", id="?")])
    export = source(zipped({"comments.csv": table + b"a,b\n"}))
    assert texts(export.read_posts()) == ["fog", "tide"]
    report = export.build_report()
    assert report.left_out == {"unreadable": 2}
    assert "comments.csv in the zip, line 4: '?' is no id of Reddit" in report.warnings[0].message


@pytest.mark.parametrize(
    ("statistics", "handle"),
    [
        (render_statistics("gull-1"), "gull-1"),
        (render_statistics("two words"), None),
        (b"statistic\n", None),
        (b"", None),
        (b"statistic,value\nemail address,gull@harbour.example\n", None),
        (b'statistic,value\n"', None),
    ],
)
def test_the_name_is_the_accounts(statistics: bytes, handle: str | None) -> None:
    export = source(zipped(make_tables([make_post(1, "fog")], []) | {"statistics.csv": statistics}))
    list(export.read_posts())
    assert export.read_profile() == (Profile(handle=handle) if handle else None)


ROWS = [make_comment(n, "fog") for n in range(1, 9)]
BAD = [
    (zipped({"comments.csv": render_table(COMMENTS, ROWS) + b'"a'}), "SourceUnreadable", "line 10: unexpected end"),
    (zipped({"comments.csv": render_table(COMMENTS, ROWS) + b"\xff\n"}), "SourceUnreadable", "line 10: not UTF-8"),
    (zipped({"comments.csv": render_table(COMMENTS, ROWS).replace(b",", b";")}), "SourceNotAnExport", "no column id"),
    (zipped({"posts.csv": b""}), "SourceNotAnExport", "no column id, but nothing at all"),
    (zipped({"posts.csv": b"id,text\n1,fog\n"}), "SourceNotAnExport", "no column title, but id, text"),
    (zipped({"posts.csv": b"id,title,body\n" + b"1\n" * 9}), "SourceUnreadable", "9 of 9 rows .*line 2: 1 cells"),
    (zipped({"messages.csv": b"", "saved_posts.csv": b""}), "SourceNotAnExport", r"no posts\.csv or comments\.csv"),
    (zipped({"data/tweets.js": b""}), "SourceNotAnExport", "of X; .*kind archive"),
    (zipped({"outbox.json": b""}), "SourceNotAnExport", "of Mastodon; .*kind mastodon"),
    (b"id,text\n1,fog\n", "SourceNotAnExport", r"no posts\.csv or comments\.csv"),
    (b"\n\n", "SourceNotAnExport", r"no posts\.csv or comments\.csv"),
    (b"<!doctype html>", "SourceNotAnExport", "web page"),
    (b"", "SourceTruncated", "empty"),
    (make_zip(make_export())[:-60], "SourceTruncated", "cut short"),
]


@pytest.mark.parametrize(("content", "reason", "words"), BAD, ids=[words for _, _, words in BAD])
def test_a_file_of_another_kind_is_reported(content: bytes, reason: str, words: str) -> None:
    failure = refusal(content)
    with pytest.raises(SpecRefused, match=words):
        raise failure
    assert failure.reason.name == reason
