"""Files of a published version: their sizes and hashes, and whether they are still intact."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from tweetbot_contract.spec.parts import Part
from tweetbot_trainer.store import ObjectStore, compute_sha256, compute_stream_sha256, get_body_size, join
from tweetbot_trainer.store.hashing import Sha256


def _check_inside(path: str) -> str:
    """Reject a path that leads out of its folder: others can write to the bucket, too."""
    if {"", ".", ".."} & set(path.split("/")) or "\0" in path:
        raise ValueError("a file is outside its folder")
    return path


FilePath = Annotated[str, AfterValidator(_check_inside)]


class FileRecord(Part):
    """One file of a version."""

    sha256: Sha256
    size: Annotated[int, Field(ge=0)]


def build_file_records(folder: Path) -> dict[str, FileRecord]:
    """Describe every file below the folder, by its path in it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): FileRecord(sha256=compute_sha256(path), size=get_body_size(path))
        for path in paths
    }


def is_intact(store: ObjectStore, uri: str, record: FileRecord) -> bool:
    """Tell whether the object is this file; it is read if the server keeps no sha256."""
    info = store.head(uri)
    if info is None or info.size != record.size:
        return False
    if info.sha256 is not None:
        return info.sha256 == record.sha256
    with store.open_seekable(uri) as stream:
        return compute_stream_sha256(stream) == record.sha256


def has_intact_files(store: ObjectStore, folder: str, files: dict[str, FileRecord]) -> bool:
    """Tell whether every file of a version is there and unchanged."""
    return bool(files) and all(is_intact(store, join(folder, path), record) for path, record in files.items())
