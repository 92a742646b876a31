"""Object storage: S3, or folders for runs without a cluster.

s3://bucket/key     S3Store      every server that speaks S3
file:///path        FolderStore  `tweetbot-trainer run` only
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from tweetbot_contract import reasons
from tweetbot_contract.spec.output import S3Output
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.store.address import S3Address, join, parse_file_uri, parse_s3_uri
from tweetbot_trainer.store.folder import FolderStore
from tweetbot_trainer.store.hashing import compute_sha256, compute_stream_sha256, get_body_size
from tweetbot_trainer.store.interface import (
    BestEffortStore,
    Body,
    ObjectInfo,
    ObjectNotFound,
    ObjectStore,
    StorageUnavailable,
    StoredObject,
)

__all__ = [
    "BestEffortStore",
    "Body",
    "ObjectInfo",
    "ObjectNotFound",
    "ObjectStore",
    "OpenStore",
    "S3Address",
    "StorageUnavailable",
    "StoredObject",
    "build_store_opener",
    "compute_sha256",
    "compute_stream_sha256",
    "get_body_size",
    "join",
    "parse_file_uri",
    "parse_s3_uri",
]


#: Returns the store that an address belongs to. Raises SpecRefused.
OpenStore = Callable[[str], ObjectStore]


def build_store_opener(output: S3Output, secrets: Path, budget: RetryBudget, *, files: bool = False) -> OpenStore:
    """Return a function that chooses the store by an address's scheme; it opens S3 on first use, folders if `files`."""

    @cache
    def open_s3() -> ObjectStore:
        from tweetbot_trainer.store.s3 import S3Store
        from tweetbot_trainer.store.s3_client import create_s3_client

        return S3Store(
            create_s3_client(output, secrets),
            budget,
            checksums=output.checksum_mode == "WhenSupported",
            conditional=output.conditional_writes == "Supported",
            kms_key_id=output.kms_key_id,
        )

    def open_store(uri: str) -> ObjectStore:
        if not uri.startswith("file:"):
            return open_s3()
        if not files:
            raise SpecRefused(reasons.SPEC_REFUSED, f"{uri}: in a cluster write s3://bucket/key")
        return FolderStore()

    return open_store
