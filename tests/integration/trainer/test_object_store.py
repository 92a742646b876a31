"""The trainer's door to S3 on a server that checks sums and keys and honours conditions."""

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_contract.spec.output import S3Output
from tweetbot_fakes.remotes.s3_server import S3Proxy, refusal
from tweetbot_trainer.runtime.errors import StageError
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.store import ObjectStore, build_store_opener, compute_sha256
from tweetbot_trainer.store.probe import StorageProbe
from tweetbot_trainer.store.s3 import S3Store

BUCKET = "store-test"


@pytest.fixture(scope="module")
def output(home: EmbeddedCluster) -> S3Output:
    """A bucket of its own on an object store that runs from here on."""
    home.start("versitygw")
    home.s3().create_bucket(Bucket=BUCKET)
    return S3Output(uri=f"s3://{BUCKET}/models", endpoint=home.s3_endpoint, region="us-east-1")


def opened(output: S3Output, folder: Path, access_key: str, secret_key: str) -> ObjectStore:
    (folder / "s3").mkdir(parents=True, exist_ok=True)
    (folder / "s3" / "AWS_ACCESS_KEY_ID").write_text(access_key, encoding="utf-8")
    (folder / "s3" / "AWS_SECRET_ACCESS_KEY").write_text(secret_key, encoding="utf-8")
    return build_store_opener(output, folder, RetryBudget(0))(output.uri)


@pytest.fixture
def store(home: EmbeddedCluster, output: S3Output, tmp_path: Path) -> ObjectStore:
    """The trainer's store with the right key."""
    return opened(output, tmp_path, home.s3_access_key, home.s3_secret_key)


def test_the_server_keeps_the_sum_of_what_was_put(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(bytes(range(256)) * 40_000)
    store.put(f"s3://{BUCKET}/weights", tmp_path / "weights")
    info = store.head(f"s3://{BUCKET}/weights")
    assert info is not None
    assert info.sha256 == compute_sha256(tmp_path / "weights")
    store.download(f"s3://{BUCKET}/weights", tmp_path / "back")
    assert compute_sha256(tmp_path / "back") == info.sha256


def test_a_file_in_parts_is_whole_and_its_sum_is_not_taken_for_the_files(
    home: EmbeddedCluster, store: ObjectStore, tmp_path: Path
) -> None:
    (tmp_path / "weights").write_bytes(bytes(range(256)) * 40_000)
    part = 5 * 1024**2
    S3Store(home.s3(), RetryBudget(0), largest=part, part=part).put(f"s3://{BUCKET}/parts", tmp_path / "weights")
    info = store.head(f"s3://{BUCKET}/parts")
    assert info is not None
    assert info.sha256 is None
    store.download(f"s3://{BUCKET}/parts", tmp_path / "back")
    assert compute_sha256(tmp_path / "back") == compute_sha256(tmp_path / "weights")


def test_the_server_refuses_a_body_that_does_not_fit_its_sum(home: EmbeddedCluster, output: S3Output) -> None:
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    with pytest.raises(ClientError, match="BadDigest"):
        home.s3().put_object(Bucket=BUCKET, Key="wrong", Body=b"this", ChecksumSHA256=wrong)


def test_of_many_first_writers_one_wins(store: ObjectStore) -> None:
    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(lambda n: store.put_if_absent(f"s3://{BUCKET}/race", str(n).encode()), range(16)))
    assert won.count(True) == 1
    assert store.get(f"s3://{BUCKET}/race") == str(won.index(True)).encode()


def test_a_swap_holds_against_a_changed_object(store: ObjectStore) -> None:
    store.put(f"s3://{BUCKET}/swap", b"1")
    first = store.find(f"s3://{BUCKET}/swap")
    assert first is not None
    assert store.put_if_match(f"s3://{BUCKET}/swap", b"2", first.etag)
    assert not store.put_if_match(f"s3://{BUCKET}/swap", b"3", first.etag)
    assert not store.put_if_match(f"s3://{BUCKET}/none", b"3", first.etag)


@pytest.mark.parametrize(
    ("access_key", "secret_key", "uri", "reason"),
    [
        ("wrong", "right", f"s3://{BUCKET}/x", "NotAuthorized"),
        ("right", "wrong", f"s3://{BUCKET}/x", "NotAuthorized"),
        ("right", "right", "s3://nowhere/x", "BucketNotFound"),
        ("right", "right", f"s3://{BUCKET}/x", "SourceNotFound"),
    ],
)
def test_each_refusal_has_its_reason(
    home: EmbeddedCluster, output: S3Output, tmp_path: Path, access_key: str, secret_key: str, uri: str, reason: str
) -> None:
    access = home.s3_access_key if access_key == "right" else access_key
    secret = home.s3_secret_key if secret_key == "right" else secret_key
    store = opened(output, tmp_path, access, secret)
    for read in (store.get, store.open_seekable):
        with pytest.raises(StageError) as failed:
            read(uri)
        assert failed.value.reason.name == reason


