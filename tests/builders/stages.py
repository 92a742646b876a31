"""Runs and their surroundings for tests of the trainer's stages: a folder as the bucket, a text file as the source."""

import hashlib
from io import StringIO
from pathlib import Path
from typing import Any

from builders.manifests import a_spec
from builders.trainer import many_posts
from tweetbot_contract.data_table import DataTable
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import DatasetResult, Metrics, Sample, TrackingResult
from tweetbot_trainer.publishing.registry.manifest import Provenance, VersionManifest
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.store import ObjectStore
from tweetbot_trainer.store.file_records import build_file_records
from tweetbot_trainer.store.folder import FolderStore

#: The training key of `a_version`.
KEY = hashlib.sha256(b"a training").hexdigest()
#: So many posts of builders_trainer are enough for the gate of 6,000 characters.
ENOUGH = 220


def a_source(folder: Path, *, posts: int = ENOUGH, name: str = "posts.txt") -> Path:
    """Write a file of posts, one a line."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("".join(f"{post.text}\n" for post in many_posts(posts)), encoding="utf-8")
    return folder / name


def a_local_run(folder: Path, *, spec: dict[str, Any] | None = None, **changes: Any) -> RunDocument:
    """Return a run whose source and output lie in a folder, with tracking off and the small base."""
    fields = {
        "sources": [{"posts": {"uri": f"file://{folder}/posts.txt", "format": "txt"}}],
        "output": {"s3": {"uri": f"file://{folder}/bucket"}},
        "model": {"base": "scratch://mini"},
        "tracking": {"wandb": {"mode": "Disabled"}},
        "resources": {"gpu": {"count": 0}},
    }
    identity = {"namespace": "team-a", "name": "gull", "uid": "uid-gull", "run_id": "0123456789abcdef", "run_number": 1}
    return RunDocument(**{**identity, "stage": "Prepare", "spec": a_spec(**{**fields, **(spec or {})}), **changes})


def a_context(
    folder: Path, run: RunDocument, *, store: ObjectStore | None = None, stop: StopRequest | None = None
) -> StageContext:
    """Return the surroundings of a stage."""
    return StageContext(
        run=run,
        open_store=lambda _: store or FolderStore(),
        secrets=folder / "secrets",
        work=folder / "work",
        log=Log(StringIO()),
        stop=stop or StopRequest(),
    )


def a_folder(folder: Path, weights: bytes) -> Path:
    """Write what a training leaves behind, the weights apart from a few bytes."""
    for name, content in {
        "model/config.json": b"{}",
        "model/model.safetensors": weights,
        "report/loss.png": b"p",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def a_version(folder: Path, run: RunDocument, version: str = KEY[:16], **changes: Any) -> VersionManifest:
    """Return the manifest of such a folder; keywords replace its fields."""
    fields = {
        "version": version,
        "training_key": KEY,
        "run_id": run.run_id,
        "run_number": run.run_number,
        "bot_uid": run.uid,
        "published_at": "2026-11-23T06:00:00.000Z",
        "files": build_file_records(folder),
        "dataset": DatasetResult(
            digest="d" * 64, uri=f"{run.prefix}/datasets/d", table=DataTable(downloaded=2, kept=2)
        ),
        "provenance": Provenance(
            base={},
            training={},
            ordered_by="created_at",
            seed=42,
            image="",
            processor="a processor",
            threads=1,
            versions={},
            relation="Fictional",
        ),
        "metrics": Metrics(
            eval_loss=2, perplexity=7.4, bits_per_byte=1.5, train_loss=1.9, tokens_per_second=900, train_seconds=3
        ),
        "samples": (Sample(prompt="My dream is", text="My dream is the harbour"),),
        "tracking": TrackingResult(),
    }
    return VersionManifest(**{**fields, **changes})
