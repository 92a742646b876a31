"""The S3 server (versitygw over a folder) and a client for it."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tweetbot_cluster.servers import Server
from tweetbot_cluster.state import Settings, StateFolder

REGION = "us-east-1"


def endpoint(settings: Settings) -> str:
    """Return the URL of the object store."""
    return f"http://{settings.address}:{settings.s3_port}"


def object_store(state: StateFolder, settings: Settings, binaries: Mapping[str, Path]) -> Server:
    """Return versitygw; its metadata are extended attributes where the file system has them, else a side folder."""
    buckets, sidecar = state.data / "buckets", state.data / "object-metadata"
    buckets.mkdir(exist_ok=True)
    place = f"{settings.address}:{settings.s3_port}"
    command = [str(binaries["versitygw"]), "--port", place, "--region", REGION, "--quiet", "posix"]
    if not _has_extended_attributes(buckets):
        sidecar.mkdir(exist_ok=True)
        command += ["--sidecar", str(sidecar)]
    keys = {"ROOT_ACCESS_KEY": settings.s3_access_key, "ROOT_SECRET_KEY": settings.s3_secret_key}
    return Server("versitygw", (*command, str(buckets)), lambda: _listens(settings), env=keys)


def client(settings: Settings) -> Any:
    """Return a boto3 client with the store's root key."""
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=endpoint(settings),
        region_name=REGION,
        aws_access_key_id=settings.s3_access_key,
        aws_secret_access_key=settings.s3_secret_key,
    )


def _has_extended_attributes(folder: Path) -> bool:
    try:
        os.setxattr(folder, "user.tweetbot", b"1")
    except OSError:
        return False
    return True


def _listens(settings: Settings) -> bool:
    try:
        socket.create_connection((settings.address, settings.s3_port), timeout=1).close()
    except OSError:
        return False
    return True
