"""S3, and servers that speak its protocol, through boto3."""

import base64
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from tweetbot_contract import handover, reasons
from tweetbot_contract.spec.output import S3Output
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused, StageError
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.store.address import S3Address, parse_s3_uri
from tweetbot_trainer.store.errors import PreconditionFailed, translate_errors
from tweetbot_trainer.store.hashing import compute_sha256, get_body_size
from tweetbot_trainer.store.interface import Body, ObjectInfo, ObjectNotFound, StorageUnavailable, StoredObject
from tweetbot_trainer.store.multipart import LARGEST_PUT, PART, multipart_upload
from tweetbot_trainer.store.ranged import READ_AHEAD, open_ranged_file

T = TypeVar("T")
#: Seconds to connect, and to wait for the next byte of an answer. boto3's own are 60 and 60.
CONNECT_TIMEOUT, READ_TIMEOUT = 10, 60
_CREDENTIALS = {
    "aws_access_key_id": "AWS_ACCESS_KEY_ID",
    "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "aws_session_token": "AWS_SESSION_TOKEN",
}


class S3Store:
    """Objects in S3. Uploads carry a sha256 that the server checks; files above `largest` bytes go in parts."""

    def __init__(
        self, client: Any, budget: RetryBudget, *, checksums: bool = True, largest: int = LARGEST_PUT, part: int = PART
    ) -> None:
        self._client, self._budget, self._checksums = client, budget, checksums
        self._largest, self._part = largest, part

    def get(self, uri: str) -> bytes:
        found = self.find(uri)
        if found is None:
            raise ObjectNotFound(uri)
        return found.body

    def find(self, uri: str) -> StoredObject | None:
        # by GET: the answer to a HEAD has no body, so it cannot say which key is wrong
        def request(at: S3Address) -> StoredObject:
            answer = self._client.get_object(Bucket=at.bucket, Key=at.key)
            return StoredObject(answer["Body"].read(), answer["ETag"])

        return self._ask_if_there("read", uri, request)

    def open_seekable(self, uri: str) -> BinaryIO:
        etag, size = self._get_etag_and_size(uri)
        return open_ranged_file(size, partial(self._get_range, uri, etag))

    def download(self, uri: str, path: Path) -> None:
        with self.open_seekable(uri) as source, path.open("wb") as target:
            while block := source.read(READ_AHEAD):
                target.write(block)

    def put(self, uri: str, body: Body) -> None:
        if isinstance(body, bytes) or get_body_size(body) <= self._largest:
            self._put(uri, body)
            return

        def ask(request: Callable[[], Any]) -> Any:
            return self._ask("write", uri, lambda _: request())

        multipart_upload(self._client, parse_s3_uri(uri), body, ask, checksums=self._checksums, part=self._part)

    def put_if_absent(self, uri: str, body: Body) -> bool:
        return self._put(uri, body, IfNoneMatch="*")

    def put_if_match(self, uri: str, body: Body, etag: str) -> bool:
        try:
            return self._put(uri, body, IfMatch=etag)
        except ObjectNotFound:
            return False

    def head(self, uri: str) -> ObjectInfo | None:
        mode = {"ChecksumMode": "ENABLED"} if self._checksums else {}

        def request(at: S3Address) -> ObjectInfo:
            answer = self._client.head_object(Bucket=at.bucket, Key=at.key, **mode)
            return ObjectInfo(uri, int(answer["ContentLength"]), answer["ETag"], _read_sha256(answer))

        return self._ask_if_there("look for", uri, request)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        token: dict[str, str] = {}
        while True:
            page = self._list_page(prefix, token)
            for entry in page.get("Contents", ()):
                address = S3Address(parse_s3_uri(prefix).bucket, entry["Key"])
                yield ObjectInfo(str(address), int(entry["Size"]), entry["ETag"])
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def delete(self, uri: str) -> None:
        self._remove(uri)

    def erase(self, folder: str) -> Iterator[str]:
        # without permission for versions erase the objects, which is enough if the bucket keeps no versions
        try:
            yield from self._erase_object_versions(folder)
        except (NotAuthorized, SpecRefused) as refusal:
            yield from self._erase_objects(folder)
            self._require_unversioned(folder, refusal)

    def _erase_object_versions(self, folder: str) -> Iterator[str]:
        """List from the beginning each time: a continuation marker may point to something erased by then."""
        removed: set[tuple[str, str]] = set()
        while entries := self._list_object_versions(folder):
            if entries <= removed:
                raise StorageUnavailable(f"S3 lists {min(entries)[0]} below {folder} although it was erased")
            for key, version_id in sorted(entries - removed):
                uri = self._require_inside(folder, key)
                self._remove(uri, VersionId=version_id)
                yield uri
            removed |= entries

    def _erase_objects(self, folder: str) -> Iterator[str]:
        for info in self.list(folder):
            self._remove(self._require_inside(folder, parse_s3_uri(info.uri).key))
            yield info.uri

    def _require_unversioned(self, folder: str, refusal: StageError) -> None:
        """Raise NotAuthorized if the bucket keeps versions: then it answers a write with the version's id."""
        probe = f"{folder}erased"
        written = self._ask("write", probe, lambda at: self._client.put_object(Bucket=at.bucket, Key=at.key, Body=b""))
        self._remove(probe)
        if "VersionId" in written:
            raise NotAuthorized(
                reasons.NOT_AUTHORIZED,
                f"older versions below {folder} cannot be erased: allow s3:ListBucketVersions and "
                f"s3:DeleteObjectVersion ({refusal.message})",
            )

    def _require_inside(self, folder: str, key: str) -> str:
        """Return the address of a listed key. Raises SpecRefused if the server listed one outside the folder."""
        at = parse_s3_uri(folder)
        if not at.key.endswith("/") or not key.startswith(at.key):
            raise SpecRefused(reasons.SPEC_REFUSED, f"{key} is not below {folder}: it was not erased")
        return str(S3Address(at.bucket, key))

    def _remove(self, uri: str, **extra: str) -> None:
        self._ask("erase", uri, lambda at: self._client.delete_object(Bucket=at.bucket, Key=at.key, **extra))

    def _list_object_versions(self, folder: str) -> set[tuple[str, str]]:
        """Return keys and versions of the first page of versions and delete markers below a folder."""

        def request(at: S3Address) -> Any:
            return self._client.list_object_versions(Bucket=at.bucket, Prefix=at.key)

        page = self._ask("list versions of", folder, request)
        listed = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        return {(entry["Key"], entry["VersionId"]) for entry in listed}

    def _list_page(self, prefix: str, token: dict[str, str]) -> Any:
        return self._ask(
            "list", prefix, lambda at: self._client.list_objects_v2(Bucket=at.bucket, Prefix=at.key, **token)
        )

    def _get_etag_and_size(self, uri: str) -> tuple[str, int]:
        """Send a GET and leave the body unread: unlike a HEAD, its error has a code."""

        def request(at: S3Address) -> tuple[str, int]:
            answer = self._client.get_object(Bucket=at.bucket, Key=at.key)
            answer["Body"].close()
            return answer["ETag"], int(answer["ContentLength"])

        return self._ask("open", uri, request)

    def _get_range(self, uri: str, etag: str, start: int, end: int) -> bytes:
        def request(at: S3Address) -> bytes:
            span = f"bytes={start}-{end - 1}"
            answer = self._client.get_object(Bucket=at.bucket, Key=at.key, Range=span, IfMatch=etag)
            data: bytes = answer["Body"].read()
            if len(data) != end - start:
                raise StorageUnavailable(f"S3 sent {len(data)} of {end - start} bytes of {uri}")
            return data

        try:
            return self._ask("read", uri, request)
        except PreconditionFailed as error:
            raise StorageUnavailable(f"{uri} was replaced while it was read") from error

    def _put(self, uri: str, body: Body, **conditions: str) -> bool:
        """Write, with a new checksum for each request: others may still write to the file (a log grows)."""

        def request(at: S3Address) -> bool:
            checksum = self._compute_checksum(body)
            with ExitStack() as stack:
                content = body if isinstance(body, bytes) else stack.enter_context(body.open("rb"))
                self._client.put_object(Bucket=at.bucket, Key=at.key, Body=content, **checksum, **conditions)
            return True

        try:
            return self._ask("write", uri, request)
        except PreconditionFailed:
            return False

    def _compute_checksum(self, body: Body) -> dict[str, str]:
        if not self._checksums:
            return {}
        return {"ChecksumSHA256": base64.b64encode(bytes.fromhex(compute_sha256(body))).decode()}

    def _ask_if_there(self, action: str, uri: str, request: Callable[[S3Address], T]) -> T | None:
        try:
            return self._ask(action, uri, request)
        except ObjectNotFound:
            return None

    def _ask(self, action: str, uri: str, request: Callable[[S3Address], T]) -> T:
        address = parse_s3_uri(uri)

        def attempt() -> T:
            with translate_errors(action, uri):
                return request(address)

        return self._budget.call(attempt)


