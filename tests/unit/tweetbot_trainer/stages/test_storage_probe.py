"""The bucket is tried before the first post is fetched; what it lacks is named, with what to do."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builders.stages import a_context, a_local_run, a_source
from tweetbot_fakes.remotes.s3_server import Answer, Asked, FakeS3, page, refusal
from tweetbot_trainer.runtime.errors import SpecRefused, StageError
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.stages.prepare import prepare
from tweetbot_trainer.stages.storage_probe import probe_storage
from tweetbot_trainer.store import build_store_opener

#: The key of the bot's prefix.
PREFIX = "models/team-a/gull"


@pytest.fixture
def s3() -> Iterator[FakeS3]:
    with FakeS3() as server:
        yield server


def no_sleep(seconds: float) -> None:
    """Spend no time where a budget waits."""


def fail_to_sleep(seconds: float) -> None:
    """Fail where a budget waits."""
    raise AssertionError(seconds)


def at(
    s3: FakeS3,
    folder: Path,
    *,
    base: str = "scratch://mini",
    sleep: Callable[[float], None] = no_sleep,
    **output: Any,
) -> StageContext:
    """Return a prepare stage that writes to the server; keywords are fields of output.s3."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        (folder / "secrets" / "s3").mkdir(parents=True, exist_ok=True)
        (folder / "secrets" / "s3" / name).write_text("a-key", encoding="ascii")
    fields = {
        "uri": "s3://bucket/models",
        "endpoint": s3.url,
        "region": "us-east-1",
        "addressingStyle": "Path",
        **output,
    }
    run = a_local_run(folder, spec={"output": {"s3": fields}, "model": {"base": base}})
    budget = RetryBudget(600, sleep=sleep)
    open_store = build_store_opener(run.spec.output.s3, folder / "secrets", budget, files=True)
    return replace(a_context(folder, run), open_store=open_store, retry_budget=budget)


def refused(context: StageContext) -> StageError:
    """Return what the probe ends with."""
    with pytest.raises(StageError) as failed:
        probe_storage(context)
    return failed.value


def writes(asked: Asked) -> bool:
    return asked.method == "PUT"


def test_a_good_store_is_probed_and_nothing_is_left_but_the_record(s3: FakeS3, tmp_path: Path) -> None:
    probe_storage(at(s3, tmp_path))
    assert list(s3.objects) == [f"{PREFIX}/storage-probe.json"]


def test_the_next_run_asks_for_the_record_alone(s3: FakeS3, tmp_path: Path) -> None:
    probe_storage(at(s3, tmp_path))
    s3.requests.clear()
    probe_storage(at(s3, tmp_path))
    assert [asked.key for asked in s3.requests] == [f"{PREFIX}/storage-probe.json"]


@pytest.mark.parametrize(
    "output",
    [
        {"checksumMode": "WhenRequired"},
        {"conditionalWrites": "Unsupported"},
        {"kmsKeyId": "alias/gulls"},
        {"credentialsSecret": {"name": "another"}},
        {"region": "eu-central-1"},
    ],
)
def test_another_way_to_reach_the_bucket_is_probed_again(s3: FakeS3, tmp_path: Path, output: dict[str, Any]) -> None:
    probe_storage(at(s3, tmp_path))
    s3.requests.clear()
    probe_storage(at(s3, tmp_path, **output))
    assert any(map(writes, s3.requests))


