"""Both stores keep the same promises; S3's faults get the names that errors.py has for them."""

import base64
import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions as boto
from botocore.response import StreamingBody
from moto import mock_aws

from tweetbot_contract.handover import ExitCode
from tweetbot_contract.spec.output import S3Output
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused, StageError
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.store import (
    ObjectNotFound,
    ObjectStore,
    StorageUnavailable,
    build_store_opener,
    compute_sha256,
)
from tweetbot_trainer.store.file_records import FileRecord, is_intact
from tweetbot_trainer.store.folder import FolderStore
from tweetbot_trainer.store.s3 import S3Store
from tweetbot_trainer.store.s3_client import create_s3_client, describe_server

BUCKET = "team-a"
NO_WAITING = RetryBudget(0)
#: S3 takes no smaller part, except as the last.
LEAST_PART = 5 * 1024**2


def s3_secrets(folder: Path) -> Path:
    (folder / "s3").mkdir(parents=True)
    (folder / "s3" / "AWS_ACCESS_KEY_ID").write_text("an-id\n", encoding="utf-8")
    (folder / "s3" / "AWS_SECRET_ACCESS_KEY").write_text("a-key\n", encoding="utf-8")
    return folder


@pytest.fixture(params=["s3", "file"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[ObjectStore, str]]:
    """A store, and an address in it below which nothing lies."""
    output = S3Output(uri=f"s3://{BUCKET}/models", region="eu-central-1")
    if request.param == "file":
        yield (
            build_store_opener(output, tmp_path, NO_WAITING, files=True)("file:///a"),
            f"{(tmp_path / '50% of it').as_uri()}/a",
        )
        return
    with mock_aws():
        store = build_store_opener(output, s3_secrets(tmp_path), NO_WAITING)(output.uri)
        place = {"LocationConstraint": "eu-central-1"}
        create_s3_client(output, tmp_path).create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        yield store, f"s3://{BUCKET}/a"


Place = tuple[ObjectStore, str]


def test_a_file_may_have_any_name_that_the_system_takes(tmp_path: Path) -> None:
    """One whose bytes are no UTF-8 among a version's files ended retention, verify and forget."""
    name = b"\xe4 50% \n.bin"
    Path(os.fsdecode(bytes(tmp_path) + b"/" + name)).write_bytes(b"some bytes")
    store = FolderStore()
    (info,) = store.list(f"{tmp_path.as_uri()}/")
    assert [one.uri for one in store.list(f"{tmp_path.as_uri()}/%E4%205")] == [info.uri]
    assert store.get(info.uri) == b"some bytes"


def test_an_address_that_can_be_no_files_is_refused() -> None:
    with pytest.raises(SpecRefused, match="is not the address of a file"):
        FolderStore().find("file:///tmp/a%00b")


def test_what_was_put_is_read_back(place: Place) -> None:
    store, here = place
    store.put(f"{here}/one", b"some bytes")
    assert store.get(f"{here}/one") == b"some bytes"


def test_a_file_is_put_and_downloaded_whole(place: Place, tmp_path: Path) -> None:
    store, here = place
    (tmp_path / "weights").write_bytes(bytes(range(256)) * 40_000)
    store.put(f"{here}/weights", tmp_path / "weights")
    store.download(f"{here}/weights", tmp_path / "back")
    assert compute_sha256(tmp_path / "back") == compute_sha256(tmp_path / "weights")


@pytest.mark.parametrize("read", ["get", "open_seekable"])
def test_reading_what_is_not_there_says_so(place: Place, read: str) -> None:
    store, here = place
    with pytest.raises(ObjectNotFound, match="does not exist: upload it") as failed:
        getattr(store, read)(f"{here}/none")
    assert (failed.value.reason.name, failed.value.exit_code) == ("SourceNotFound", ExitCode.REFUSED)


def test_looking_for_what_is_not_there_finds_nothing(place: Place) -> None:
    store, here = place
    assert (store.find(f"{here}/none"), store.head(f"{here}/none")) == (None, None)


def test_only_the_first_writer_of_an_absent_object_wins(place: Place) -> None:
    store, here = place
    assert [store.put_if_absent(f"{here}/x", body) for body in (b"1", b"2")] == [True, False]
    assert store.get(f"{here}/x") == b"1"


def test_a_changed_object_is_not_written_over(place: Place) -> None:
    store, here = place
    store.put(f"{here}/x", b"1")
    first = store.find(f"{here}/x")
    assert first is not None
    assert store.put_if_match(f"{here}/x", b"2", first.etag)
    assert not store.put_if_match(f"{here}/x", b"3", first.etag)
    assert store.get(f"{here}/x") == b"2"


def test_a_missing_object_matches_no_version(place: Place) -> None:
    store, here = place
    assert not store.put_if_match(f"{here}/none", b"2", '"0123"')


def test_a_head_tells_the_size(place: Place) -> None:
    store, here = place
    store.put(f"{here}/x", b"12345")
    info = store.head(f"{here}/x")
    assert info is not None
    assert (info.size, info.sha256 in (None, compute_sha256(b"12345"))) == (5, True)


def test_a_listing_gives_what_lies_below_and_nothing_else(place: Place) -> None:
    store, here = place
    for name in ("b/2", "b/1", "c", "b/d/3"):
        store.put(f"{here}/{name}", b"12")
    assert [(info.uri, info.size) for info in store.list(f"{here}/b/")] == [
        (f"{here}/b/{name}", 2) for name in ("1", "2", "d/3")
    ]


def test_deleting_twice_is_as_good_as_once(place: Place) -> None:
    store, here = place
    store.put(f"{here}/x", b"1")
    store.delete(f"{here}/x")
    store.delete(f"{here}/x")
    assert store.find(f"{here}/x") is None


def test_a_zip_is_read_where_it_lies(place: Place) -> None:
    store, here = place
    with zipfile.ZipFile(buffer := io.BytesIO(), "w") as archive:
        archive.writestr("data/tweets.js", "window.YTD = []")
    store.put(f"{here}/x.zip", buffer.getvalue())
    with store.open_seekable(f"{here}/x.zip") as file, zipfile.ZipFile(file) as archive:
        assert archive.read("data/tweets.js") == b"window.YTD = []"


def test_an_empty_object_reads_as_nothing(place: Place) -> None:
    store, here = place
    store.put(f"{here}/x", b"")
    with store.open_seekable(f"{here}/x") as file:
        assert file.read() == b""


def test_unfinished_files_are_no_objects(tmp_path: Path) -> None:
    store = FolderStore()
    store.put(f"file://{tmp_path}/a/x", b"1")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["x"]


def test_a_folder_is_refused_in_a_cluster(tmp_path: Path) -> None:
    open_store = build_store_opener(S3Output(uri="s3://team-a"), tmp_path, NO_WAITING)
    with pytest.raises(SpecRefused, match="write s3://bucket/key"):
        open_store("file:///etc/passwd")


def test_a_missing_bucket_is_named(tmp_path: Path) -> None:
    output = S3Output(uri="s3://nowhere/models", region="eu-central-1")
    with mock_aws(), pytest.raises(SpecRefused, match="the bucket s3://nowhere does not exist") as failed:
        build_store_opener(output, s3_secrets(tmp_path), NO_WAITING)(output.uri).put("s3://nowhere/models/x", b"")
    assert failed.value.reason.name == "BucketNotFound"


def test_the_secret_is_read_from_its_files(tmp_path: Path) -> None:
    client = create_s3_client(S3Output(uri="s3://team-a", endpoint="http://127.0.0.1:9"), s3_secrets(tmp_path))
    assert client._request_signer._credentials.access_key == "an-id"


def test_an_endpoint_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    assert create_s3_client(S3Output(uri="s3://team-a"), s3_secrets(tmp_path)).meta.endpoint_url == "http://127.0.0.1:9"
    assert describe_server(S3Output(uri="s3://team-a")).endpoint == "http://127.0.0.1:9"
    assert describe_server(S3Output(uri="s3://team-a", endpoint="http://s3.example")).endpoint == "http://s3.example"


class AnsweringClient:
    """A boto3 client whose next answers are given: exceptions are raised, the rest is returned."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), 0

    def get_object(self, **_: Any) -> Any:
        self.asked += 1
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def an_object(content: bytes) -> dict[str, Any]:
    body = StreamingBody(io.BytesIO(content), len(content))
    return {"Body": body, "ETag": '"1"', "ContentLength": len(content)}


def refused(status: int, code: str) -> boto.ClientError:
    return boto.ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "GetObject")


@pytest.mark.parametrize(
    ("answer", "failure", "reason"),
    [
        (refused(403, "AccessDenied"), NotAuthorized, "NotAuthorized"),
        (refused(404, "InvalidAccessKeyId"), NotAuthorized, "NotAuthorized"),
        (refused(404, "XAdminUserNotFound"), NotAuthorized, "NotAuthorized"),  # versitygw
        (refused(404, "NoSuchTenant"), SpecRefused, "SpecRefused"),
        (refused(403, "SignatureDoesNotMatch"), NotAuthorized, "NotAuthorized"),
        (refused(400, "ExpiredToken"), NotAuthorized, "NotAuthorized"),
        (boto.NoCredentialsError(), NotAuthorized, "NotAuthorized"),
        (refused(404, "NoSuchBucket"), SpecRefused, "BucketNotFound"),
        (refused(404, "NoSuchKey"), ObjectNotFound, "SourceNotFound"),
        (refused(301, "PermanentRedirect"), SpecRefused, "SpecRefused"),
        (refused(501, "NotImplemented"), SpecRefused, "StorageUnsupported"),
        (refused(400, "InvalidRequest"), SpecRefused, "SpecRefused"),
        (refused(503, "SlowDown"), StorageUnavailable, "StorageUnavailable"),
        (refused(404, "NoSuchUpload"), StorageUnavailable, "StorageUnavailable"),  # the first request's answer was lost
        (refused(500, ""), StorageUnavailable, "StorageUnavailable"),
        (refused(409, "ConditionalRequestConflict"), StorageUnavailable, "StorageUnavailable"),
        (boto.EndpointConnectionError(endpoint_url="http://s3"), StorageUnavailable, "StorageUnavailable"),
        (boto.ReadTimeoutError(endpoint_url="http://s3"), StorageUnavailable, "StorageUnavailable"),
        (boto.IncompleteReadError(actual_bytes=1, expected_bytes=2), StorageUnavailable, "StorageUnavailable"),
    ],
)
def test_each_answer_of_s3_has_its_reason(answer: Exception, failure: type[StageError], reason: str) -> None:
    with pytest.raises(failure) as failed:
        S3Store(AnsweringClient(answer), NO_WAITING).get("s3://team-a/x")
    assert failed.value.reason.name == reason


def test_a_storage_that_comes_back_in_time_is_waited_for() -> None:
    pauses: list[float] = []
    client = AnsweringClient(refused(503, "SlowDown"), refused(500, ""), an_object(b"late"))
    assert S3Store(client, RetryBudget(600, sleep=pauses.append)).get("s3://team-a/x") == b"late"
    assert len(pauses) == 2


class GrowingFileClient:
    """A server that is busy at the first request, while the file that it is sent grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.taken: list[tuple[str, bytes]] = []

    def put_object(self, *, Body: Any, ChecksumSHA256: str, **_: Any) -> dict[str, Any]:
        self.taken.append((ChecksumSHA256, Body.read()))
        if len(self.taken) == 1:
            self.path.write_bytes(b"a log that goes on")
            raise refused(503, "SlowDown")
        return {"ETag": '"1"'}


def test_a_file_that_grows_meanwhile_is_sent_with_its_own_checksum(tmp_path: Path) -> None:
    """W&B's core goes on writing its log; the stale checksum was refused again and again, for half an hour."""
    (tmp_path / "debug.log").write_bytes(b"a log")
    client = GrowingFileClient(tmp_path / "debug.log")
    S3Store(client, RetryBudget(600, sleep=lambda _: None)).put("s3://team-a/debug.log", tmp_path / "debug.log")
    checksum, content = client.taken[-1]
    assert content == b"a log that goes on"
    assert base64.b64decode(checksum) == hashlib.sha256(content).digest()


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[Any]:
    """A client of a server that holds a bucket."""
    with mock_aws():
        client = create_s3_client(S3Output(uri=f"s3://{BUCKET}", region="us-east-1"), s3_secrets(tmp_path))
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.mark.parametrize("checksums", [True, False])
def test_a_file_too_large_for_one_request_goes_in_parts(bucket: Any, tmp_path: Path, checksums: bool) -> None:
    """The weights of gpt2-xl have 6 GB, and S3 refused them when all was trained."""
    (tmp_path / "weights").write_bytes(content := b"w" * (LEAST_PART + 1))
    store = S3Store(bucket, NO_WAITING, checksums=checksums, largest=LEAST_PART, part=LEAST_PART)
    store.put(f"s3://{BUCKET}/weights", tmp_path / "weights")
    assert bucket.head_object(Bucket=BUCKET, Key="weights", PartNumber=1)["PartsCount"] == 2
    record = FileRecord(sha256=compute_sha256(content), size=len(content))
    assert is_intact(store, f"s3://{BUCKET}/weights", record)


def test_a_file_in_parts_replaces_nothing_that_was_written_meanwhile(bucket: Any, tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"weights")
    store, uri = S3Store(bucket, NO_WAITING, largest=1), f"s3://{BUCKET}/weights"
    assert store.put_if_absent(uri, tmp_path / "weights")
    (tmp_path / "weights").write_bytes(b"others")
    assert not store.put_if_absent(uri, tmp_path / "weights")
    assert store.get(uri) == b"weights"
    assert "Uploads" not in bucket.list_multipart_uploads(Bucket=BUCKET)


def test_parts_of_a_file_that_does_not_arrive_are_taken_back(
    bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(**_: Any) -> None:
        raise refused(403, "AccessDenied")

    monkeypatch.setattr(bucket, "complete_multipart_upload", refusing)
    (tmp_path / "weights").write_bytes(b"weights")
    with pytest.raises(NotAuthorized):
        S3Store(bucket, NO_WAITING, largest=1).put(f"s3://{BUCKET}/weights", tmp_path / "weights")
    assert "Uploads" not in bucket.list_multipart_uploads(Bucket=BUCKET)


def test_an_erasure_removes_the_parts_of_killed_uploads_and_those_of_nobody_else(bucket: Any) -> None:
    for key in ("gull/models/v1/weights", "gull2/weights"):
        bucket.create_multipart_upload(Bucket=BUCKET, Key=key)
    assert list(S3Store(bucket, NO_WAITING).erase(f"s3://{BUCKET}/gull/")) == []
    assert [left["Key"] for left in bucket.list_multipart_uploads(Bucket=BUCKET)["Uploads"]] == ["gull2/weights"]


def test_a_fault_costs_one_part_and_not_the_whole_upload(
    bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, upload_part = list[int](), bucket.upload_part

    def busy_once(*, PartNumber: int, ChecksumSHA256: str, **given: Any) -> Any:
        sent.append(PartNumber)
        if sent == [1, 2]:
            raise refused(503, "SlowDown")
        return upload_part(PartNumber=PartNumber, ChecksumSHA256=ChecksumSHA256, **given)

    monkeypatch.setattr(bucket, "upload_part", busy_once)
    (tmp_path / "weights").write_bytes(b"w" * (2 * LEAST_PART + 1))
    store = S3Store(bucket, RetryBudget(600, sleep=lambda _: None), largest=1, part=LEAST_PART)
    store.put(f"s3://{BUCKET}/weights", tmp_path / "weights")
    assert sent == [1, 2, 2, 3]
    assert len(store.get(f"s3://{BUCKET}/weights")) == 2 * LEAST_PART + 1


def test_all_requests_share_the_time_there_is_to_wait() -> None:
    now = [0.0]

    def pause(seconds: float) -> None:
        now[0] += seconds

    client = AnsweringClient(*[refused(503, "SlowDown")] * 10_000)
    store = S3Store(client, RetryBudget(600, sleep=pause, clock=lambda: now[0]))
    for _ in range(2):
        with pytest.raises(StorageUnavailable):
            store.get("s3://team-a/x")
    assert now[0] == pytest.approx(600, abs=1)


def test_a_wrong_key_is_not_asked_about_twice() -> None:
    client = AnsweringClient(refused(403, "AccessDenied"))
    with pytest.raises(NotAuthorized):
        S3Store(client, RetryBudget(600)).get("s3://team-a/x")
    assert client.asked == 1


def test_a_broken_connection_costs_one_range() -> None:
    broken = an_object(b"0123456789") | {"Body": StreamingBody(io.BytesIO(b"0123"), 10)}
    client = AnsweringClient(an_object(b"0123456789"), broken, an_object(b"0123456789"))
    store = S3Store(client, RetryBudget(600, sleep=lambda _: None))
    assert store.open_seekable("s3://team-a/x").read() == b"0123456789"
