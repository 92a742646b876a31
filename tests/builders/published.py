"""A published model with all that it was made from, but no training: a real dataset, a few bytes as weights."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from builders.stages import a_context, a_folder, a_local_run, a_source, a_version
from tweetbot_contract.handover import RunDocument
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


def version_of(run: RunDocument) -> str:
    """Return the folder of the version that was published."""
    pointer = json.loads(STORE.get(f"{run.prefix}/latest.json"))
    return str(pointer["uri"]).removesuffix("/model")
