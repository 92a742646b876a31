"""Write a file that is larger than S3 takes at once, part by part; the object is there once the last request is."""

import base64
import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tweetbot_trainer.runtime.errors import StageError
from tweetbot_trainer.store.address import S3Address

#: What S3 takes by one PUT: the weights of gpt2-xl, 6 GB in float32, are more.
LARGEST_PUT = 5 * 1024**3
#: Bytes of a part, held in memory; S3 allows 10,000 of them.
PART = 64 * 1024**2

#: Sends a request until it is answered, and returns the answer. Raises StageFailed.
Ask = Callable[[Callable[[], Any]], Any]


def multipart_upload(client: Any, at: S3Address, path: Path, ask: Ask, *, checksums: bool, part: int = PART) -> None:
    """Write the file; with `checksums` the server checks each part's sha256. Raises as `ask` does.

    What was sent of a file that could not be written whole is taken back, as far as the server lets us.
    """
    target = {"Bucket": at.bucket, "Key": at.key}
    algorithm = {"ChecksumAlgorithm": "SHA256"} if checksums else {}
    begun = ask(lambda: client.create_multipart_upload(**target, **algorithm))
    upload = {**target, "UploadId": begun["UploadId"]}
    try:
        parts: list[dict[str, Any]] = []
        with path.open("rb") as file:
            while block := file.read(part):
                parts.append(_upload_part(client, upload, len(parts) + 1, block, ask, checksums=checksums))
        ask(lambda: client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}))
    except BaseException:
        with suppress(StageError):
            ask(lambda: client.abort_multipart_upload(**upload))
        raise


def _upload_part(
    client: Any, upload: dict[str, str], number: int, block: bytes, ask: Ask, *, checksums: bool
) -> dict[str, Any]:
    """Send one part, and return what the last request must say of it."""
    sha256 = base64.b64encode(hashlib.sha256(block).digest()).decode()
    checksum = {"ChecksumSHA256": sha256} if checksums else {}
    answer = ask(lambda: client.upload_part(**upload, PartNumber=number, Body=block, **checksum))
    return {"PartNumber": number, "ETag": answer["ETag"], **checksum}
