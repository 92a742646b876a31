"""The shelf of checkpoints: the newest whole one is found, and nothing that goes wrong with one ends a training."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import torch

from builders.model import DEVICE, a_base, some_values
from tweetbot_contract import reasons
from tweetbot_fakes.storage import WatchedStore
from tweetbot_trainer.learning.checkpoints.manager import MANIFEST, CheckpointKey, CheckpointManager
from tweetbot_trainer.learning.checkpoints.naming import LIFETIME
from tweetbot_trainer.learning.training.metrics import LogEntry
from tweetbot_trainer.learning.training.setup import create_optimizer
from tweetbot_trainer.learning.training.state import (
    Checkpoint,
    TrainerState,
    capture,
    copy_weights,
    find_incompatibility,
    restore,
)
from tweetbot_trainer.runtime.errors import NotAuthorized
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.store import ObjectStore, StorageUnavailable
from tweetbot_trainer.store.folder import FolderStore

STORE = FolderStore()
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


class Bench:
    """A shelf in a folder, and what it logged."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.lines, self.seconds, self.folder = StringIO(), 0.0, folder / "work"
        self.uri = f"file://{folder}/bucket/checkpoints/run"
        defaults: dict[str, Any] = {"store": STORE, "best_effort_store": STORE, "interval": 60.0, "now": lambda: NOW}
        key, versions = changes.pop("key", "k"), changes.pop("versions", {"torch": "2"})
        self.shelf = CheckpointManager(
            CheckpointKey(self.uri, key, versions),
            self.folder,
            log=Log(self.lines),
            clock=lambda: self.seconds,
            **{**defaults, **changes},
        )

    def kept(self) -> list[str]:
        """Return the names of the whole checkpoints."""
        found = (info.uri for info in STORE.list(f"{self.uri}/"))
        return [uri.split("/")[-2] for uri in found if uri.endswith(MANIFEST)]

    def events(self) -> list[str]:
        """Return what was logged, by name."""
        return [json.loads(line)["event"] for line in self.lines.getvalue().splitlines()]


def fitting(state: Checkpoint) -> str | None:
    """Let a training go on from any state."""
    return None


def a_state(steps: int = 3, *, best: bool = False, threads: int = 1) -> Checkpoint:
    base = a_base()
    optimizer = create_optimizer(base.model, some_values())
    for parameter in base.model.parameters():
        parameter.grad = torch.full_like(parameter, 0.5)
    optimizer.step()
    state = TrainerState(
        epoch=1,
        done=steps,
        tokens=steps * 64,
        step_seconds=0.1,
        seconds=0.3,
        eval_loss=0.1 + 0.2,
        losses=[1 / 3] * steps,
        log_history=[LogEntry(1, 0.5, train_loss=1 / 3)],
        processor=DEVICE.name,
        threads=threads,
        best_loss=1.25 if best else None,
        best_epoch=1 if best else None,
    )
    return capture(state, base.model, optimizer, copy_weights(base.model) if best else None)


def same(one: Checkpoint, other: Checkpoint) -> bool:
    parts = one.tensors.keys() == other.tensors.keys()
    return (
        parts
        and one.trainer_state == other.trainer_state
        and all(
            torch.equal(tensor, other.tensors[part][name])
            for part in one.tensors
            for name, tensor in one.tensors[part].items()
        )
    )


def test_a_state_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    bench, state = Bench(tmp_path), a_state(best=True)
    bench.shelf.save(state, last=True)
    back = Bench(tmp_path).shelf.load_newest(DEVICE, fitting)
    assert back is not None
    assert same(state, back)
    model = a_base(seed=1)
    optimizer = create_optimizer(model.model, some_values())
    restore(back, model.model, optimizer)
    assert same(capture(back.trainer_state, model.model, optimizer, back.tensors["best"]), back)


def test_the_first_attempt_finds_none(tmp_path: Path) -> None:
    assert Bench(tmp_path).shelf.load_newest(DEVICE, fitting) is None


