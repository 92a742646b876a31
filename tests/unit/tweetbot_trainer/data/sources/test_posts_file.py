"""Posts in plain files."""

import gzip
import json
from typing import Any

import pytest

from builders.trainer import ObjectsInMemory, texts, zipped
from tweetbot_contract.spec.sources import PostsSource
from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.data.sources.posts_file import PostsFileSource
from tweetbot_trainer.runtime.errors import SpecRefused

URI = "s3://team-a/posts"


def posts_in(content: bytes | str, format: Any, index: int = 0) -> list[Post]:
    raw = content.encode() if isinstance(content, str) else content
    shelf = ObjectsInMemory(**{URI: raw})
    return list(PostsFileSource(PostsSource(uri=URI, format=format), index, shelf).read_posts())


def test_jsonl_holds_an_object_a_line() -> None:
    posts = posts_in('{"id": "1", "text": "low\\ntide", "retweet": true}\r\n\n{"text": "fog", "reply": true}', "jsonl")
    assert [(post.text, post.retweet, post.reply) for post in posts] == [
        ("low\ntide", True, False),
        ("fog", False, True),
    ]


def test_the_place_in_the_spec_wins_over_what_the_file_says() -> None:
    assert posts_in('{"text": "fog", "source": 2}', "jsonl", index=1)[0].source == 1


def test_csv_has_a_header_and_cells_over_several_lines() -> None:
    posts = posts_in('id,text,created_at,retweet\n1,"low, \n""tide""",2021-04-09T04:54:00Z,true\n2,fog,,\n', "csv")
    assert [(post.id, post.text, post.retweet) for post in posts] == [("1", 'low, \n"tide"', True), ("2", "fog", False)]
    assert posts[1].created_at is None


@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "with a byte-order mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_a_table_of_any_program_is_read(start: str, end: str) -> None:
    rows = ['"text","schema"', f'"low{end}tide",1', "fog,"]
    assert texts(posts_in(start + end.join(rows), "csv")) == [f"low{end}tide", "fog"]


def test_a_column_without_a_name_is_passed_by() -> None:
    assert texts(posts_in(",text,\n0,low tide,\n1,fog,\n", "csv")) == ["low tide", "fog"]


def test_txt_holds_a_post_a_line() -> None:
    assert texts(posts_in("\ufefflow tide\r\n\n  fog ", "txt")) == ["low tide", "  fog "]


def test_equal_lines_of_txt_are_two_posts() -> None:
    assert len({post.id for post in posts_in("fog\nfog\n", "txt")}) == 2


#: Files that are no text of posts: what they are, and what to do with them.
PACKED: dict[str, tuple[bytes, str]] = {
    "an X export": (
        zipped({"data/tweets.js": b"[]"}),
        "the zip is an export of X; give it as a source of the kind archive",
    ),
    "a Mastodon export": (zipped({"outbox.json": b"{}"}), "give it as a source of the kind mastodon"),
    "an export of Reddit": (zipped({"saved_posts.csv": b""}), "give it as a source of the kind reddit"),
    "a zip of posts": (
        zipped({"posts.jsonl": b"{}"}),
        "which holds posts.jsonl; unpack it, and upload the file of posts",
    ),
    "an empty zip": (zipped({}), "the zip is empty; unpack it"),
    "gzipped posts": (gzip.compress(b'{"text": "fog"}'), "it is packed as .gz; unpack it with gunzip"),
    "a .7z": (b"7z\xbc\xaf\x27\x1c\0\4", "it is packed as .7z, which is not read; unpack it"),
}


@pytest.mark.parametrize("format", ["jsonl", "csv", "txt", "openai"])
@pytest.mark.parametrize("file", PACKED)
def test_an_archive_given_as_posts_is_named_with_its_field_and_its_kind(file: str, format: str) -> None:
    content, words = PACKED[file]
    with pytest.raises(SpecRefused) as refusal:
        posts_in(content, format, index=1)
    assert refusal.value.message.startswith("spec.sources[1].posts.uri: s3://team-a/posts: ")
    assert words in refusal.value.message


def test_a_post_that_begins_as_a_zip_does_is_a_post() -> None:
    assert texts(posts_in("PK is a postcode\n", "txt")) == ["PK is a postcode"]


def test_an_empty_file_holds_no_posts() -> None:
    assert posts_in("", "jsonl") == []


def source_of(content: str, format: Any) -> PostsFileSource:
    return PostsFileSource(PostsSource(uri=URI, format=format), 0, ObjectsInMemory(**{URI: content.encode()}))


@pytest.mark.parametrize(
    ("content", "format", "fault"),
    [
        ('{"text": "x"}\n{', "jsonl", "line 2: not JSON"),
        ('{"text": "x"}\n\nnull', "jsonl", "line 3: not an object with the key text"),
        ('{"text": "x"}\n{"text": 1}', "jsonl", "line 2: the key text is missing"),
        ('{"text": "x"}\n{"text": "y", "id": 1.38039e18}', "jsonl", "line 2: the id 1.38039e+18 was rounded"),
        ('{"text": "fog"}\n{"text": "x", "schema": 2}', "jsonl", "line 2: schema 2 is unknown; this version reads 1"),
        ("schema,text\n1,fog\n2,fog\n", "csv", "line 3: schema 2 is unknown"),
        ("id,text\n1,fog\n2,fog,extra\n", "csv", "line 3: more cells"),
        ("id,text\n1\n1,fog\n", "csv", "line 2: the key text is missing"),
        ("id,text\n1,fog\n1.38E+18,fog\n", "csv", "line 3: the id 1.38E+18 was rounded"),
        ("id,text,reply\n1,fog,perhaps\n2,fog,no\n", "csv", "line 2: reply is 'perhaps'"),
        ("id,text,created_at\n1,fog,yesterday\n2,fog,\n", "csv", "line 2: created_at"),
    ],
)
def test_a_damaged_record_is_left_out_counted_and_named(content: str, format: str, fault: str) -> None:
    source = source_of(content, format)
    assert len(list(source.read_posts())) == 1
    report = source.build_report()
    assert (report.claimed, report.left_out) == (None, {"unreadable": 1})
    (warning,) = report.warnings
    assert warning.reason == "PostsUnreadable"
    assert "1 of 2 records cannot be read" in warning.message
    assert fault in warning.message


