"""A Bluesky account as the repository that its owner exported."""

import contextlib
import io
from io import StringIO
from typing import Any

import pytest

from builders.trainer import ObjectsInMemory, texts
from tweetbot_contract import reasons
from tweetbot_contract.spec.sources import BlueskySource
from tweetbot_fakes.remotes.bluesky import DID, key_of, record
from tweetbot_fakes.remotes.bluesky_repository import Cid, car, encoded, exported
from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.data.sources.bluesky import repository
from tweetbot_trainer.data.sources.bluesky.repository import BlueskyRepository
from tweetbot_trainer.data.sources.interface import Profile
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.log import Log

URI = "s3://team-a/gull.car"
LIKE = {"$type": "app.bsky.feed.like", "subject": {"uri": "at://x/app.bsky.feed.post/1"}, "createdAt": "2024-01-01"}


def some_records(count: int) -> dict[str, Any]:
    """Return posts, and as many likes and a profile beside them."""
    posts = {f"app.bsky.feed.post/{key_of(number)}": record(number) for number in range(count)}
    likes = {f"app.bsky.feed.like/{key_of(number)}": LIKE | {"at": number} for number in range(count)}
    profile = {"app.bsky.actor.profile/self": {"$type": "app.bsky.actor.profile", "displayName": "Harbour Gull"}}
    return posts | likes | profile


def source(content: bytes, output: StringIO | None = None, **spec: Any) -> BlueskyRepository:
    given = BlueskySource.model_validate({"car": URI} | spec)
    return BlueskyRepository(given, 1, reader=ObjectsInMemory(**{URI: content}), log=Log(output or StringIO()))


def posts_in(content: bytes, **spec: Any) -> list[Post]:
    return list(source(content, **spec).read_posts())


def refusal(content: bytes) -> SpecRefused:
    with pytest.raises(SpecRefused) as raised:
        posts_in(content)
    assert URI in raised.value.message
    return raised.value


def test_every_post_is_found_oldest_first_and_nothing_else() -> None:
    posts = posts_in(exported(some_records(300)))
    assert texts(posts) == [f"the gull sees ship number {number}" for number in range(300)]
    assert {(post.source, post.lang, post.retweet) for post in posts} == {(1, "en", False)}


def test_ids_are_the_addresses_that_the_api_gives() -> None:
    assert [post.id for post in posts_in(exported(some_records(1)))] == [f"at://{DID}/app.bsky.feed.post/{key_of(0)}"]


def test_reposts_are_counted() -> None:
    repost = {"$type": "app.bsky.feed.repost", "subject": {"uri": "at://x"}, "createdAt": "2024-05-05T05:05:05Z"}
    posts = posts_in(exported(some_records(2) | {f"app.bsky.feed.repost/{key_of(1)}": repost}))
    assert [(post.text, post.retweet) for post in posts][2] == ("", True)
    assert posts[2].created_at is not None
    assert posts[2].created_at.month == 5


def test_equal_records_are_two_posts() -> None:
    same = record(1, "fog")
    keys = [f"app.bsky.feed.post/{key_of(number)}" for number in (1, 2)]
    assert [post.id for post in posts_in(exported(dict.fromkeys(keys, same)))] == [f"at://{DID}/{key}" for key in keys]


def test_the_newest_are_kept_where_there_are_too_many() -> None:
    output = StringIO()
    posts = list(source(exported(some_records(9)), output, maxPosts=2).read_posts())
    assert texts(posts) == ["the gull sees ship number 7", "the gull sees ship number 8"]
    assert "7 older posts and reposts were left out" in output.getvalue()


@pytest.mark.parametrize("record", [{"$type": "app.bsky.feed.post"}, None, {"text": None}, [], 5])
def test_a_record_that_is_no_post_is_left_out_and_counted(record: Any) -> None:
    repository = source(exported(some_records(1) | {f"app.bsky.feed.post/{key_of(5)}": record}))
    assert len(list(repository.read_posts())) == 1
    report = repository.build_report()
    assert (report.claimed, report.left_out["unreadable"]) == (2, 1)
    assert f"the record app.bsky.feed.post/{key_of(5)}: it has no text" in report.warnings[0].message


def test_a_record_that_is_no_cbor_is_left_out_and_counted() -> None:
    """Its hash is right: this is what the account's server stored."""
    wrong = b"\xff of another kind"
    node = encoded({"e": _entries(some_records(2), wrong), "l": None})
    root = encoded({"did": DID, "version": 3, "data": Cid.of(node)})
    blocks = [root, node, wrong, *map(encoded, some_records(2).values())]
    repository = source(car(Cid.of(root), {Cid.of(content).raw: content for content in blocks}))
    assert len(list(repository.read_posts())) == 2
    assert (repository.build_report().claimed, repository.build_report().left_out["unreadable"]) == (3, 1)


def _entries(records: dict[str, Any], wrong: bytes) -> list[Any]:
    links = {key: Cid.of(encoded(one)) for key, one in records.items()}
    links[f"app.bsky.feed.post/{key_of(9)}"] = Cid.of(wrong)
    return [{"p": 0, "k": key.encode(), "v": link, "t": None} for key, link in sorted(links.items())]


def test_what_the_tree_names_is_read_left_out_or_missing() -> None:
    repository = source(exported(some_records(9)), maxPosts=4)
    posts = len(list(repository.read_posts()))
    report = repository.build_report()
    assert (report.claimed, posts, report.left_out, report.warnings) == (9, 4, {"older": 5, "unreadable": 0}, ())


