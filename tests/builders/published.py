"""A published model with all that it was made from, but no training: a real dataset, a few bytes as weights."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import zstandard

from builders.stages import a_context, a_folder, a_local_run, a_source, a_version
from tweetbot_contract.data_table import DataTable
from tweetbot_contract.handover import RunDocument
from tweetbot_trainer.data.dataset.copy_hashes import store_copy_hashes
from tweetbot_trainer.data.dataset.dataset import POSTS_FILE, Dataset, build_header
from tweetbot_trainer.data.dataset.store import store_dataset
from tweetbot_trainer.data.posts import DatasetPost
from tweetbot_trainer.learning.fingerprint import VERSION_DIGITS, fingerprint_values
from tweetbot_trainer.publishing.registry.publish import publish
from tweetbot_trainer.publishing.registry.run_record import read_record
from tweetbot_trainer.stages.prepare import prepare
from tweetbot_trainer.store.folder import FolderStore

STORE = FolderStore()


def a_published_model(folder: Path, *, base: dict[str, str] | None = None, **run: Any) -> RunDocument:
    """Prepare the posts of a folder, publish a model of them and of a base, and return the run."""
    if not (folder / "posts.txt").exists():
        a_source(folder)
    document = a_local_run(folder, **run)
    prepared = prepare(a_context(folder, document))
    record = read_record(STORE, document)
    assert record is not None
    finished = a_folder(folder / "finished", b"weights")
    plain = a_version(finished, document)
    origin = plain.provenance.model_copy(update={"sources": record.sources, "base": base or asdict(record.base)})
    key = fingerprint_values(prepared.dataset.digest, origin.base_identity, origin.training)
    changes = {"dataset": prepared.dataset, "provenance": origin, "training_key": key, "version": key[:VERSION_DIGITS]}
    manifest = plain.model_copy(update=changes)
    publish(STORE, document, finished, manifest)
    return document


def a_dataset(folder: Path, posts: Sequence[str]) -> str:
    """Store a dataset of these posts where `a_local_run` has its own, with its hashes, and return its folder."""
    run = a_local_run(folder)
    table = DataTable(downloaded=len(posts), kept=len(posts))
    kept = tuple(DatasetPost(f"{number}", text, None, None, 0) for number, text in enumerate(posts))
    unnamed = Dataset("", build_header(run.spec.filter), kept, table, (table,), None)
    lines = zstandard.ZstdDecompressor().decompressobj().decompress(unnamed.build_files()[POSTS_FILE])
    dataset = replace(unnamed, digest=hashlib.sha256(lines).hexdigest())
    uri = store_dataset(STORE, run, dataset)
    store_copy_hashes(STORE, uri, dataset)
    return uri


def version_of(run: RunDocument) -> str:
    """Return the folder of the version that was published."""
    pointer = json.loads(STORE.get(f"{run.prefix}/latest.json"))
    return str(pointer["uri"]).removesuffix("/model")
