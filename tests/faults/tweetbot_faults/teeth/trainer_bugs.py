"""Trainers with one planted bug each: publications into a folder, and a training that is killed."""

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from builders.stages import a_folder, a_local_run, a_version
from tweetbot_fakes.storage import Killed, WatchedStore
from tweetbot_faults.evidence import Evidence
from tweetbot_faults.oracles import CANARY, judge
from tweetbot_faults.point import Violation
from tweetbot_trainer.publishing.registry import latest, publish
from tweetbot_trainer.publishing.registry.manifest import StoredVersion, build_result, build_version_uri
from tweetbot_trainer.runtime import termination
from tweetbot_trainer.runtime.errors import StageStopped
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.store import join
from tweetbot_trainer.store.folder import FolderStore

STORE = FolderStore()
Check = Callable[[], None]


def verify(run: Any) -> list[Violation]:
    """O7: what latest.json names is there as a whole."""
    pointer = STORE.find(f"{run.prefix}/latest.json")
    if pointer is None:
        return []
    content = json.loads(pointer.body)
    home = content["uri"].removesuffix("/model")
    manifest = STORE.find(f"{home}/MANIFEST.json")
    if manifest is None or hashlib.sha256(manifest.body).hexdigest() != content["manifestSha256"]:
        return [Violation("O7", "latest.json names a version without its manifest")]
    files = json.loads(manifest.body)["files"]
    found = {path: STORE.find(f"{home}/{path}") for path in files}
    broken = [
        path for path, at in found.items() if not at or hashlib.sha256(at.body).hexdigest() != files[path]["sha256"]
    ]
    return [Violation("O7", f"{path} is not what its manifest says") for path in broken]


def play_publication(folder: Path, *, stop_at: int | None = None, number: int = 1) -> list[Violation]:
    """Publish, look as a reader after each request, and be told to stop at one of them."""
    run, stop = a_local_run(folder, stage="Train", dataset="d" * 64, run_number=number), StopRequest()
    finished = a_folder(folder / f"finished-{number}", b"weights")
    seen: list[Violation] = []

    def look() -> None:
        seen.extend(verify(run))
        if len(store.requests) - 1 == stop_at:
            stop.request()

    store = WatchedStore(STORE, after_each=look)
    with contextlib.suppress(StageStopped, Killed):
        publish.publish(store, run, finished, a_version(finished, run), check=stop.check)
        if stop_at is not None:
            seen.append(Violation("O7", "published after it was told to stop"))
    return seen


@contextmanager
def point_first() -> Iterator[None]:
    write = publish._write_version

    def write_late(store: Any, run: Any, folder: Path, manifest: Any, check: Check) -> Any:
        ours = StoredVersion(build_version_uri(run, manifest.version), manifest, manifest.encode())
        latest.update_latest(store, run, build_result(ours, run))
        return write(store, run, folder, manifest, check)

    with patch.object(publish, "_write_version", write_late):
        yield


@contextmanager
def publish_after_stop() -> Iterator[None]:
    with patch.object(StopRequest, "check", lambda self: None):
        yield


@contextmanager
def write_pointer_over() -> Iterator[None]:
    def write(store: Any, run: Any, result: Any) -> Any:
        entry = latest.build_entry(result, run.run_id, run.run_number, run.uid, started_at=run.run_started_at)
        store.put(join(run.prefix, latest.LATEST_FILE), latest._encode(entry))
        return result

    with patch.object(publish, "serve", write):
        yield


@contextmanager
def tell_what_was_raised() -> Iterator[None]:
    describe = termination.describe_failure

    def describe_all(error: BaseException) -> Any:
        failure, code = describe(error)
        return failure.model_copy(update={"message": str(error)}), code

    with patch.object(termination, "describe_failure", describe_all):
        yield


def play_stops(broken: Any) -> list[Violation]:
    with tempfile.TemporaryDirectory() as place, broken():
        return [each for at in range(3) for each in play_publication(Path(place) / str(at), stop_at=at)]


def play_plain(broken: Any) -> list[Violation]:
    with tempfile.TemporaryDirectory() as place, broken():
        return play_publication(Path(place))


def play_older_run(broken: Any) -> list[Violation]:
    """O8: an older run that comes late leaves the pointer where it is."""
    with tempfile.TemporaryDirectory() as place, broken():
        folder = Path(place)
        play_publication(folder, number=2)
        play_publication(folder, number=1)
        run = a_local_run(folder, stage="Train", dataset="d" * 64)
        number = json.loads(STORE.get(f"{run.prefix}/latest.json"))["runNumber"]
    return [] if number == 2 else [Violation("O8", f"latest.json went back to run {number}")]


def play_unforeseen_error(broken: Any) -> list[Violation]:
    """O11: the text of an error that nobody foresaw stays out of the termination message."""
    with broken():
        failure, _ = termination.describe_failure(KeyError(f"Authorization: Bearer {CANARY}"))
    seen = Evidence(texts={"the termination message": failure.message})
    return judge(seen, Evidence(), ("O11",))


def play_killed_training(*, forget_chance: bool) -> list[Violation]:
    """O16: a training that is killed after each of its first six steps ends with the weights of one that is not."""
    other = "state._get_rng_states = lambda: {'cpu': torch.Generator().manual_seed(1).get_state()}"
    patch_ = other if forget_chance else ""
    program = f"import torch\nfrom tweetbot_trainer.learning.training import state\n{patch_}\n"
    program += "from tweetbot_fakes.killed_training import main; main()"
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-c", program, folder, "6", "1"]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        return [Violation("O16", ended.stderr[-200:])]
    told = json.loads(ended.stdout)["every weight"]
    return [] if told["killed"] == told["undisturbed"] else [Violation("O16", "other weights")]


BUGS: tuple[tuple[str, str, Callable[[], list[Violation]]], ...] = (
    ("latest.json before the manifest", "O7", lambda: play_plain(point_first)),
    ("publication after SIGTERM", "O7", lambda: play_stops(publish_after_stop)),
    ("latest.json written over instead of swapped", "O8", lambda: play_older_run(write_pointer_over)),
    ("an error's text in the message", "O11", lambda: play_unforeseen_error(tell_what_was_raised)),
    ("a checkpoint without the state of chance", "O16", lambda: play_killed_training(forget_chance=True)),
)
#: The same plays of the trainer as it is: each must find nothing.
HONEST: dict[str, Callable[[], list[Violation]]] = {
    "publication": lambda: play_plain(contextlib.nullcontext),
    "stops": lambda: play_stops(contextlib.nullcontext),
    "an older run": lambda: play_older_run(contextlib.nullcontext),
    "an unforeseen error": lambda: play_unforeseen_error(contextlib.nullcontext),
    "a killed training": lambda: play_killed_training(forget_chance=False),
}