def test_a_record_that_the_tree_names_and_the_file_lacks_is_missing() -> None:
    records = some_records(10)
    whole = exported(records)
    gone = encoded(records[f"app.bsky.feed.post/{key_of(3)}"])
    length = len(gone) + 36
    start = whole.index(gone) - 36
    repository = source(whole[: start - (1 if length < 128 else 2)] + whole[start + length :])
    posts = len(list(repository.read_posts()))
    assert (repository.build_report().claimed, posts, sum(repository.build_report().left_out.values())) == (10, 9, 0)


def test_the_profile_has_the_name() -> None:
    repository = source(exported(some_records(1)))
    assert repository.read_profile() is None
    list(repository.read_posts())
    assert repository.read_profile() == Profile(account_id=DID, display_name="Harbour Gull")


@pytest.mark.parametrize("record", [{}, {"displayName": 5}, {"displayName": ""}])
def test_a_profile_without_a_name_has_none(record: dict[str, Any]) -> None:
    repository = source(exported({"app.bsky.actor.profile/self": record}))
    assert list(repository.read_posts()) == []
    assert repository.read_profile() == Profile(account_id=DID)


def test_an_empty_repository_holds_no_posts() -> None:
    assert posts_in(exported({})) == []


@pytest.mark.parametrize("share", [0.3, 0.7, 0.999])
def test_a_file_that_was_cut_is_reported(share: float) -> None:
    whole = exported(some_records(50))
    assert refusal(whole[: int(len(whole) * share)]).reason is reasons.SOURCE_TRUNCATED


def test_no_changed_byte_changes_a_post() -> None:
    whole = exported(some_records(3))
    expected, refused = posts_in(whole), 0
    for place in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        with contextlib.suppress(SpecRefused):
            refused += 1
            assert posts_in(bytes(damaged)) == expected
            refused -= 1
    assert refused > len(whole) // 3 * 0.9


NODE = {"e": [{"p": 0, "k": b"app.bsky.feed.post/1", "v": Cid.of(b"gone"), "t": None}], "l": None}


def a_repository(tree: Any, **commit: Any) -> bytes:
    """Return a file of a commit and one node."""
    node = encoded(tree)
    root = encoded({"did": DID, "version": 3, "data": Cid.of(node), **commit})
    return car(Cid.of(root), {Cid.of(content).raw: content for content in (root, node)})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"PK\x03\x04 a zip", "it is a zip, not a CAR file"),
        (b"\x1f\x8b\x08", "it is packed by gzip, not a CAR file"),
        (b"\xff" * 50, "a block has more than"),
        (encoded({"version": 2, "roots": []}), "no readable Bluesky repository"),
        (b"\x0a" + encoded({"roots": []})[:10], "no readable Bluesky repository"),
        (car(Cid.of(encoded({})), {Cid.of(encoded({})).raw: encoded({})}), "no commit"),
        (
            b'{"error":"InvalidRequest","message":"Could not find repo for DID: did:plc:x"}\n',
            "it is an answer in JSON (InvalidRequest: Could not find repo for DID: did:plc:x), not a CAR file",
        ),
        (b'{"error":"' + b"x" * 3000 + b'"}', "it is an answer in JSON (" + "x" * 200 + "), not a CAR file"),
        (b" [1]", "it is an answer in JSON, not a CAR file"),
        (b"<!DOCTYPE html><head><title>502 Bad Gateway</title>", "it is a web page (502 Bad Gateway), not a CAR file"),
        (
            b'<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>No key.</Message>',
            "it is an answer in XML (No key), not a CAR file",
        ),
        (a_repository({"e": [], "l": Cid.of(b"gone")}), "a part of its tree is missing"),
        (a_repository({"e": [{"p": 0}], "l": None}), "a node of its tree is damaged"),
        (a_repository({"e": 1, "l": None}), "a part of its tree is missing"),
        (a_repository(NODE, data="elsewhere"), "no commit"),
        (a_repository(NODE, did=None), "no commit"),
    ],
)
def test_a_file_of_another_kind_is_reported(content: bytes, words: str) -> None:
    failure = refusal(content)
    assert failure.reason is reasons.SOURCE_UNREADABLE
    assert words in failure.message


def test_a_tree_that_branches_into_itself_is_walked_once() -> None:
    """Forty levels that each hang twice on the next would be a trillion ways down."""
    nodes = [encoded({"e": [], "l": None})]
    for _ in range(40):
        link = Cid.of(nodes[-1])
        nodes.append(encoded({"e": [{"p": 0, "k": b"x", "v": link, "t": link}], "l": link}))
    root = encoded({"did": DID, "version": 3, "data": Cid.of(nodes[-1])})
    assert posts_in(car(Cid.of(root), {Cid.of(content).raw: content for content in (root, *nodes)})) == []


def test_a_file_too_large_is_refused_unread() -> None:
    class Vast(io.BytesIO):
        def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
            return repository.SIZE_LIMIT + 1 if whence == io.SEEK_END else super().seek(offset, whence)

    class VastObjects(ObjectsInMemory):
        def open_seekable(self, uri: str) -> io.BytesIO:
            return Vast()

    given = BlueskySource(car=URI)
    with pytest.raises(SpecRefused, match="SourceTooLarge"):
        list(BlueskyRepository(given, 0, reader=VastObjects(), log=Log(StringIO())).read_posts())
