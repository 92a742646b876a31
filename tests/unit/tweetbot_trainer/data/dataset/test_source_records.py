"""What is remembered of a source: the same object again, or another one, can be output by it."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from moto import mock_aws

from builders.manifests import a_spec
from tweetbot_contract.spec.output import S3Output
from tweetbot_trainer.data.dataset.source_records import (
    HASHED_WHOLE,
    ObjectRecord,
    RecordingReader,
    describe_object,
    get_kind,
)
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.store import ObjectInfo, ObjectStore, StorageUnavailable, build_store_opener
from tweetbot_trainer.store.folder import FolderStore
from tweetbot_trainer.store.s3_client import create_s3_client

STORE = FolderStore()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_file_is_known_by_its_content_alone(tmp_path: Path) -> None:
    uri = f"file://{tmp_path}/gull.zip"
    STORE.put(uri, b"an export")
    witness = RecordingReader(lambda _: STORE)
    with witness.open_seekable(uri) as file:
        assert file.read() == b"an export"
    assert witness.list_objects() == (ObjectRecord(uri=uri, size=9, sha256=sha256(b"an export")),)


def test_an_object_that_is_opened_twice_is_remembered_once(tmp_path: Path) -> None:
    uri = f"file://{tmp_path}/gull.zip"
    STORE.put(uri, b"an export")
    witness = RecordingReader(lambda _: STORE)
    for _ in range(2):
        witness.open_seekable(uri).close()
    assert len(witness.list_objects()) == 1


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[ObjectStore]:
    (tmp_path / "s3").mkdir()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        (tmp_path / "s3" / name).write_text("testing", encoding="utf-8")
    output = S3Output(uri="s3://team-a/models", region="us-east-1")
    with mock_aws():
        create_s3_client(output, tmp_path).create_bucket(Bucket="team-a")
        yield build_store_opener(output, tmp_path, RetryBudget(0))(output.uri)


def test_an_object_of_a_bucket_has_its_version_tag_too(bucket: ObjectStore) -> None:
    bucket.put("s3://team-a/gull.zip", b"an export")
    record = describe_object(bucket, "s3://team-a/gull.zip")
    assert record is not None
    assert (record.size, record.sha256, record.etag) == (
        9,
        sha256(b"an export"),
        f'"{hashlib.md5(b"an export").hexdigest()}"',
    )


def test_an_object_that_is_replaced_while_it_is_read_is_read_again(bucket: ObjectStore) -> None:
    uri = "s3://team-a/gull.zip"
    bucket.put(uri, b"an export")
    witness = RecordingReader(lambda _: bucket)
    witness.open_seekable(uri).close()
    bucket.put(uri, b"another")
    with pytest.raises(StorageUnavailable, match="was replaced while it was read"):
        witness.list_objects()
    bucket.delete(uri)
    with pytest.raises(StorageUnavailable, match="was replaced while it was read"):
        witness.list_objects()


class Huge(FolderStore):
    """A bucket with an object of gigabytes, of which nobody has a sum."""

    def head(self, uri: str) -> ObjectInfo | None:
        return ObjectInfo(uri, HASHED_WHOLE + 1, '"a tag"')

    def open_seekable(self, uri: str) -> BinaryIO:
        raise AssertionError("gigabytes were read to hash them")


def test_gigabytes_are_known_by_tag_and_size() -> None:
    record = describe_object(Huge(), "s3://team-a/gull.zip")
    assert record == ObjectRecord(uri="s3://team-a/gull.zip", size=HASHED_WHOLE + 1, etag='"a tag"')


def test_pages_are_remembered_by_their_content_as_it_was_read_or_kept(tmp_path: Path) -> None:
    home = f"file://{tmp_path}/raw/x/gull"
    STORE.put(f"{home}/old.json", b"an older page")
    witness = RecordingReader(lambda _: STORE)
    pages = witness.open_page_cache(home, "0123456789abcdef")
    assert (pages.load("old.json"), pages.load("none.json")) == (b"an older page", None)
    pages.save("new.json", b"a new page")
    assert [(one.uri, one.sha256) for one in witness.list_objects()] == [
        (f"{home}/new.json", sha256(b"a new page")),
        (f"{home}/old.json", sha256(b"an older page")),
    ]


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ({"archive": {"uri": "s3://team-a/gull.zip"}}, "archive"),
        ({"posts": {"uri": "s3://team-a/posts.txt", "format": "txt"}}, "posts"),
        ({"mastodon": {"uri": "s3://team-a/outbox.json"}}, "mastodon"),
        ({"threads": {"uri": "s3://team-a/meta.zip"}}, "threads"),
        ({"instagram": {"uri": "s3://team-a/meta.zip"}}, "instagram"),
        ({"reddit": {"uri": "s3://team-a/reddit.zip"}}, "reddit"),
    ],
)
def test_a_kind_is_called_as_in_the_manifest(source: dict[str, Any], kind: str) -> None:
    assert get_kind(a_spec(sources=[source]).sources[0]) == kind