def test_the_newest_and_the_one_before_stay(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for steps in (1, 2, 10):
        bench.shelf.save(a_state(steps), last=True)
    assert [name.partition("-")[0] for name in bench.kept()] == ["00000002", "00000010"]
    assert list(bench.folder.iterdir()) == []


def damaged(uri: str, path: str) -> None:
    """Flip one bit of a file, cut it, or take it away."""
    file = Path(uri.removeprefix("file://"))
    content = bytearray(file.read_bytes())
    if path == "gone":
        file.unlink()
    elif path == "torn":
        file.write_bytes(content[: len(content) // 2])
    else:
        content[len(content) // 2] ^= 1
        file.write_bytes(content)


@pytest.mark.parametrize("damage", ["gone", "torn", "flipped"])
@pytest.mark.parametrize("file", ["model.safetensors", "optimizer-exp_avg.safetensors", "course.json"])
def test_a_damaged_one_is_passed_over_for_the_one_before(tmp_path: Path, file: str, damage: str) -> None:
    bench, older = Bench(tmp_path), a_state(1)
    bench.shelf.save(older, last=True)
    bench.shelf.save(a_state(2), last=True)
    damaged(f"{bench.uri}/{bench.kept()[-1]}/{file}", damage)
    again = Bench(tmp_path)
    found = again.shelf.load_newest(DEVICE, fitting)
    assert found is not None
    assert same(found, older)
    assert again.events() == ["checkpoint.passed_over", "checkpoint.resumed"]


@pytest.mark.parametrize("body", [b"", b"{}", b"not json", b'{"schemaVersion": 2}'])
def test_a_manifest_that_is_none_is_passed_over(tmp_path: Path, body: bytes) -> None:
    bench = Bench(tmp_path)
    bench.shelf.save(a_state(), last=True)
    STORE.put(f"{bench.uri}/{bench.kept()[0]}/{MANIFEST}", body)
    assert Bench(tmp_path).shelf.load_newest(DEVICE, fitting) is None


def test_a_manifest_that_names_a_file_outside_of_its_folder_is_passed_over(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.shelf.save(a_state(), last=True)
    uri = f"{bench.uri}/{bench.kept()[0]}/{MANIFEST}"
    content = json.loads(STORE.get(uri))
    content["files"][".."] = content["files"]["course.json"]
    STORE.put(uri, json.dumps(content).encode())
    assert Bench(tmp_path).shelf.load_newest(DEVICE, fitting) is None


def test_another_training_is_not_gone_on_from(tmp_path: Path) -> None:
    Bench(tmp_path).shelf.save(a_state(), last=True)
    assert Bench(tmp_path, key="other").shelf.load_newest(DEVICE, fitting) is None


@pytest.mark.parametrize("part", ["model", "best", "random", "optimizer-exp_avg", "optimizer-step"])
@pytest.mark.parametrize("change", ["renamed", "reshaped"])
def test_one_with_other_tensors_is_passed_over_for_the_one_before(tmp_path: Path, part: str, change: str) -> None:
    """Another version of a library may name them in another way: each attempt ended in an error of ours."""
    bench, older, newer = Bench(tmp_path), a_state(1, best=True), a_state(2, best=True)
    name, *others = newer.tensors[part]
    tensor = newer.tensors[part][name]
    changed = {f"{name}.new": tensor} if change == "renamed" else {name: torch.stack([tensor, tensor])}
    tensors = {**newer.tensors, part: {**{other: newer.tensors[part][other] for other in others}, **changed}}
    bench.shelf.save(older, last=True)
    bench.shelf.save(Checkpoint(newer.trainer_state, tensors), last=True)
    model, again = a_base(seed=1).model, Bench(tmp_path)
    optimizer = create_optimizer(model, some_values())
    found = again.shelf.load_newest(DEVICE, lambda state: find_incompatibility(state, model, optimizer))
    assert found is not None
    assert same(found, older)
    assert again.events() == ["checkpoint.passed_over", "checkpoint.resumed"]
    assert f"its tensors of {part} are not those of this training" in again.lines.getvalue()


@pytest.mark.parametrize(("changes", "processor"), [({"versions": {"torch": "3"}}, DEVICE), ({}, None)])
def test_another_machine_goes_on_and_says_so(tmp_path: Path, changes: dict[str, Any], processor: Any) -> None:
    Bench(tmp_path).shelf.save(a_state(), last=True)
    again = Bench(tmp_path, **changes)
    assert again.shelf.load_newest(processor or replace(DEVICE, threads=9), fitting) is not None
    assert again.events() == ["checkpoint.resumed", "checkpoint.other_machine"]


def test_it_is_due_when_the_interval_has_passed(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert not bench.shelf.is_due()
    bench.seconds = 60.0
    assert bench.shelf.is_due()
    bench.shelf.save(a_state(), last=True)
    assert not bench.shelf.is_due()


def test_a_storage_that_is_away_costs_the_checkpoint_alone(tmp_path: Path) -> None:
    class Away(FolderStore):
        def put(self, uri: str, body: Any) -> None:
            raise StorageUnavailable("S3 does not answer")

    away: ObjectStore = Away()
    bench = Bench(tmp_path, best_effort_store=away)
    bench.shelf.save(a_state(), last=True)
    assert bench.events() == ["checkpoint.failed"]
    assert (bench.kept(), list(bench.folder.iterdir())) == ([], [])


def test_a_full_disk_costs_the_checkpoint_alone(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.folder.write_text("no folder")  # nothing can be written below it
    bench.shelf.save(a_state(), last=True)
    assert bench.events() == ["checkpoint.failed"]


def test_after_publication_none_are_left_of_this_run_nor_of_runs_long_given_up(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.shelf.save(a_state(), last=True)
    for run, age in (("old", LIFETIME + timedelta(hours=1)), ("young", LIFETIME - timedelta(hours=1))):
        made = (NOW - age).strftime("%Y%m%dT%H%M%SZ")
        STORE.put(f"file://{tmp_path}/bucket/checkpoints/{run}/00000001-{made}-0123abcd/{MANIFEST}", b"{}")
    bench.shelf.clear()
    left = {info.uri.split("/checkpoints/")[1].split("/")[0] for info in STORE.list(f"file://{tmp_path}/bucket/")}
    assert left == {"young"}


def test_checkpoints_that_may_not_be_erased_are_left_and_told(tmp_path: Path) -> None:
    class Refusing(FolderStore):
        def delete(self, uri: str) -> None:
            raise NotAuthorized(reasons.NOT_AUTHORIZED, "S3 answered AccessDenied")

    refusing: ObjectStore = Refusing()
    bench = Bench(tmp_path, store=refusing)
    bench.shelf.save(a_state(), last=True)
    bench.shelf.clear()
    assert bench.events() == ["checkpoint.saved", "checkpoint.left"]


def test_the_manifest_is_written_last(tmp_path: Path) -> None:
    store = WatchedStore(STORE)
    bench = Bench(tmp_path, best_effort_store=store)
    bench.shelf.save(a_state(), last=True)
    puts = [uri for action, uri in store.requests if action == "put"]
    assert puts[-1].endswith(MANIFEST)
    assert len(puts) > 3
