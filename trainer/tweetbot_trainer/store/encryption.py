"""SSE-KMS: the server encrypts what is written by a key of its KMS."""

from typing import Any

from tweetbot_contract import reasons
from tweetbot_trainer.runtime.errors import SpecRefused


def build_encryption(kms_key_id: str | None) -> dict[str, str]:
    """Return the parameters of a write; none without a key, when the bucket's own encryption applies."""
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id} if kms_key_id else {}


def require_encryption(answer: Any, encryption: dict[str, str], uri: str) -> None:
    """Raise SpecRefused if a server took a write and passed over its key: the object is not encrypted by it."""
    if encryption and not str(answer.get("ServerSideEncryption", "")).startswith("aws:kms"):
        advice = "remove spec.output.s3.kmsKeyId, or use a server that encrypts by a KMS key"
        raise SpecRefused(reasons.STORAGE_UNSUPPORTED, f"the server wrote {uri} without the KMS key: {advice}")
