"""A published model in a folder of this machine, and what copies of its dataset's posts are recognized by."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tweetbot_contract import reasons
from tweetbot_trainer.data.dataset.copies import CopyDetector
from tweetbot_trainer.data.dataset.copy_hashes import load_copy_detector
from tweetbot_trainer.learning.model.identity import CONFIG, BaseIdentity
from tweetbot_trainer.learning.sampling import SamplingParams
from tweetbot_trainer.publishing.registry.lineage import find_version
from tweetbot_trainer.publishing.registry.manifest import MODEL_FOLDER, REMOVED_FILE, StoredVersion
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused
from tweetbot_trainer.runtime.imports import skip_garbage_collection
from tweetbot_trainer.store import ObjectStore, OpenStore, compute_sha256, join
from tweetbot_trainer.store.interface import UnnamedRefusal

if TYPE_CHECKING:
    from tweetbot_trainer.learning.model.base import Base


@dataclass(frozen=True, slots=True)
class CopyCheck:
    """What copies are recognized by, or why they cannot be."""

    detector: CopyDetector | None
    missing: str = ""


#: Where nothing tells which dataset the model learned from.
UNCHECKED = CopyCheck(None, "a folder does not tell where the model's dataset is")


def load_copy_check(open_store: OpenStore, *, given: str | None = None, found: str | None = None) -> CopyCheck:
    """Load the hashes of a dataset's posts: of the one that was given, or found by the model's address.

    Raises SpecRefused and NotAuthorized if a given one cannot be read; one that was found may be out of reach.
    """
    folder = given or found
    if folder is None:
        return UNCHECKED
    try:
        return CopyCheck(load_copy_detector(open_store(folder), folder))
    except (NotAuthorized, SpecRefused, UnnamedRefusal) as refusal:
        if given:
            raise
        return CopyCheck(None, refusal.message)


@contextmanager
def download_model(store: ObjectStore, uri: str) -> Iterator[tuple[Path, StoredVersion]]:
    """Download a published model to a temporary folder, and check its files against the manifest.

    Raises SpecRefused if nothing is published at the address (see find_version), or a file is damaged.
    """
    version = find_version(store, uri)
    with tempfile.TemporaryDirectory(prefix="tweetbot-model-") as folder:
        for path, record in version.manifest.files.items():
            inside, _, name = path.partition("/")
            if inside != MODEL_FOLDER or path == REMOVED_FILE:
                continue
            target = Path(folder) / Path(name).name
            store.download(join(version.home, path), target)
            if compute_sha256(target) != record.sha256:
                message = f"--model: {join(version.home, path)} differs from its manifest"
                raise SpecRefused(reasons.SOURCE_UNREADABLE, message)
        yield Path(folder), version


def load_model(folder: Path) -> "tuple[Base, SamplingParams]":
    """Load the model in a folder, and its sampling values. Raises SpecRefused, which names the option."""
    if not (folder / CONFIG).is_file():
        message = f"--model: there is no model in {folder}: {CONFIG} is missing"
        raise SpecRefused(reasons.BASE_MODEL_NOT_FOUND, message)
    with skip_garbage_collection():
        from tweetbot_trainer.learning.generation.generation import read_generation_config
        from tweetbot_trainer.learning.model.base import read_base

    try:
        base = read_base(folder, BaseIdentity(str(folder), "folder", ""))
        sampling = read_generation_config(folder)
    except SpecRefused as refusal:
        raise SpecRefused(refusal.reason, f"--model: {refusal.message}") from refusal
    base.model.eval()
    return base, sampling
