"""Tries, before anything is paid for, what a run will ask of its bucket, and names what is missing.

Whoever finds out after the training has paid for posts and for a GPU. All happens below the bot's own prefix, since
rights may end there, and what was written for it is erased again.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tweetbot_contract import reasons
from tweetbot_contract.reasons import Reason
from tweetbot_contract.spec.output import S3Output
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused, StageError, TemporaryError
from tweetbot_trainer.store.address import join
from tweetbot_trainer.store.hashing import compute_sha256
from tweetbot_trainer.store.interface import UnnamedRefusal
from tweetbot_trainer.store.s3 import S3Store

PROBE_FOLDER = "storage-probe"
#: Bytes of the largest probe object: proxies take 1 MiB of a body unless they are told otherwise (nginx).
_SIZE = 2 * 1024**2
#: Opens the bucket as another `output.s3` would.
OpenS3 = Callable[[S3Output], S3Store]


@dataclass(frozen=True, slots=True)
class Capability:
    """Something that a run needs of its bucket, and what to do where a server that takes our writes lacks it.

    Without a `reason` the refusal's own says more than we know.
    """

    name: str
    advice: str = ""
    reason: Reason | None = None


WRITE = Capability("writing")
READ = Capability("reading back what was written")
LIST = Capability("listing")
DELETE = Capability("deleting", "allow s3:DeleteObject: checkpoints and old models are erased")
CHECKSUMS = Capability("checksums", "set spec.output.s3.checksumMode: WhenRequired", reasons.STORAGE_UNSUPPORTED)
ENCRYPTION = Capability(
    "encryption by a KMS key", "correct spec.output.s3.kmsKeyId or the rights on the key", reasons.ENCRYPTION_REFUSED
)
CONDITIONS = Capability(
    "conditional writes (If-None-Match, If-Match)",
    "set spec.output.s3.conditionalWrites: Unsupported if this cluster alone writes to the bucket, else use another "
    "server",
    reasons.STORAGE_UNSUPPORTED,
)
MULTIPART = Capability(
    "multipart uploads, which files above 5 GB need",
    "allow them, use another server, or a smaller base",
    reasons.STORAGE_UNSUPPORTED,
)

#: The keys are right, as writing worked; what was signed did not arrive as it was sent.
_LET_HEADERS_THROUGH = "let the proxy before the server pass on every header unchanged (here Range and If-Match)"


class StorageProbe:
    """One try of everything. `folder` is an address below the bot's prefix, `work` a folder on the disk."""

    def __init__(self, open_s3: OpenS3, output: S3Output, folder: str, work: Path, *, multipart: bool) -> None:
        self._open_s3, self._output, self._store = open_s3, output, open_s3(output)
        self._object = join(folder, secrets.token_hex(8))
        self._condition, self._parts = f"{self._object}-condition", f"{self._object}-parts"
        self._content, self._work, self._multipart = secrets.token_bytes(_SIZE), work, multipart
        self._written: list[str] = []

    def run(self) -> None:
        """Try each capability in turn. Raises StageError, with the name of the first that is missing."""
        try:
            self._try_writing()
            with _require(READ):
                self._check_content(self._object)
            with _require(LIST):
                self._check_listing()
            if self._output.conditional_writes == "Supported":
                with _require(CONDITIONS):
                    self._check_conditions()
            if self._multipart:
                with _require(MULTIPART):
                    self._check_parts()
            with _require(DELETE):
                self._check_deletion()
        finally:
            self._clean_up()

    def _try_writing(self) -> None:
        """Write; if that is refused, find the option of the spec without which it is not."""
        try:
            with _require(WRITE):
                self._written.append(self._object)
                self._store.put(self._object, self._content)
        except StageError as refusal:
            if _is_away(refusal):
                raise
            if missing := self._find_refused_option():  # found by trial, so it lasts, whatever the answer was
                raise _build_error(missing, SpecRefused(refusal.reason, refusal.message)) from refusal
            raise

    def _find_refused_option(self) -> Capability | None:
        options = {
            CHECKSUMS: self._output.model_copy(update={"checksum_mode": "WhenRequired"}),
            ENCRYPTION: self._output.model_copy(update={"kms_key_id": None}),
        }
        return next(
            (one for one, output in options.items() if output != self._output and self._can_write(output)), None
        )

    def _can_write(self, output: S3Output) -> bool:
        try:
            self._open_s3(output).put(self._object, self._content)
        except StageError:
            return False
        return True

    def _check_content(self, uri: str) -> None:
        with self._store.open_seekable(uri) as file:
            file.seek(_SIZE // 2)
            middle = file.read(16)
        whole = self._store.get(uri)
        if whole != self._content or middle != self._content[_SIZE // 2 :][:16]:
            raise _make_fault("what was read is not what was written")

    def _check_listing(self) -> None:
        if self._object not in {info.uri for info in self._store.list(self._object)}:
            raise _make_fault("the list lacks an object that was just written")

    def _check_conditions(self) -> None:
        """Write what is absent, twice; then replace it, by a wrong and by the right ETag.

        A first write may have been answered twice, so it counts what lies there, not what was answered.
        """
        store, uri = self._store, self._condition
        self._written.append(uri)
        store.put_if_absent(uri, b"first")
        if store.put_if_absent(uri, b"second") or store.get(uri) != b"first":
            raise _make_fault("If-None-Match is ignored, a second writer replaced what a first one had written")
        found = store.find(uri)
        if store.put_if_match(uri, b"third", f'"{"0" * 32}"') or found is None or store.get(uri) != b"first":
            raise _make_fault("If-Match is ignored, an object was replaced although it had another ETag")
        store.put_if_match(uri, b"fourth", found.etag)
        if store.get(uri) != b"fourth":
            raise _make_fault("If-Match is refused although the object has this ETag")

    def _check_parts(self) -> None:
        path = self._work / "storage-probe"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self._content)
        self._written.append(self._parts)
        try:
            self._store.put_in_parts(self._parts, path)
        finally:
            path.unlink()
        if compute_sha256(self._store.get(self._parts)) != compute_sha256(self._content):
            raise _make_fault("what was read is not what was written")

    def _check_deletion(self) -> None:
        self._store.delete(self._object)
        if self._store.find(self._object) is not None:
            raise _make_fault("an object is still there after it was deleted")

    def _clean_up(self) -> None:
        for uri in self._written:
            with suppress(StageError):
                self._store.delete(uri)


@contextmanager
def _require(capability: Capability) -> Iterator[None]:
    """Name the capability in what is refused; a server that is away is waited for, and says so itself."""
    try:
        yield
    except StageError as refusal:
        if _is_away(refusal):
            raise
        raise _build_error(capability, refusal) from refusal


def _is_away(error: StageError) -> bool:
    """Tell whether a server is to be waited for: it is neither full nor does it refuse."""
    return (
        isinstance(error, TemporaryError)
        and not isinstance(error, UnnamedRefusal)
        and error.reason is not reasons.STORAGE_FULL
    )


def _build_error(capability: Capability, refusal: StageError) -> StageError:
    """Return the refusal under the capability's name, with its advice in place of the refusal's, if it has any."""
    if refusal.reason is reasons.STORAGE_FULL:
        reason, advice = refusal.reason, ""
    elif capability is not WRITE and "SignatureDoesNotMatch" in refusal.message and capability.reason is None:
        reason, advice = reasons.STORAGE_UNSUPPORTED, _LET_HEADERS_THROUGH
    else:
        reason, advice = capability.reason or refusal.reason, capability.advice
    said = f"{refusal.message.partition(': ')[0]}: {advice}" if advice else refusal.message
    text = f"the bucket was tried before anything is paid for, and {capability.name} failed. {said}"
    if isinstance(refusal, UnnamedRefusal):
        return UnnamedRefusal(reason, text)
    kind = NotAuthorized if isinstance(refusal, NotAuthorized) and reason is refusal.reason else SpecRefused
    return kind(reason, text)


def _make_fault(what: str) -> SpecRefused:
    return SpecRefused(reasons.STORAGE_UNSUPPORTED, f"{what}: use another server")
