"""What S3 servers answer when they refuse, as the real boto3 reads it: a reason and advice for each."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tweetbot_contract.spec.output import S3Output
from tweetbot_fakes.remotes.s3_server import Answer, FakeS3, page, refusal
from tweetbot_trainer.runtime.errors import NotAuthorized, StageError, TemporaryError
from tweetbot_trainer.runtime.refusals import Meaning
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.store import ObjectStore, build_store_opener
from tweetbot_trainer.store.answers import CONDITIONAL_WRITE, TABLE

ROOT = Path(__file__).parents[4]
URI = "s3://team-a/x"


@pytest.fixture(scope="module")
def server() -> Iterator[FakeS3]:
    with FakeS3() as server:
        yield server


@pytest.fixture(scope="module")
def output(server: FakeS3) -> S3Output:
    return S3Output(uri="s3://team-a", endpoint=server.url, region="us-east-1", addressing_style="Path")


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with keys, as a Pod has it."""
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "s3").mkdir()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        (folder / "s3" / name).write_text("a-key", encoding="ascii")
    return folder


@pytest.fixture(scope="module")
def store(output: S3Output, secrets: Path) -> ObjectStore:
    """The server's bucket, by one client: to make one takes longer than a test."""
    return build_store_opener(output, secrets, RetryBudget(0))(output.uri)


@pytest.fixture
def s3(server: FakeS3) -> FakeS3:
    """The server, as if it had just started."""
    server.reset()
    return server


def get(store: ObjectStore) -> None:
    store.get(URI)


def put(store: ObjectStore) -> None:
    store.put(URI, b"a body")


def put_if_absent(store: ObjectStore) -> None:
    store.put_if_absent(URI, b"a body")


def delete(store: ObjectStore) -> None:
    store.delete(URI)


def listed(store: ObjectStore) -> None:
    tuple(store.list(f"{URI}/"))


def head(store: ObjectStore) -> None:
    store.head(URI)


