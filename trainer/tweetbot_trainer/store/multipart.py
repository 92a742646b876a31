"""Upload a file that is too large for one request, part by part (decision 39: not by s3transfer)."""

import base64
import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tweetbot_trainer.runtime.errors import StageError
from tweetbot_trainer.store.address import S3Address
from tweetbot_trainer.store.encryption import require_encryption
from tweetbot_trainer.store.errors import PreconditionFailed, read_field

#: The most that S3 takes in one PUT; the weights of gpt2-xl have 6 GB in float32.
LARGEST_PUT = 5 * 1024**3
#: Bytes per part, held in memory; S3 allows 10,000 parts.
PART = 64 * 1024**2

#: Sends a request, with retries, and returns the answer. Raises StageError.
Ask = Callable[[Callable[[], Any]], Any]


@dataclass(frozen=True, slots=True)
class MultipartTarget:
    """Where a file goes and on what conditions, by which key it is encrypted, and whether parts' sha256 is checked."""

    at: S3Address
    encryption: dict[str, str]
    checksums: bool
    conditions: dict[str, str]


def multipart_upload(client: Any, target: MultipartTarget, path: Path, ask: Ask, *, part: int = PART) -> bool:
    """Upload the file; return whether the conditions held. Raises StageError.

    If it fails, the parts are removed, as far as the server allows it.
    """
    place, checksums = {"Bucket": target.at.bucket, "Key": target.at.key}, target.checksums
    algorithm = {"ChecksumAlgorithm": "SHA256"} if checksums else {}

    def begin() -> str:
        answer = client.create_multipart_upload(**place, **algorithm, **target.encryption)
        require_encryption(answer, target.encryption, str(target.at))
        return str(read_field(answer, "UploadId"))

    upload = {**place, "UploadId": ask(begin)}
    try:
        parts: list[dict[str, Any]] = []
        with path.open("rb") as file:
            while block := file.read(part):
                parts.append(_upload_part(client, upload, len(parts) + 1, block, ask, checksums=checksums))
        whole = {"MultipartUpload": {"Parts": parts}, **target.conditions}
        ask(lambda: read_field(client.complete_multipart_upload(**upload, **whole), "ETag"))
    except BaseException as error:
        with suppress(StageError):
            ask(lambda: client.abort_multipart_upload(**upload))
        if isinstance(error, PreconditionFailed):
            return False
        raise
    return True


def abort_uploads(client: Any, folder: S3Address, ask: Ask) -> None:
    """Remove the parts that killed uploads left below a folder: no list of objects shows them. Raises StageError."""
    place = {"Bucket": folder.bucket}
    for left in ask(lambda: client.list_multipart_uploads(**place, Prefix=folder.key)).get("Uploads") or ():
        upload = {**place, "Key": left["Key"], "UploadId": left["UploadId"]}
        if upload["Key"].startswith(folder.key):
            ask(partial(client.abort_multipart_upload, **upload))


def _upload_part(
    client: Any, upload: dict[str, str], number: int, block: bytes, ask: Ask, *, checksums: bool
) -> dict[str, Any]:
    """Send one part; return its entry for the final request."""
    sha256 = base64.b64encode(hashlib.sha256(block).digest()).decode()
    checksum = {"ChecksumSHA256": sha256} if checksums else {}

    def send() -> str:
        return str(read_field(client.upload_part(**upload, PartNumber=number, Body=block, **checksum), "ETag"))

    return {"PartNumber": number, "ETag": ask(send), **checksum}