def _read_sha256(answer: dict[str, Any]) -> str | None:
    """Return the sha256 that a HEAD answers with; None for checksums of parts, which not every server labels."""
    sha256, etag = answer.get("ChecksumSHA256"), answer["ETag"]
    whole = answer.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT"
    return base64.b64decode(sha256).hex() if sha256 and whole and "-" not in sha256 + etag else None


def create_s3_client(output: S3Output, secrets: Path) -> Any:
    """Return a boto3 client for an output's server.

    Credentials come from the secrets folder, otherwise from boto3's own chain (environment, web identity, …).
    boto3 reads AWS_ENDPOINT_URL_S3 itself if the spec has no endpoint.
    """
    import boto3  # takes half a second, which `--help` and local runs on file:// need not wait for
    from botocore.config import Config

    checksums = "when_supported" if output.checksum_mode == "WhenSupported" else "when_required"
    config = Config(
        signature_version="s3v4",
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"total_max_attempts": 1},  # RetryBudget retries, for longer, and stops at SIGTERM
        s3={"addressing_style": output.addressing_style.lower()},
        request_checksum_calculation=checksums,
        response_checksum_validation=checksums,
    )
    with translate_errors("reach", output.uri):
        session = boto3.Session(region_name=output.region or os.environ.get("AWS_REGION"))
        return session.client("s3", endpoint_url=output.endpoint, config=config, **_read_credentials(secrets))


def _read_credentials(secrets: Path) -> dict[str, str]:
    folder = secrets / handover.S3_FOLDER
    files = {argument: folder / name for argument, name in _CREDENTIALS.items()}
    return {argument: file.read_text(encoding="utf-8").strip() for argument, file in files.items() if file.is_file()}
