"""A published model with all that it was made from, but no training: a real dataset, a few bytes as weights."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import zstandard

from builders.stages import KEY, a_context, a_folder, a_local_run, a_source, a_version
from tweetbot_contract.data_table import DataTable
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import DatasetResult, PrepareSucceeded, TrackingResult
from tweetbot_trainer.data.dataset.copy_hashes import store_copy_hashes
from tweetbot_trainer.data.dataset.dataset import POSTS_FILE, Dataset, build_header
from tweetbot_trainer.data.dataset.store import get_dataset_uri, store_dataset
from tweetbot_trainer.data.posts import DatasetPost
from tweetbot_trainer.learning.fingerprint import VERSION_DIGITS, fingerprint_values
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.publishing.hub.record import HubPush, record_push
from tweetbot_trainer.publishing.registry.ownership import join_prefix
from tweetbot_trainer.publishing.registry.publish import publish
from tweetbot_trainer.publishing.registry.run_record import PrepareRecord, read_record, write_record
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.stages.prepare import prepare
from tweetbot_trainer.store import ObjectStore
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
    origin = plain.provenance.model_copy(update={"sources": record.sources, "base": base or record.base.as_record()})
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


#: Digests of two datasets of `learn`: one holds `DELETED`, which the one that is served does not.
OLD, NEW = "a" * 64, "b" * 64
DELETED = "4711"
#: Where their runs are tracked, and the repository on the Hub that has copies of their versions.
TRACKED, REPO = "https://wandb.ai/harbour/huggingtweets/runs/gull", "harbour/gull"
PAGE = "raw/x/gull/api.x.com/12/00000000000000005000-00000000000000004000.json"


def learn(store: ObjectStore, run: RunDocument, *, tracked: str = TRACKED) -> None:
    """Store what two runs leave: `v1` learned from a deleted post, and `v2`, which is served, from another one."""
    join_prefix(store, run, Log(StringIO()))
    learn_version(store, run, "models/v1", OLD, [DELETED, "1"], tracked=tracked)
    learn_version(store, run, "rejected/v0", OLD, [DELETED, "1"], tracked=tracked)
    learn_version(store, run, "models/v2", NEW, ["1"], tracked=tracked)
    serve_version(store, run, "v2")
    store.put(f"{run.prefix}/{PAGE}", b'{"answer": {"data": [{"id": "4711"}, {"id": "4712"}]}}')
    store.put(f"{run.prefix}/{PAGE.replace('5000', '9000')}", b'{"answer": {"data": [{"id": "9000"}]}}')


def learn_version(
    store: ObjectStore,
    run: RunDocument,
    path: str,
    digest: str,
    ids: Sequence[str],
    *,
    tracked: str = TRACKED,
) -> None:
    """Store a version, its dataset of these posts, and its run with a checkpoint and a copy on the Hub."""
    version, uri = path.rpartition("/")[2], get_dataset_uri(run, digest)
    mine = run.model_copy(update={"run_id": digest[:16]})
    data = DatasetResult(digest=digest, uri=uri, table=DataTable(downloaded=len(ids), kept=len(ids)))
    tracking = TrackingResult(wandb_mode="Online", wandb_url=f"{tracked}-{mine.run_id}-train")
    manifest = a_version(Path("without files"), mine, version, dataset=data, tracking=tracking)
    lines = "".join(json.dumps({"id": each, "sha256": each, "source": 0}) + "\n" for each in ids)
    prepared = PrepareSucceeded(dataset=data)
    record = PrepareRecord(training_key=KEY, base=BaseIdentity("scratch://mini", "scratch", ""), result=prepared)
    write_record(store, mine, record)
    for name, content in {
        f"{uri}/ids.jsonl": lines.encode(),
        f"{uri}/{POSTS_FILE}": b"posts",
        f"{run.prefix}/{path}/MANIFEST.json": manifest.encode(),
        f"{run.prefix}/{path}/model/model.safetensors": b"weights",
        f"{run.prefix}/checkpoints/{mine.run_id}/00000001-x/course.json": b"{}",
    }.items():
        store.put(name, content)
    if path.startswith("models/"):
        push = HubPush(repo=REPO, url=f"https://huggingface.co/{REPO}", version=version, dataset=digest)
        record_push(store, run.prefix, push)


def serve_version(store: ObjectStore, run: RunDocument, version: str, **more: Any) -> None:
    """Let latest.json name a version, and what else is given."""
    content = {"uri": f"{run.prefix}/models/{version}/model", "uid": run.uid, **more}
    store.put(f"{run.prefix}/latest.json", json.dumps(content).encode())
