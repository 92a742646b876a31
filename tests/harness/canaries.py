"""Secrets planted to be missed: whatever comes out of a run is searched for them."""

import base64
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import zstandard

from tweetbot_cluster.cluster import EmbeddedCluster


@contextmanager
def command_lines() -> Iterator[set[bytes]]:
    """Collect the command lines of all processes of this machine while the block runs."""
    seen: set[bytes] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.5):
            seen.update(map(_content, Path("/proc").glob("[0-9]*/cmdline")))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def what_came_out(home: EmbeddedCluster) -> dict[str, bytes]:
    """Return every log, every object of the API but Secrets, and every object in the bucket, by where it stands."""
    kinds = "tweetbots,jobs,pods,events,leases"
    shown = {"objects of the API": home.kubectl("get", kinds, "--all-namespaces", "--output=json").stdout.encode()}
    logs = {str(file.relative_to(home.logs)): _content(file) for file in home.logs.rglob("*") if file.is_file()}
    return shown | logs | {f"s3://{home.bucket}/{key}": content for key, content in _bucket(home)}


def leaks(places: Mapping[str, bytes], canaries: Mapping[str, str]) -> list[str]:
    """Return which canary stands where, as it is or in base64."""
    return [
        f"{name} in {place}"
        for place, content in places.items()
        for name, secret in canaries.items()
        if any(form in content for form in _forms(secret.encode()))
    ]


def _forms(secret: bytes) -> Iterator[bytes]:
    """Yield the secret, and the part of its base64 that stays the same wherever in a longer text it begins."""
    yield secret
    for shift in range(3):
        yield base64.b64encode(b" " * shift + secret)[4 if shift else 0 : -4].rstrip(b"=")


def _bucket(home: EmbeddedCluster) -> Iterator[tuple[str, bytes]]:
    s3: Any = home.s3()
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=home.bucket):
        for entry in page.get("Contents", ()):
            content: bytes = s3.get_object(Bucket=home.bucket, Key=entry["Key"])["Body"].read()
            packed = entry["Key"].endswith(".zst")
            yield entry["Key"], zstandard.ZstdDecompressor().decompressobj().decompress(content) if packed else content


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:  # a process or a log that is gone meanwhile
        return b""
