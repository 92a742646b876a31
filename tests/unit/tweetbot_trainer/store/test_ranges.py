"""A file that is read by ranges is one file, whole: not two mixed, and not the start of one."""

from collections.abc import Iterator
from errno import EINVAL
from pathlib import Path

import pytest

from tweetbot_contract.spec.output import S3Output
from tweetbot_fakes.remotes.s3_server import Answer, Asked, FakeS3, etag_of
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.store import ObjectStore, StorageUnavailable, build_store_opener
from tweetbot_trainer.store.ranged import READ_AHEAD

URI = "s3://team-a/x"
OLD, NEW = b"o" * (2 * READ_AHEAD), b"n" * (2 * READ_AHEAD)


@pytest.fixture
def s3() -> Iterator[FakeS3]:
    with FakeS3() as server:
        server.objects["x"] = OLD
        yield server


@pytest.fixture
def store(s3: FakeS3, tmp_path: Path) -> ObjectStore:
    """The server's bucket."""
    (tmp_path / "s3").mkdir()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        (tmp_path / "s3" / name).write_text("a-key", encoding="ascii")
    output = S3Output(uri="s3://team-a", endpoint=s3.url, region="us-east-1", addressing_style="Path")
    return build_store_opener(output, tmp_path, RetryBudget(0))(output.uri)


def is_range(asked: Asked) -> bool:
    return "range" in asked.headers


def test_every_range_is_asked_of_the_version_that_was_opened(s3: FakeS3, store: ObjectStore) -> None:
    with store.open_seekable(URI) as file:
        assert [file.read(READ_AHEAD) for _ in range(3)] == [OLD[:READ_AHEAD], OLD[READ_AHEAD:], b""]
    assert {asked.headers.get("if-match") for asked in s3.requests if is_range(asked)} == {etag_of(OLD)}


@pytest.mark.parametrize("ignores", [set(), {"if-match"}])
def test_an_object_that_is_replaced_meanwhile_is_not_mixed_with_the_old_one(
    s3: FakeS3, store: ObjectStore, ignores: set[str]
) -> None:
    """Neither by a server that honours If-Match, nor by one that passes over it."""
    s3.ignores |= ignores
    with store.open_seekable(URI) as file:
        assert file.read(READ_AHEAD) == OLD[:READ_AHEAD]
        s3.objects["x"] = NEW
        with pytest.raises(StorageUnavailable, match="was replaced while it was read"):
            file.read(READ_AHEAD)


@pytest.mark.parametrize("sent", [b"", b"o" * (READ_AHEAD - 1), OLD])
def test_an_answer_of_another_length_is_not_taken_for_the_range(s3: FakeS3, store: ObjectStore, sent: bytes) -> None:
    """A cache or a proxy in between may cut an answer, or send the whole object for a part."""
    s3.refuse(is_range, Answer(206, sent, {"etag": etag_of(OLD)}))
    with store.open_seekable(URI) as file, pytest.raises(StorageUnavailable, match="bytes of"):
        file.read(READ_AHEAD)


def test_a_download_of_a_short_answer_is_no_file(s3: FakeS3, store: ObjectStore, tmp_path: Path) -> None:
    s3.refuse(is_range, Answer(206, b"", {"etag": etag_of(OLD)}))
    with pytest.raises(StorageUnavailable):
        store.download(URI, tmp_path / "x")


def test_there_is_no_position_before_the_start(store: ObjectStore) -> None:
    with store.open_seekable(URI) as file:
        assert file.seek(-len(OLD), 2) == 0
        with pytest.raises(OSError, match="negative position") as failed:
            file.seek(-len(OLD) - 1, 2)
    assert failed.value.errno == EINVAL


def test_short_reads_share_a_range(s3: FakeS3, store: ObjectStore) -> None:
    with store.open_seekable(URI) as file:
        assert [file.read(1) for _ in range(9)] == [b"o"] * 9
    assert sum(map(is_range, s3.requests)) == 1
