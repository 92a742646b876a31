"""Stages that are asked to end, or meet no room, at a point of one's choosing: each in a process of its own.

    python -c "from tweetbot_fakes.no_room import no_shared_memory; no_shared_memory()
    from tweetbot_fakes.interrupted_stages import main; main()" FOLDER

Prints a line of JSON: how each leg ended. This process runs once itself and forks, single-threaded.
"""

import hashlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from builders.model import a_saved_base
from builders.stages import a_context, a_local_run, a_source
from tweetbot_contract.result import TrackingResult
from tweetbot_contract.status import Stage
from tweetbot_fakes.no_room import shared_memory_is_full, small_disk
from tweetbot_fakes.scales import fit_once
from tweetbot_fakes.storage import WatchedStore
from tweetbot_trainer.cli.stage import dispatch_stage
from tweetbot_trainer.learning.style import style
from tweetbot_trainer.publishing.registry.manifest import MANIFEST_FILE
from tweetbot_trainer.publishing.tracking.interface import NullTracker, Tracker
from tweetbot_trainer.runtime.log import Level, Log
from tweetbot_trainer.runtime.signals import handle_sigterm
from tweetbot_trainer.runtime.termination import describe_failure
from tweetbot_trainer.stages import training_run
from tweetbot_trainer.store.folder import FolderStore

STORE = FolderStore()
BASE = "s3://bases/tiny"
#: Points of a run, in its order, each by what is seen of it there: an event of the log, a request to the store, a
#: question to the tracker.
STOPS: tuple[tuple[Stage, str, str], ...] = (
    ("Prepare", "reading", "open_seekable posts.txt"),
    ("Prepare", "cleaning", "prepare.source"),
    ("Prepare", "writing the dataset", "put posts.jsonl.zst"),
    ("Prepare", "before the record", "put dataset.json"),
    ("Train", "loading the base", "download model.safetensors"),
    ("Train", "training", "progress"),
    ("Train", "evaluation", "train.trained"),
    ("Train", "sampling", "train.evaluated"),
    ("Train", "writing the report", "get_current_result"),
    ("Train", "upload", "put_if_absent model.safetensors"),
    ("Train", "before the manifest", "head samples.jsonl"),
    ("Train", "after the manifest", f"put_if_absent {MANIFEST_FILE}"),
)
TRAIN_BEGINS = ("Train", "loading the base")
#: Bytes of disk, from too few for the base's weights to too few for the finished model beside them.
SMALL_DISKS = (100_000, 300_000, 370_000)


@dataclass(frozen=True)
class Leg:
    """One process: a stage, where it gets a SIGTERM, and how large its disk is."""

    folder: Path
    stage: Stage
    stop_at: str = ""
    disk: int = 0

    def ended(self) -> dict[str, Any]:
        """Run it and tell its exit code, its reason, and whether it published."""
        told = self.folder / "told.json"
        child = os.fork()
        if child == 0:
            os._exit(self.run(told))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return {"code": code, "reason": json.loads(told.read_text()), "published": self.published()}

    def published(self) -> bool:
        """Tell whether a version has a manifest, or anything points to one."""
        names = [info.uri for info in STORE.list(f"file://{self.folder}/bucket/")]
        return any("/models/" in uri and uri.endswith(f"/{MANIFEST_FILE}") for uri in names) or any(
            uri.endswith("/latest.json") for uri in names
        )

    def run(self, told: Path) -> int:
        """Run it in this process; return its exit code."""
        with handle_sigterm() as stop:
            try:
                context = a_context(self.folder, self._document(), store=self._store(), stop=stop)
                context = replace(context, log=_TellingLog(self._pass), start_tracker=self._tracker)
                context.work.mkdir(exist_ok=True)
                if self.disk:
                    small_disk(context.work, self.disk)
                reason: str = dispatch_stage(self.stage, context).kind
                code = 0
            except Exception as error:  # noqa: BLE001  # as the program itself
                failure, code = describe_failure(error)
                reason = failure.reason
        told.write_text(json.dumps(reason))
        return code

    def _document(self) -> Any:
        spec = {"model": {"base": BASE}, "training": {"epochs": 1}}
        digests = [
            info.uri.split("/datasets/")[1][:64]
            for info in STORE.list(f"file://{self.folder}/bucket/")
            if "/datasets/" in info.uri
        ]
        dataset = digests[0] if self.stage == "Train" else None
        return a_local_run(self.folder, stage=self.stage, dataset=dataset, spec=spec)

    def _store(self) -> WatchedStore:
        store = WatchedStore(_WithBase(self.folder / "base"), after_each=lambda: self._asked(store.requests[-1]))
        return store

    def _asked(self, request: tuple[str, str]) -> None:
        action, uri = request
        self._pass(f"{action} {uri.rpartition('/')[2]}")

    def _tracker(self, _config: Mapping[str, Any]) -> Tracker:
        return _TellingTracker(self._pass)

    def _pass(self, point: str) -> None:
        if point == self.stop_at:
            os.kill(os.getpid(), signal.SIGTERM)


