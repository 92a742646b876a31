"""S3, and servers that speak its protocol, through boto3."""

import base64
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from tweetbot_contract import reasons
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused, StageError
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.store.address import S3Address, parse_s3_uri
from tweetbot_trainer.store.answers import CONDITIONAL_WRITE
from tweetbot_trainer.store.encryption import build_encryption, require_encryption
from tweetbot_trainer.store.errors import PreconditionFailed, ask_for_code, read_field, require_page, translate_errors
from tweetbot_trainer.store.hashing import compute_sha256, get_body_size, read_sha256
from tweetbot_trainer.store.interface import Body, ObjectInfo, ObjectNotFound, StorageUnavailable, StoredObject
from tweetbot_trainer.store.multipart import LARGEST_PUT, PART, MultipartTarget, abort_uploads, multipart_upload
from tweetbot_trainer.store.ranged import READ_AHEAD, open_ranged_file

T = TypeVar("T")


class S3Store:
    """Objects in S3. Uploads carry a sha256 that the server checks; files above `largest` bytes go in parts.

    Without `conditional` writes the server is asked first and written to then, which two writers at the same moment
    both may do. `kms_key_id` encrypts all that is written.
    """

    def __init__(
        self,
        client: Any,
        budget: RetryBudget,
        *,
        checksums: bool = True,
        conditional: bool = True,
        kms_key_id: str | None = None,
        largest: int = LARGEST_PUT,
        part: int = PART,
    ) -> None:
        self._client, self._budget, self._checksums, self._conditional = client, budget, checksums, conditional
        self._encryption = build_encryption(kms_key_id)
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
            etag = str(read_field(answer, "ETag"))
            return StoredObject(answer["Body"].read(), etag)

        return self._ask_if_there("read", uri, request)

    def open_seekable(self, uri: str) -> BinaryIO:
        etag, size = self._get_etag_and_size(uri)
        return open_ranged_file(size, partial(self._get_range, uri, etag))

    def download(self, uri: str, path: Path) -> None:
        with self.open_seekable(uri) as source, path.open("wb") as target:
            while block := source.read(READ_AHEAD):
                target.write(block)

    def put(self, uri: str, body: Body) -> None:
        self._write(uri, body)

    def put_in_parts(self, uri: str, path: Path, **conditions: str) -> bool:
        """Write or replace an object by a multipart upload, under conditions of its last request. Raises StageError."""

        def ask(request: Callable[[], Any]) -> Any:
            return self._ask("write in parts", uri, lambda _: request(), large=True)

        target = MultipartTarget(parse_s3_uri(uri), self._encryption, self._checksums, conditions)
        return multipart_upload(self._client, target, path, ask, part=self._part)

    def put_if_absent(self, uri: str, body: Body) -> bool:
        if not self._conditional:
            return self.head(uri) is None and self._write(uri, body)
        return self._write(uri, body, IfNoneMatch="*")

    def put_if_match(self, uri: str, body: Body, etag: str) -> bool:
        if not self._conditional:
            found = self.head(uri)
            return found is not None and found.etag == etag and self._write(uri, body)
        try:
            return self._write(uri, body, IfMatch=etag)
        except ObjectNotFound:
            return False

    def head(self, uri: str) -> ObjectInfo | None:
        mode = {"ChecksumMode": "ENABLED"} if self._checksums else {}

        def request(at: S3Address) -> ObjectInfo:
            with ask_for_code(lambda: self._client.get_object(Bucket=at.bucket, Key=at.key)):
                answer = self._client.head_object(Bucket=at.bucket, Key=at.key, **mode)
            return ObjectInfo(uri, int(answer["ContentLength"]), str(read_field(answer, "ETag")), read_sha256(answer))

        return self._ask_if_there("look for", uri, request)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        token: dict[str, str] = {}
        while True:
            page = self._list_page(prefix, token)
            for entry in page.get("Contents", ()):
                address = S3Address(parse_s3_uri(prefix).bucket, entry["Key"])
                yield ObjectInfo(str(address), int(entry["Size"]), entry["ETag"])
            following = {"ContinuationToken": str(page.get("NextContinuationToken"))}
            if not page.get("IsTruncated"):
                return
            if following == token:
                raise StorageUnavailable(f"S3 lists the same page of {prefix} again and again")
            token = following

    def delete(self, uri: str) -> None:
        self._remove(uri)

    def erase(self, folder: str, *, keep: str = "") -> Iterator[str]:
        # without permission for versions erase the objects, which is enough if the bucket keeps no versions
        kept_key = parse_s3_uri(keep).key if keep else ""
        try:
            yield from self._erase_object_versions(folder, kept_key)
        except (NotAuthorized, SpecRefused) as refusal:
            yield from self._erase_objects(folder, kept_key)
            self._require_unversioned(folder, refusal)
        with suppress(NotAuthorized, SpecRefused):  # a right of its own, which docs/storage.md asks for
            abort_uploads(
                self._client, parse_s3_uri(folder), lambda request: self._ask("erase", folder, lambda _: request())
            )

    def erase_named(self, folder: str, name: str) -> Iterator[str]:
        # listed before the first is erased, so that no marker points to something that is gone
        try:
            found = [entry for entry in self._iter_object_versions(folder) if entry[0].endswith(f"/{name}")]
            for key, version_id in found:
                uri = self._require_inside(folder, key)
                self._remove(uri, VersionId=version_id)
                yield uri
        except (NotAuthorized, SpecRefused) as refusal:
            for info in self.list(folder):
                if info.uri.endswith(f"/{name}"):
                    self._remove(info.uri)
                    yield info.uri
            self._require_unversioned(folder, refusal)

    def _erase_object_versions(self, folder: str, kept_key: str) -> Iterator[str]:
        """List from the beginning each time: a continuation marker may point to something erased by then."""
        removed: set[tuple[str, str]] = set()
        while entries := {entry for entry in _get_versions(self._list_versions(folder)) if entry[0] != kept_key}:
            if entries <= removed:
                raise StorageUnavailable(f"S3 lists {min(entries)[0]} below {folder} although it was erased")
            for key, version_id in sorted(entries - removed):
                uri = self._require_inside(folder, key)
                self._remove(uri, VersionId=version_id)
                yield uri
            removed |= entries

    def _erase_objects(self, folder: str, kept_key: str) -> Iterator[str]:
        for info in self.list(folder):
            key = parse_s3_uri(info.uri).key
            if key != kept_key:
                self._remove(self._require_inside(folder, key))
                yield info.uri

    def _require_unversioned(self, folder: str, refusal: StageError) -> None:
        """Raise NotAuthorized if the bucket keeps versions: then it answers a write with the version's id."""
        probe = f"{folder}erased"

        def request(at: S3Address) -> Any:
            return self._client.put_object(Bucket=at.bucket, Key=at.key, Body=b"", **self._encryption)

        written = self._ask("write", probe, request)
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
        with suppress(ObjectNotFound):  # some servers say so
            self._ask("erase", uri, lambda at: self._client.delete_object(Bucket=at.bucket, Key=at.key, **extra))

    def _iter_object_versions(self, folder: str) -> Iterator[tuple[str, str]]:
        """Yield keys and versions of everything below a folder. Raises StorageUnavailable if the pages never end."""
        marker: dict[str, str] = {}
        while True:
            page = self._list_versions(folder, marker)
            yield from sorted(_get_versions(page))
            names = {"KeyMarker": "NextKeyMarker", "VersionIdMarker": "NextVersionIdMarker"}
            following = {name: page[after] for name, after in names.items() if page.get(after)}
            if not page.get("IsTruncated"):
                return
            if following == marker:
                raise StorageUnavailable(f"S3 lists the same page of {folder} again and again")
            marker = following

    def _list_versions(self, folder: str, marker: dict[str, str] | None = None) -> Any:
        """Return a page of versions and delete markers below a folder."""

        def request(at: S3Address) -> Any:
            return require_page(self._client.list_object_versions(Bucket=at.bucket, Prefix=at.key, **(marker or {})))

        return self._ask("list versions of", folder, request)

    def _list_page(self, prefix: str, token: dict[str, str]) -> Any:
        def request(at: S3Address) -> Any:
            return require_page(self._client.list_objects_v2(Bucket=at.bucket, Prefix=at.key, **token))

        return self._ask("list", prefix, request)

    def _get_etag_and_size(self, uri: str) -> tuple[str, int]:
        """Send a GET and leave the body unread: unlike a HEAD, its error has a code."""

        def request(at: S3Address) -> tuple[str, int]:
            answer = self._client.get_object(Bucket=at.bucket, Key=at.key)
            answer["Body"].close()
            return str(read_field(answer, "ETag")), int(answer["ContentLength"])

        return self._ask("open", uri, request)

    def _get_range(self, uri: str, etag: str, start: int, end: int) -> bytes:
        def request(at: S3Address) -> bytes:
            span = f"bytes={start}-{end - 1}"
            answer = self._client.get_object(Bucket=at.bucket, Key=at.key, Range=span, IfMatch=etag)
            if str(read_field(answer, "ETag")) != etag:  # a server that ignores If-Match
                answer["Body"].close()
                raise PreconditionFailed(uri)
            data: bytes = answer["Body"].read()
            if len(data) != end - start:
                raise StorageUnavailable(f"S3 sent {len(data)} of {end - start} bytes of {uri}")
            return data

        try:
            return self._ask("read", uri, request)
        except PreconditionFailed as error:
            raise StorageUnavailable(f"{uri} was replaced while it was read") from error

    def _write(self, uri: str, body: Body, **conditions: str) -> bool:
        if isinstance(body, bytes) or get_body_size(body) <= self._largest:
            return self._put(uri, body, **conditions)
        return self.put_in_parts(uri, body, **conditions)

    def _put(self, uri: str, body: Body, **conditions: str) -> bool:
        """Write, with a new checksum for each request: others may still write to the file (a log grows)."""

        def request(at: S3Address) -> bool:
            checksum = self._compute_checksum(body)
            with ExitStack() as stack:
                content = body if isinstance(body, bytes) else stack.enter_context(body.open("rb"))
                extra = {**checksum, **self._encryption, **conditions}
                answer = self._client.put_object(Bucket=at.bucket, Key=at.key, Body=content, **extra)
            read_field(answer, "ETag")
            require_encryption(answer, self._encryption, uri)
            return True

        try:
            action, large = CONDITIONAL_WRITE if conditions else "write", isinstance(body, Path)
            return self._ask(action, uri, request, large=large)
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

    def _ask(self, action: str, uri: str, request: Callable[[S3Address], T], *, large: bool = False) -> T:
        """Send a request until it is answered; a `large` one may take long. Raises StageError."""
        address = parse_s3_uri(uri)
        silence = None if large else StorageUnavailable(f"S3 has not answered a request to {action} {uri} yet")

        return self._budget.call(lambda: translate_errors(action, uri)(request)(address), silence)


def _get_versions(page: Any) -> set[tuple[str, str]]:
    """Return keys and versions of a page's objects and delete markers."""
    listed = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
    return {(entry["Key"], entry["VersionId"]) for entry in listed}