Act = Callable[[ObjectStore], None]
#: server and case: (what was asked, the answer, the reason, a part of the advice)
ANSWERS: dict[str, tuple[Act, Answer, str, str]] = {
    "AWS, a key of another account": (get, refusal(403, "InvalidAccessKeyId"), "NotAuthorized", "AWS_ACCESS_KEY_ID"),
    "AWS, a wrong secret": (get, refusal(403, "SignatureDoesNotMatch", "The request signature we calculated does not "
                            "match the signature you provided."), "NotAuthorized", "AWS_SECRET_ACCESS_KEY"),
    "AWS, an expired token": (put, refusal(400, "ExpiredToken"), "NotAuthorized", "AWS_SESSION_TOKEN"),
    "AWS, no permission": (put, refusal(403, "AccessDenied", "Access Denied"), "NotAuthorized", "s3:PutObject"),
    "AWS, no permission for the key": (
        put, refusal(403, "AccessDenied", "User: arn:aws:iam::1:user/gull is not authorized to perform: "
                     "kms:GenerateDataKey on resource: arn:aws:kms:us-east-1:1:key/2"),
        "EncryptionRefused", "kms:Decrypt"),
    "AWS, a key that is off": (put, refusal(400, "KMS.DisabledException"), "EncryptionRefused", "enable the key"),
    "AWS, a source in Glacier": (get, refusal(403, "InvalidObjectState"), "ObjectArchived", "restore it"),
    "AWS, a retained version": (
        delete, refusal(403, "AccessDenied", "Access Denied because object protected by object lock."),
        "ObjectLocked", "wait until it ends"),
    "AWS, another region": (
        get, refusal(301, "PermanentRedirect", **{"x-amz-bucket-region": "eu-west-9"}),
        "SpecRefused", "output.s3.region"),
    "any, a region that is not named": (get, refusal(301, "PermanentRedirect"), "SpecRefused", "output.s3.region"),
    "AWS, a region in the signature": (
        get, refusal(400, "AuthorizationHeaderMalformed", "the region 'a' is wrong; expecting 'b'"),
        "SpecRefused", "output.s3.region"),
    "AWS, a clock that is wrong": (get, refusal(403, "RequestTimeTooSkewed"), "StorageUnavailable", "clocks"),
    "AWS, too many requests": (get, refusal(503, "SlowDown"), "StorageUnavailable", "again"),
    "AWS, a bucket that is being made": (get, refusal(307, "TemporaryRedirect"), "StorageUnavailable", "again"),
    "GCS, a checksum header": (
        put, refusal(403, "SignatureDoesNotMatch", "Access denied. x-amz-checksum-crc32 is not signed"),
        "StorageUnsupported", "checksumMode: WhenRequired"),
    "GCS, a key that is off": (put, refusal(400, "CloudKmsDisabledKey"), "EncryptionRefused", "enable the key"),
    "GCS, a hold": (delete, refusal(403, "ObjectUnderActiveHold", "Object is under active Temporary hold"),
                    "ObjectLocked", "wait until it ends"),
    "R2, a token that is wrong": (get, refusal(401, "Unauthorized"), "NotAuthorized", "AWS_ACCESS_KEY_ID"),
    "R2, a header that it lacks": (put, refusal(501, "NotImplemented", "Header 'x-amz-checksum-algorithm' with value "
                                   "'SHA256' not implemented"), "StorageUnsupported", "checksumMode: WhenRequired"),
    "MinIO, its console": (put, refusal(400, "InvalidArgument", "S3 API Requests must be made to API port."),
                           "EndpointNotS3", "output.s3.endpoint"),
    "MinIO, a full disk": (put, refusal(507, "XMinioStorageFull"), "StorageFull", "make room"),
    "MinIO, a quota": (put, refusal(400, "XMinioAdminBucketQuotaExceeded"), "StorageFull", "make room"),
    "MinIO, a retained version": (
        delete, refusal(400, "InvalidRequest", "Object is WORM protected and cannot be overwritten"),
        "ObjectLocked", "wait until it ends"),
    "MinIO, no KMS": (put, refusal(501, "NotImplemented", "Server side encryption specified but KMS is not configured"),
                      "EncryptionRefused", "kmsKeyId"),
    "MinIO of 2023, a checksum": (put, refusal(400, "XAmzContentSHA256Mismatch"), "StorageUnsupported",
                                  "checksumMode: WhenRequired"),
    "Ceph RGW, a quota": (put, refusal(403, "QuotaExceeded"), "StorageFull", "make room"),
    "Ceph RGW, a user who is suspended": (get, refusal(403, "UserSuspended"), "NotAuthorized", "locked the account"),
    "versitygw, an unknown key": (get, refusal(404, "XAdminUserNotFound"), "NotAuthorized", "AWS_ACCESS_KEY_ID"),
    "versitygw, a full disk": (put, refusal(507, "InsufficientStorage"), "StorageFull", "make room"),
    "Wasabi, an account that is not paid for": (get, refusal(403, "AccountProblem"), "NotAuthorized", "the account"),
    "any, no conditional writes": (put_if_absent, refusal(501, "NotImplemented"), "StorageUnsupported",
                                   "conditionalWrites: Unsupported"),
    "any, no bucket": (put, refusal(404, "NoSuchBucket"), "BucketNotFound", "create it"),
    "any, what nobody knows": (put, refusal(418, "Teapot", "short and stout"), "StorageUnavailable", "short and stout"),
    "AWS, an invalid name": (put, refusal(400, "InvalidBucketName", "not valid"), "SpecRefused", "not valid"),
    "AWS, a role that does not trust the cluster": (get, refusal(400, "InvalidIdentityToken"), "NotAuthorized", "OIDC"),
    "nginx, a small limit": (put, page(413), "StorageUnsupported", "client_max_body_size"),
    "nginx, its server away": (put, page(502), "StorageUnavailable", "502"),
    "a proxy that asks to sign in": (get, page(200), "EndpointNotS3", "output.s3.endpoint"),
    "a proxy that forbids": (listed, page(403), "EndpointNotS3", "output.s3.endpoint"),
    "a list that breaks off": (listed, Answer(200, b"<ListBucketResult><Cont", {"content-type": "application/xml"}),
                               "StorageUnavailable", "500"),
    "a redirect": (put, page(302, location="https://login.example.com/?to=x"), "EndpointNotS3", "login.example.com"),
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer_has_its_reason_and_advice(s3: FakeS3, store: ObjectStore, case: str) -> None:
    act, answer, reason, advice = ANSWERS[case]
    s3.refuse(lambda asked: True, answer)
    with pytest.raises(StageError) as failed:
        act(store)
    assert failed.value.reason.name == reason
    assert advice in failed.value.message


@pytest.mark.parametrize("status", [304, 412])
def test_a_refused_condition_is_no_fault(s3: FakeS3, store: ObjectStore, status: int) -> None:
    """MinIO answered 304 to conditional writes until April 2024."""
    s3.refuse(lambda asked: asked.conditional, Answer(status))
    assert (store.put_if_absent(URI, b"a body"), store.put_if_match(URI, b"a body", '"1"')) == (False, False)


#: Answers that name no problem of S3's, as proxies, firewalls and captive portals send them.
UNNAMED: dict[str, Answer] = {
    **{f"{status} without a body": Answer(status) for status in (400, 401, 402, 403, 404, 405, 410, 413, 429, 451)},
    **{f"{status} without a body": Answer(status) for status in (500, 501, 502, 503, 507)},
    **{f"a web page with {status}": page(status) for status in (200, 401, 403, 404, 502)},
    "a redirect to a page for signing in": page(302, location="https://login.example.com"),
    "a gateway's own JSON": Answer(403, b'{"message": "Forbidden"}', {"content-type": "application/json"}),
    "XML that is not S3's": Answer(404, b"<fault><code>7</code></fault>", {"content-type": "application/xml"}),
    "nothing at all": Answer(200),
    "half an error": Answer(403, b"<Error><Code>AccessDen", {"content-type": "application/xml"}),
}


@pytest.mark.parametrize("act", [get, put, listed, head])
@pytest.mark.parametrize("case", UNNAMED)
def test_what_names_no_problem_is_asked_again(s3: FakeS3, store: ObjectStore, case: str, act: Act) -> None:
    """Else a proxy's bare 404 would pass for a missing model, which is trained again, or end a run for good."""
    s3.refuse(lambda asked: True, UNNAMED[case])
    with pytest.raises(TemporaryError) as failed:
        act(store)
    assert failed.value.message


def test_a_head_is_refused_with_the_code_that_a_get_has(s3: FakeS3, store: ObjectStore) -> None:
    """A HEAD's answer has no body, so nobody knows whose 403 it is."""
    s3.refuse(lambda asked: True, refusal(403, "AccessDenied", "Access Denied"))
    with pytest.raises(NotAuthorized, match="AccessDenied"):
        head(store)
    assert [asked.method for asked in s3.requests] == ["HEAD", "GET"]


def test_what_a_get_does_not_find_is_not_there(s3: FakeS3, store: ObjectStore) -> None:
    assert store.head(URI) is None
    assert [asked.method for asked in s3.requests] == ["HEAD", "GET"]


def test_a_head_that_finds_nothing_where_a_get_does_is_asked_again(s3: FakeS3, store: ObjectStore) -> None:
    s3.objects["x"] = b"a model"
    s3.refuse(lambda asked: asked.method == "HEAD", Answer(404))
    with pytest.raises(TemporaryError):
        head(store)


@pytest.mark.parametrize("code", ["NoSuchKey", "NoSuchVersion"])
def test_what_is_gone_before_it_is_erased_is_erased(s3: FakeS3, store: ObjectStore, code: str) -> None:
    s3.refuse(lambda asked: True, refusal(404, code))
    delete(store)
    assert len(s3.requests) == 1


MEANINGS = [(meaning, code) for meaning in TABLE for code in meaning.names]


@pytest.mark.parametrize(("meaning", "code"), MEANINGS, ids=[f"{code} {'/'.join(m.words)}" for m, code in MEANINGS])
def test_every_line_of_the_table_is_reached(s3: FakeS3, store: ObjectStore, meaning: Meaning, code: str) -> None:
    status = int(code) if code.isdigit() else 403
    words = meaning.words[0] if meaning.words else "no"
    s3.refuse(lambda asked: True, refusal(status, "" if code.isdigit() else code.replace("*", "Any"), words))
    with pytest.raises(StageError) as failed:
        (put_if_absent if CONDITIONAL_WRITE in meaning.actions else put)(store)
    kind = TemporaryError if code.isdigit() else meaning.error
    assert (failed.value.reason, isinstance(failed.value, kind)) == (meaning.reason, True)


def test_a_full_bucket_is_waited_for_by_a_training(s3: FakeS3, output: S3Output, secrets: Path) -> None:
    """It holds a trained model: making room is quicker than training again."""
    full = [refusal(507, "InsufficientStorage")] * 2
    s3.refuse(lambda asked: bool(full) and full.pop() is not None, refusal(507, "InsufficientStorage"))
    budget = RetryBudget(600, sleep=lambda _: None)
    build_store_opener(output, secrets, budget)(output.uri).put(URI, b"a model")
    assert s3.objects == {"x": b"a model"}


def described(meaning: Meaning) -> str:
    """Return a line of the table in docs/storage.md."""
    codes = ", ".join(f"`{code}`" for code in meaning.names)
    words = "; ".join((*meaning.words, *(f"asked to {action}" for action in meaning.actions)))
    return f"| {codes} | {words} | `{meaning.reason}` | {meaning.advice} | {meaning.servers} |"


def test_the_docs_show_the_table() -> None:
    text = (ROOT / "docs" / "storage.md").read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.startswith("| `")] == [described(meaning) for meaning in TABLE]