class _WithBase(FolderStore):
    """Has a folder under the address of the base, which a spec cannot name as a file."""

    def __init__(self, base: Path) -> None:
        self._base = base

    def open_seekable(self, uri: str) -> BinaryIO:
        return super().open_seekable(uri.replace(BASE, f"file://{self._base}"))


class _TellingLog(Log):
    """Reports the name of each event."""

    def __init__(self, report: Callable[[str], None]) -> None:
        super().__init__()
        self._report = report

    def _write(self, level: Level, event: str, fields: dict[str, Any]) -> None:
        self._report(event)


class _TellingTracker(NullTracker):
    """Tracks nothing and reports when it is asked how tracking goes."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report

    def get_current_result(self) -> TrackingResult:
        self._report("get_current_result")
        return super().get_current_result()


def main() -> None:
    """Load all that is heavy and fit the style's scale before the first fork, and sample few texts.

    Each takes longer than the training.
    """
    training_run.MEASURED_TEXTS = 20
    style.fit_scale = fit_once  # type: ignore[attr-defined]
    folder = Path(sys.argv[1])
    told = {
        "without shared memory": shared_memory_is_full(),
        "undisturbed": undisturbed(folder / "undisturbed"),
        "stopped": stopped(folder / "stopped"),
        "faults": faults(folder),
    }
    print(json.dumps(told))


def a_home(folder: Path, *, posts: str | None = None, scale: float = 1.0) -> Path:
    """Return a folder with a source and a base."""
    a_source(folder)
    if posts is not None:
        (folder / "posts.txt").write_text(posts)
    a_saved_base(folder / "base", scale=scale)
    return folder


def weights(folder: Path) -> str:
    """Return the sha256 of the one published model."""
    (path,) = (folder / "bucket").rglob("models/*/model/model.safetensors")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def undisturbed(folder: Path) -> str:
    """Return the weights of a run of this process that nothing happened to: what it loads, every leg inherits."""
    a_home(folder)
    assert [Leg(folder, stage).run(folder / "told.json") for stage in ("Prepare", "Train")] == [0, 0]
    return weights(folder)


def stopped(folder: Path) -> dict[str, Any]:
    """Return how one run ends that gets a SIGTERM at every point in turn, and what it publishes in the end."""
    a_home(folder)
    legs = {name: Leg(folder, stage, point).ended() for stage, name, point in _in_order(folder)}
    return {"legs": legs, "weights": weights(folder)}


def _in_order(folder: Path) -> Iterator[tuple[Stage, str, str]]:
    """Yield the points; the stage between them has to end well once."""
    for stage, name, point in STOPS:
        if (stage, name) == TRAIN_BEGINS:
            assert Leg(folder, "Prepare").ended()["code"] == 0
        yield stage, name, point


def faults(folder: Path) -> dict[str, Any]:
    """Return how runs end that something is wrong with."""
    post = "the tide came back with soup and nobody had ordered it, said the gull to the harbour master\n"
    return {
        "one post": Leg(a_home(folder / "one", posts=post), "Prepare").ended(),
        "all posts the same": Leg(a_home(folder / "same", posts=post * 200), "Prepare").ended(),
        "no finite loss": prepared(folder / "nan", scale=1e30).ended(),
        "a base cut short": damaged(folder / "cut", before_prepare=True).ended(),
        "a base changed after prepare": damaged(folder / "changed", before_prepare=False).ended(),
        **{f"a disk of {size} bytes": replace(prepared(folder / f"{size}"), disk=size).ended() for size in SMALL_DISKS},
    }


def prepared(folder: Path, *, scale: float = 1.0) -> Leg:
    """Return a training whose dataset is prepared; its base is scaled so that its loss may be no number."""
    assert Leg(a_home(folder, scale=scale), "Prepare").ended()["code"] == 0
    return Leg(folder, "Train")


def damaged(folder: Path, *, before_prepare: bool) -> Leg:
    """Return the stage that finds that a base has lost the last bytes of its weights."""
    leg = Leg(a_home(folder), "Prepare") if before_prepare else prepared(folder)
    path = folder / "base" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    return leg