def test_a_file_of_whole_records_leaves_nothing_out() -> None:
    source = source_of('{"text": "fog"}\n', "jsonl")
    list(source.read_posts())
    assert (source.build_report().left_out, source.build_report().warnings) == ({"unreadable": 0}, ())


@pytest.mark.parametrize(
    ("content", "format", "fault"),
    [
        (
            "\n".join('{"words": "x"}' for _ in range(200)),
            "jsonl",
            "100 of 100 records cannot be read. .* line 1: the key",
        ),
        (
            '{"text": "x"}\n' * 90 + "null\n" * 10,
            "jsonl",
            "10 of 100 .* at most 5 % may be. The first is line 91: not an",
        ),
        (b"fog\n\xff\n", "txt", "line 2: not UTF-8"),
        (b"text\nfog\n\xff\n", "csv", "line 3: not UTF-8"),
        ("text\nit\u2019s fog\n".encode("cp1252"), "csv", "line 2: not UTF-8 but Windows-1252, .*Excel: .CSV UTF-8"),
        ("id,words\n1,fog\n", "csv", "line 1: the header names no column text"),
        ("", "csv", "the header names no column text: the file is empty"),
        (
            "id;text\n1;fog\n",
            "csv",
            "line 1: .* it names 'id;text': the cells are separated by semicolons. Save it with",
        ),
        ("text\tid\nfog\t1\n", "csv", "line 1: .*: the cells are separated by tabs"),
        ('"text";"id"\n"fog";1\n', "csv", "line 1: .* the cells are separated by semicolons. Save it with commas"),
        ("sep=;\ntext;id\nfog;1\n", "csv", "line 1: 'sep=;' is a hint for Excel, not the header. Remove that line$"),
        ("Text,id\nfog,1\n", "csv", "it names 'Text, id'. Write text in lower case"),
        ("<!doctype html><title>Sign in</title>", "csv", "line 1: it is a web page .Sign in., not a table"),
        ("text\rfog\r", "csv", "line 1: new-line character"),
        ("text\n" + "x" * 200_000, "csv", "line 2: field larger than"),
        ("fog\n" + "x" * (1024**2 + 1), "txt", "line 2: longer than 1048576 bytes"),
        (
            "text\tid\nfog\t1\n".encode("utf-16"),
            "csv",
            "line 1: not UTF-8 but UTF-16; save the file as UTF-8 .in Excel",
        ),
        ('{"text": "fog"}'.encode("utf-16-le"), "jsonl", "line 1: not UTF-8 but UTF-16; save the file as UTF-8$"),
        (
            '[{"text": "fog"}]',
            "jsonl",
            "line 1: not an object with the key text but an array. Write one object per line",
        ),
        ('id,text\n1,"fog" bank\n', "csv", "line 2: "),
        ('id,text\n1,"fog\n\n', "csv", "line 3: unexpected end"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_line(content: bytes | str, format: str, fault: str) -> None:
    with pytest.raises(SpecRefused, match=fault) as failure:
        posts_in(content, format)
    assert failure.value.reason.name == "SourceUnreadable"
    assert URI in failure.value.message


def answer(text: str, **fields: object) -> str:
    """Return a line of a file for OpenAI's fine-tuning."""
    asked = [{"role": "system", "content": "be a gull"}, {"role": "user", "content": "words of another"}]
    return json.dumps({"messages": [*asked, {"role": "assistant", "content": text, **fields}]}) + "\n"


def test_openai_holds_the_answers_of_conversations() -> None:
    source = source_of(answer("low tide") + answer("no", weight=0) + answer("fog"), "openai")
    assert texts(source.read_posts()) == ["low tide", "fog"]
    assert source.build_report().left_out == {"unreadable": 0, "not_posts": 1}


def test_a_conversation_that_is_damaged_is_left_out_like_any_record() -> None:
    source = source_of(answer("low tide") + "{\n", "openai")
    assert texts(source.read_posts()) == ["low tide"]
    assert "line 2: not JSON" in source.build_report().warnings[0].message


@pytest.mark.parametrize(
    ("content", "format", "fault"),
    [
        (answer("low tide"), "jsonl", "line 1: it is for OpenAI's fine-tuning; set format: openai"),
        ('{"text": "low tide"}', "openai", "line 1: neither messages nor a completion; .* is of the format jsonl"),
    ],
)
def test_a_file_under_the_wrong_format_is_told_the_right_one(content: str, format: str, fault: str) -> None:
    with pytest.raises(SpecRefused, match=fault):
        posts_in(content, format)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ('{"preferred_output": []}', "line 1: it holds pairs of answers .*; give the file for supervised"),
        ('{"messages": []}', "no line holds a text of the assistant; give the file for supervised"),
    ],
)
def test_another_file_of_openais_is_no_source(content: str, fault: str) -> None:
    with pytest.raises(SpecRefused, match=f"{URI}, {fault}") as failure:
        posts_in(content, "openai")
    assert failure.value.reason.name == "SourceNotAnExport"