def test_a_folder_is_erased_and_what_begins_alike_stays(store: ObjectStore) -> None:
    for name in ("gull/latest.json", "gull/models/v1/config.json", "gull2/latest.json", "gull.zip"):
        store.put(f"s3://{BUCKET}/erase/{name}", b"x")
    erased = sorted(store.erase(f"s3://{BUCKET}/erase/gull/"))
    assert erased == [f"s3://{BUCKET}/erase/gull/{name}" for name in ("latest.json", "models/v1/config.json")]
    assert list(store.erase(f"s3://{BUCKET}/erase/gull/")) == []
    left = [info.uri.rpartition("/erase/")[2] for info in store.list(f"s3://{BUCKET}/erase/")]
    assert left == ["gull.zip", "gull2/latest.json"]


def probe(output: S3Output, home: EmbeddedCluster, folder: Path) -> None:
    """Try the server as Prepare does, parts included."""

    def open_s3(output: S3Output) -> S3Store:
        store = opened(output, folder, home.s3_access_key, home.s3_secret_key)
        assert isinstance(store, S3Store)
        return store

    StorageProbe(open_s3, output, f"{output.uri}/storage-probe", folder, multipart=True).run()


def test_a_real_server_has_all_that_is_probed_and_is_left_as_it_was(
    home: EmbeddedCluster, output: S3Output, tmp_path: Path
) -> None:
    probe(output, home, tmp_path)
    assert "Contents" not in home.s3().list_objects_v2(Bucket=BUCKET, Prefix="models/storage-probe")


@pytest.mark.parametrize("ignores", [set(), {"if-none-match"}])
def test_a_proxy_that_lets_no_condition_through_is_named(
    home: EmbeddedCluster, output: S3Output, tmp_path: Path, ignores: set[str]
) -> None:
    """By refusing it, or by dropping the header, after which the signature no longer fits."""
    with S3Proxy(output.endpoint or "") as proxy:
        proxy.ignores |= ignores
        if not ignores:
            proxy.refuse(lambda asked: asked.conditional, refusal(501, "NotImplemented"))
        through = output.model_copy(update={"endpoint": proxy.url})
        with pytest.raises(StageError, match=r"conditional writes .*conditionalWrites: Unsupported") as failed:
            probe(through, home, tmp_path)
        assert failed.value.reason.name == "StorageUnsupported"
        probe(through.model_copy(update={"conditional_writes": "Unsupported"}), home, tmp_path)


@pytest.mark.parametrize("status", [403, 400])
def test_a_proxy_that_lets_no_checksum_through_is_named(
    home: EmbeddedCluster, output: S3Output, tmp_path: Path, status: int
) -> None:
    with S3Proxy(output.endpoint or "") as proxy:
        code = "SignatureDoesNotMatch" if status == 403 else "InvalidRequest"
        proxy.refuse(lambda asked: asked.method == "PUT" and asked.checked, refusal(status, code))
        through = output.model_copy(update={"endpoint": proxy.url})
        with pytest.raises(StageError, match=r"checksums failed.*checksumMode: WhenRequired"):
            probe(through, home, tmp_path)
        probe(through.model_copy(update={"checksum_mode": "WhenRequired"}), home, tmp_path)


def test_objects_of_a_name_are_erased_and_others_stay(store: ObjectStore) -> None:
    for name in ("a/x.hashes", "a/b/x.hashes", "a/x.hashes.json", "a/ax.hashes", "ab/x.hashes"):
        store.put(f"s3://{BUCKET}/named/{name}", b"x")
    erased = sorted(store.erase_named(f"s3://{BUCKET}/named/a/", "x.hashes"))
    assert erased == [f"s3://{BUCKET}/named/a/{name}" for name in ("b/x.hashes", "x.hashes")]
    left = [info.uri.rpartition("/named/")[2] for info in store.list(f"s3://{BUCKET}/named/")]
    assert left == ["a/ax.hashes", "a/x.hashes.json", "ab/x.hashes"]


def test_an_erasure_removes_the_parts_of_killed_uploads_and_those_of_nobody_else(
    home: EmbeddedCluster, store: ObjectStore
) -> None:
    for key in ("parts/gull/weights", "parts/gull2/weights"):
        home.s3().create_multipart_upload(Bucket=BUCKET, Key=key)
    assert list(store.erase(f"s3://{BUCKET}/parts/gull/")) == []
    left = home.s3().list_multipart_uploads(Bucket=BUCKET, Prefix="parts/")["Uploads"]
    assert [upload["Key"] for upload in left] == ["parts/gull2/weights"]