def test_another_trainer_version_probes_again(s3: FakeS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probe_storage(at(s3, tmp_path))
    s3.requests.clear()
    monkeypatch.setattr("tweetbot_trainer.stages.storage_probe.describe_program", lambda: "TweetBot operator 99")
    probe_storage(at(s3, tmp_path))
    assert any(map(writes, s3.requests))


def test_a_record_that_cannot_be_written_ends_no_run(s3: FakeS3, tmp_path: Path) -> None:
    s3.refuse(lambda asked: writes(asked) and asked.key.endswith("probe.json"), refusal(403, "AccessDenied"))
    probe_storage(at(s3, tmp_path))
    assert s3.objects == {}


LACKS: list[tuple[str, Callable[[FakeS3], None], str, tuple[str, ...]]] = [
    (
        "conditional PUT answered 501",
        lambda s3: s3.refuse(lambda asked: asked.conditional, refusal(501, "NotImplemented", "A header you provided")),
        "StorageUnsupported",
        ("conditional writes", "conditionalWrites: Unsupported"),
    ),
    (
        "conditional PUT answered 501 by a proxy's page",
        lambda s3: s3.refuse(lambda asked: asked.conditional, page(501)),
        "StorageUnsupported",
        ("conditional writes", "conditionalWrites: Unsupported"),
    ),
    (
        "conditional PUT denied",
        lambda s3: s3.refuse(lambda asked: asked.conditional, refusal(403, "AccessDenied")),
        "StorageUnsupported",
        ("conditional writes", "conditionalWrites: Unsupported"),
    ),
    (
        "If-None-Match ignored",
        lambda s3: s3.ignores.add("if-none-match"),
        "StorageUnsupported",
        ("conditional writes", "If-None-Match is ignored", "conditionalWrites: Unsupported"),
    ),
    (
        "If-Match ignored",
        lambda s3: s3.ignores.add("if-match"),
        "StorageUnsupported",
        ("conditional writes", "If-Match is ignored", "conditionalWrites: Unsupported"),
    ),
    (
        "If-Match always refused",
        lambda s3: s3.refuse(
            lambda asked: "if-match" in asked.headers and writes(asked), refusal(412, "PreconditionFailed")
        ),
        "StorageUnsupported",
        ("conditional writes", "conditionalWrites: Unsupported"),
    ),
    *(
        (
            f"checksum headers answered {status} {code}",
            lambda s3, status=status, code=code: s3.refuse(
                lambda asked: writes(asked) and asked.checked, refusal(status, code, "no")
            ),
            "StorageUnsupported",
            ("checksums", "checksumMode: WhenRequired"),
        )
        for status, code in [
            (403, "SignatureDoesNotMatch"),
            (400, "InvalidRequest"),
            (400, "InvalidArgument"),
            (400, "XAmzContentSHA256Mismatch"),
            (501, "NotImplemented"),
            (403, "AccessDenied"),
            (400, "SomethingUnheardOf"),
        ]
    ),
    (
        "wrong key",
        lambda s3: s3.refuse(lambda asked: True, refusal(403, "SignatureDoesNotMatch")),
        "NotAuthorized",
        ("writing", "AWS_SECRET_ACCESS_KEY"),
    ),
    (
        "a cache that answers with something else",
        lambda s3: s3.refuse(
            lambda asked: asked.method == "GET" and "storage-probe/" in asked.key, Answer(200, b"old", {"etag": '"1"'})
        ),
        "StorageUnsupported",
        ("reading back", "not what was written"),
    ),
    (
        "a proxy that drops a header of reads",
        lambda s3: s3.refuse(lambda asked: "range" in asked.headers, refusal(403, "SignatureDoesNotMatch")),
        "StorageUnsupported",
        ("reading back", "pass on every header"),
    ),
    (
        "deleting denied",
        lambda s3: s3.refuse(lambda asked: asked.method == "DELETE", refusal(403, "AccessDenied")),
        "NotAuthorized",
        ("deleting", "s3:DeleteObject"),
    ),
    (
        "deleting without effect",
        lambda s3: s3.refuse(lambda asked: asked.method == "DELETE", refusal(204, "")),
        "StorageUnsupported",
        ("deleting",),
    ),
    (
        "listing denied",
        lambda s3: s3.refuse(lambda asked: "list-type" in asked.query, refusal(403, "AccessDenied")),
        "NotAuthorized",
        ("listing", "s3:ListBucket"),
    ),
    (
        "listing a page of a proxy",
        lambda s3: s3.refuse(lambda asked: "list-type" in asked.query, page(200)),
        "EndpointNotS3",
        ("listing", "output.s3.endpoint"),
    ),
    (
        "a sign-in page for everything",
        lambda s3: s3.refuse(lambda asked: True, page(200)),
        "EndpointNotS3",
        ("web page", "output.s3.endpoint"),
    ),
    (
        "a page of status 403",
        lambda s3: s3.refuse(lambda asked: True, page(403)),
        "EndpointNotS3",
        ("web page", "output.s3.endpoint"),
    ),
    (
        "an empty 200 for everything",
        lambda s3: s3.refuse(lambda asked: True, page(200, "", **{"content-type": "text/plain"})),
        "EndpointNotS3",
        ("without ETag", "output.s3.endpoint"),
    ),
    (
        "redirects without end",
        lambda s3: s3.refuse(lambda asked: True, page(302, location=f"{s3.url}/again?token=secret")),
        "EndpointNotS3",
        ("redirect (302)", "output.s3.endpoint"),
    ),
    (
        "a redirect to another region without end",
        lambda s3: s3.refuse(
            lambda asked: True, refusal(301, "PermanentRedirect", **{"x-amz-bucket-region": "eu-west-9"})
        ),
        "SpecRefused",
        ("output.s3.region",),
    ),
    (
        "a bucket that is full",
        lambda s3: s3.refuse(writes, refusal(403, "QuotaExceeded")),
        "StorageFull",
        ("writing", "make room"),
    ),
    (
        "a disk that is full",
        lambda s3: s3.refuse(writes, refusal(507, "XMinioStorageFull")),
        "StorageFull",
        ("writing", "make room"),
    ),
    (
        "a proxy that takes no file of 2 MiB",
        lambda s3: s3.refuse(lambda asked: len(asked.body) > 2**20, page(413)),
        "StorageUnsupported",
        ("writing", "client_max_body_size"),
    ),
    (
        "a bucket that does not exist",
        lambda s3: s3.refuse(lambda asked: True, refusal(404, "NoSuchBucket")),
        "BucketNotFound",
        ("create it",),
    ),
]


#: What a proxy may have said. It is named as soon as all else, and tried again.
MAY_PASS = {
    "conditional PUT answered 501 by a proxy's page",
    "listing a page of a proxy",
    "a sign-in page for everything",
    "a page of status 403",
    "an empty 200 for everything",
    "redirects without end",
    "a proxy that takes no file of 2 MiB",
}


@pytest.mark.parametrize(("name", "lack", "reason", "words"), LACKS, ids=[row[0] for row in LACKS])
def test_what_is_missing_is_named_before_a_post_is_fetched(
    s3: FakeS3, tmp_path: Path, name: str, lack: Callable[[FakeS3], None], reason: str, words: tuple[str, ...]
) -> None:
    """501 for If-None-Match was found out after the whole training, with advice about checksums."""
    lack(s3)
    with pytest.raises(StageError) as failed:
        prepare(at(s3, tmp_path, sleep=fail_to_sleep))  # there is no posts.txt: a source that is opened would say so
    assert failed.value.reason.name == reason
    assert failed.value.exit_code in ((75,) if name in MAY_PASS else (10, 11))
    assert [word for word in words if word not in failed.value.message] == []
    assert "secret" not in failed.value.message


def test_what_was_written_for_a_probe_that_failed_is_taken_away(s3: FakeS3, tmp_path: Path) -> None:
    s3.ignores.add("if-none-match")
    refused(at(s3, tmp_path))
    assert s3.objects == {}


def test_a_store_that_is_away_is_waited_for(s3: FakeS3, tmp_path: Path) -> None:
    away = [refusal(503, "SlowDown")] * 3
    s3.refuse(lambda asked: bool(away) and writes(asked) and away.pop() is not None, refusal(503, "SlowDown"))
    probe_storage(at(s3, tmp_path))
    assert list(s3.objects) == [f"{PREFIX}/storage-probe.json"]


@pytest.mark.parametrize(
    ("base", "asked_for"), [("scratch://mini", False), ("hf://gpt2", False), ("hf://gpt2-xl", True), ("hf://a/b", True)]
)
def test_parts_are_tried_where_a_file_may_need_them(s3: FakeS3, tmp_path: Path, base: str, asked_for: bool) -> None:
    probe_storage(at(s3, tmp_path, base=base))
    assert any("uploads" in asked.query for asked in s3.requests) == asked_for
    assert list(s3.objects) == [f"{PREFIX}/storage-probe.json"]


@pytest.mark.parametrize("answer", [refusal(501, "NotImplemented"), refusal(403, "AccessDenied"), page(405)])
def test_a_store_without_parts_serves_what_is_small(s3: FakeS3, tmp_path: Path, answer: Any) -> None:
    s3.refuse(lambda asked: asked.method == "POST", answer)
    probe_storage(at(s3, tmp_path))
    error = refused(at(s3, tmp_path, base="hf://gpt2-xl"))
    assert error.reason.name == "StorageUnsupported"
    assert "multipart uploads" in error.message


def test_a_base_in_the_bucket_is_measured(s3: FakeS3, tmp_path: Path) -> None:
    s3.refuse(lambda asked: asked.method == "POST", refusal(501, "NotImplemented"))
    s3.objects["base/model.safetensors"] = b"small"
    probe_storage(at(s3, tmp_path, base="s3://bucket/base"))


def test_one_cluster_may_use_a_store_without_conditional_writes(s3: FakeS3, tmp_path: Path) -> None:
    s3.refuse(lambda asked: asked.conditional, refusal(501, "NotImplemented"))
    context = at(s3, tmp_path, conditionalWrites="Unsupported")
    a_source(tmp_path)
    assert prepare(context).dataset.table.kept > 0
    store, uri = context.store, "s3://bucket/models/x"
    assert (store.put_if_absent(uri, b"1"), store.put_if_absent(uri, b"2"), store.get(uri)) == (True, False, b"1")
    found = store.find(uri)
    assert found is not None
    assert (store.put_if_match(uri, b"3", found.etag), store.put_if_match(uri, b"4", found.etag)) == (True, False)
    assert not store.put_if_match(f"{uri}-none", b"5", found.etag)
    assert store.get(uri) == b"3"


def test_a_key_encrypts_all_that_is_written(s3: FakeS3, tmp_path: Path) -> None:
    probe_storage(at(s3, tmp_path, base="hf://gpt2-xl", kmsKeyId="alias/gulls"))
    begun = [asked for asked in s3.requests if writes(asked) and "partNumber" not in asked.query]
    begun += [asked for asked in s3.requests if "uploads" in asked.query]
    headers = ("x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id")
    assert {tuple(asked.headers.get(name) for name in headers) for asked in begun} == {("aws:kms", "alias/gulls")}


def test_erasing_writes_by_the_key_too(s3: FakeS3, tmp_path: Path) -> None:
    """It finds out by a write whether the bucket keeps versions; a bucket may take none without the key."""
    store = at(s3, tmp_path, kmsKeyId="alias/gulls").store
    s3.objects[f"{PREFIX}/x"] = b"x"
    s3.refuse(lambda asked: "versions" in asked.query, refusal(403, "AccessDenied"))
    assert list(store.erase(f"s3://bucket/{PREFIX}/")) == [f"s3://bucket/{PREFIX}/x"]
    assert {"x-amz-server-side-encryption" in asked.headers for asked in s3.requests if writes(asked)} == {True}


def test_a_store_that_passes_over_the_key_is_refused(s3: FakeS3, tmp_path: Path) -> None:
    """Else posts lie unencrypted where the manifest says that they are not."""
    s3.ignores |= {"x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id"}
    error = refused(at(s3, tmp_path, kmsKeyId="alias/gulls"))
    assert (error.reason.name, type(error)) == ("EncryptionRefused", SpecRefused)
    assert "output.s3.kmsKeyId" in error.message


def test_a_store_that_passes_over_the_key_of_parts_is_refused(s3: FakeS3, tmp_path: Path) -> None:
    begun = b"<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
    answer = Answer(200, begun, {"content-type": "application/xml"})
    s3.refuse(lambda asked: "uploads" in asked.query, answer)
    error = refused(at(s3, tmp_path, base="hf://gpt2-xl", kmsKeyId="alias/gulls"))
    assert "without the KMS key" in error.message
    assert not any("partNumber" in asked.query for asked in s3.requests)


@pytest.mark.parametrize(
    "answer",
    [
        refusal(400, "KMS.DisabledException", "arn:aws:kms:… is disabled."),
        refusal(403, "AccessDenied", "not authorized to perform: kms:GenerateDataKey on resource"),
        refusal(400, "InvalidArgument", "Server Side Encryption with KMS managed key requires HTTP header"),
        refusal(501, "NotImplemented"),
    ],
)
def test_a_key_that_cannot_be_used_is_named(s3: FakeS3, tmp_path: Path, answer: Any) -> None:
    s3.refuse(lambda asked: "x-amz-server-side-encryption" in asked.headers, answer)
    error = refused(at(s3, tmp_path, kmsKeyId="alias/gulls"))
    assert error.reason.name == "EncryptionRefused"
    assert "kmsKeyId" in error.message
