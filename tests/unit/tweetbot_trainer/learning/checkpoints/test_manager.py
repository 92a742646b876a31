"""Checkpoints in the store: the newest intact one is found, and no failure of one ends a training."""

import json
import math
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import torch

from builders.model import DEVICE, a_base, some_values
from builders.stages import a_local_run
from builders.x import Clock
from tweetbot_contract import reasons
from tweetbot_contract.progress import Waiting
from tweetbot_fakes.storage import WatchedStore
from tweetbot_trainer.learning.checkpoints.manager import LAST_SECONDS, CheckpointKey, CheckpointManager
from tweetbot_trainer.learning.checkpoints.naming import LIFETIME, MANIFEST
from tweetbot_trainer.learning.training.metrics import LogEntry
from tweetbot_trainer.learning.training.optimizer import create_optimizer
from tweetbot_trainer.learning.training.precision import ProductSeconds
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
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.store import BestEffortStore, ObjectStore, StorageUnavailable
from tweetbot_trainer.store.folder import FolderStore

STORE = FolderStore()
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


class Harness:
    """A manager whose store is a folder, and what it logged."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.lines, self.seconds, self.folder = StringIO(), 0.0, folder / "work"
        self.uri = f"file://{folder}/bucket/checkpoints/run"
        best_effort = BestEffortStore(
            changes.pop("best_effort_store", STORE), changes.pop("limit", lambda seconds: None)
        )
        defaults: dict[str, Any] = {"store": STORE, "best_effort": best_effort, "interval": 60.0, "now": lambda: NOW}
        key, versions = changes.pop("key", "k"), changes.pop("versions", {"torch": "2"})
        self.manager = CheckpointManager(
            CheckpointKey(self.uri, key, versions),
            self.folder,
            log=Log(self.lines),
            clock=lambda: self.seconds,
            **{**defaults, **changes},
        )

    def saved_names(self) -> list[str]:
        """Return the names of the complete checkpoints."""
        found = (info.uri for info in STORE.list(f"{self.uri}/"))
        return [uri.split("/")[-2] for uri in found if uri.endswith(MANIFEST)]

    def events(self) -> list[str]:
        """Return the names of the logged events."""
        return [json.loads(line)["event"] for line in self.lines.getvalue().splitlines()]


def accept_any(checkpoint: Checkpoint) -> str | None:
    """Accept every checkpoint."""
    return None


def a_checkpoint(steps: int = 3, *, best: bool = False, threads: int = 1) -> Checkpoint:
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
        precision="FP32",
        products=ProductSeconds(fp32=0.1 + 0.2, bf16=0.5),
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


def test_a_checkpoint_is_restored_to_the_last_bit(tmp_path: Path) -> None:
    harness, checkpoint = Harness(tmp_path), a_checkpoint(best=True)
    harness.manager.save(checkpoint, last=True)
    back = Harness(tmp_path).manager.load_newest(DEVICE, accept_any)
    assert back is not None
    assert same(checkpoint, back)
    model = a_base(seed=1)
    optimizer = create_optimizer(model.model, some_values())
    restore(back, model.model, optimizer)
    assert same(capture(back.trainer_state, model.model, optimizer, back.tensors["best"]), back)


def test_the_first_attempt_finds_no_checkpoint(tmp_path: Path) -> None:
    assert Harness(tmp_path).manager.load_newest(DEVICE, accept_any) is None


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    harness = Harness(tmp_path)
    for steps in (1, 2, 10):
        harness.manager.save(a_checkpoint(steps), last=True)
    assert [name.partition("-")[0] for name in harness.saved_names()] == ["00000002", "00000010"]
    assert list(harness.folder.iterdir()) == []


def damage_file(uri: str, path: str) -> None:
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
def test_a_damaged_checkpoint_is_skipped_for_the_one_before(tmp_path: Path, file: str, damage: str) -> None:
    harness, older = Harness(tmp_path), a_checkpoint(1)
    harness.manager.save(older, last=True)
    harness.manager.save(a_checkpoint(2), last=True)
    damage_file(f"{harness.uri}/{harness.saved_names()[-1]}/{file}", damage)
    again = Harness(tmp_path)
    found = again.manager.load_newest(DEVICE, accept_any)
    assert found is not None
    assert same(found, older)
    assert again.events() == ["checkpoint.passed_over", "checkpoint.resumed"]


@pytest.mark.parametrize("body", [b"", b"{}", b"not json", b'{"schemaVersion": 2}'])
def test_an_invalid_manifest_is_skipped(tmp_path: Path, body: bytes) -> None:
    harness = Harness(tmp_path)
    harness.manager.save(a_checkpoint(), last=True)
    STORE.put(f"{harness.uri}/{harness.saved_names()[0]}/{MANIFEST}", body)
    assert Harness(tmp_path).manager.load_newest(DEVICE, accept_any) is None


def test_a_manifest_that_names_a_file_outside_its_folder_is_skipped(tmp_path: Path) -> None:
    harness = Harness(tmp_path)
    harness.manager.save(a_checkpoint(), last=True)
    uri = f"{harness.uri}/{harness.saved_names()[0]}/{MANIFEST}"
    content = json.loads(STORE.get(uri))
    content["files"][".."] = content["files"]["course.json"]
    STORE.put(uri, json.dumps(content).encode())
    assert Harness(tmp_path).manager.load_newest(DEVICE, accept_any) is None


def test_another_trainings_checkpoint_is_skipped(tmp_path: Path) -> None:
    Harness(tmp_path).manager.save(a_checkpoint(), last=True)
    assert Harness(tmp_path, key="other").manager.load_newest(DEVICE, accept_any) is None


@pytest.mark.parametrize("part", ["model", "best", "random", "optimizer-exp_avg", "optimizer-step"])
@pytest.mark.parametrize("change", ["renamed", "reshaped"])
def test_a_checkpoint_with_other_tensors_is_skipped_for_the_one_before(tmp_path: Path, part: str, change: str) -> None:
    """Another version of a library may rename them: each attempt ended in an internal error."""
    harness, older, newer = Harness(tmp_path), a_checkpoint(1, best=True), a_checkpoint(2, best=True)
    name, *others = newer.tensors[part]
    tensor = newer.tensors[part][name]
    changed = {f"{name}.new": tensor} if change == "renamed" else {name: torch.stack([tensor, tensor])}
    tensors = {**newer.tensors, part: {**{other: newer.tensors[part][other] for other in others}, **changed}}
    harness.manager.save(older, last=True)
    harness.manager.save(Checkpoint(newer.trainer_state, tensors), last=True)
    model, again = a_base(seed=1).model, Harness(tmp_path)
    optimizer = create_optimizer(model, some_values())
    found = again.manager.load_newest(DEVICE, lambda found: find_incompatibility(found, model, optimizer))
    assert found is not None
    assert same(found, older)
    assert again.events() == ["checkpoint.passed_over", "checkpoint.resumed"]
    assert f"its tensors of {part} are not those of this training" in again.lines.getvalue()


@pytest.mark.parametrize(("changes", "processor"), [({"versions": {"torch": "3"}}, DEVICE), ({}, None)])
def test_another_machine_continues_and_logs_it(tmp_path: Path, changes: dict[str, Any], processor: Any) -> None:
    Harness(tmp_path).manager.save(a_checkpoint(), last=True)
    again = Harness(tmp_path, **changes)
    assert again.manager.load_newest(processor or replace(DEVICE, threads=9), accept_any) is not None
    assert again.events() == ["checkpoint.resumed", "checkpoint.other_machine"]


def test_a_machine_that_would_choose_another_number_format_keeps_it_and_says_so(tmp_path: Path) -> None:
    Harness(tmp_path).manager.save(a_checkpoint(), last=True)
    again = Harness(tmp_path)
    faster = replace(DEVICE, bf16=True, products=ProductSeconds(fp32=0.02, bf16=0.01))
    assert again.manager.load_newest(faster, accept_any) is not None
    assert again.events() == ["checkpoint.resumed", "checkpoint.other_precision"]
    told = json.loads(again.lines.getvalue().splitlines()[-1])
    assert "began in FP32 and goes on in it" in told["message"]
    assert told["productSeconds"] == {"FP32": 0.02, "BF16": 0.01}


def test_it_is_due_when_the_interval_has_passed(tmp_path: Path) -> None:
    harness = Harness(tmp_path)
    assert not harness.manager.is_due()
    harness.seconds = 60.0
    assert harness.manager.is_due()
    harness.manager.save(a_checkpoint(), last=True)
    assert not harness.manager.is_due()


def test_an_unavailable_store_costs_only_the_checkpoint(tmp_path: Path) -> None:
    class Away(FolderStore):
        def put(self, uri: str, body: Any) -> None:
            raise StorageUnavailable("S3 does not answer")

    away: ObjectStore = Away()
    harness = Harness(tmp_path, best_effort_store=away)
    harness.manager.save(a_checkpoint(), last=True)
    assert harness.events() == ["checkpoint.failed"]
    assert (harness.saved_names(), list(harness.folder.iterdir())) == ([], [])


class Awaited(FolderStore):
    """A store that is away until it has been asked so often, and waited for within a budget."""

    def __init__(self, budget: RetryBudget, times: float) -> None:
        self.budget, self.times = budget, times

    def put(self, uri: str, body: Any) -> None:
        self.budget.call(lambda: self._try(uri, body))

    def _try(self, uri: str, body: Any) -> None:
        self.times -= 1
        if self.times >= 0:
            raise StorageUnavailable("S3 does not answer")
        super().put(uri, body)


def test_a_checkpoint_is_offered_until_the_store_is_back_and_the_wait_is_told_as_beside_the_training(
    tmp_path: Path,
) -> None:
    run, seen = a_local_run(tmp_path / "run"), list[Waiting | None]()
    budget = RetryBudget(math.inf, sleep=lambda _: seen.append(budget.progress.build_report(run, "uid").waiting))
    budget.beside = True
    harness = Harness(tmp_path, best_effort_store=Awaited(budget, 500), limit=budget.limit)
    harness.manager.save(a_checkpoint())
    for thread in threading.enumerate():
        if thread.name == "checkpoint":
            thread.join()
    assert (harness.events(), len(harness.saved_names()), len(seen)) == (["checkpoint.saved"], 1, 500)
    assert {(each.reason, each.beside) for each in seen if each} == {("StorageUnavailable", True)}
    assert budget.progress.build_report(run, "uid").waiting is None


class Gate:
    """Waits that end when they are limited."""

    def __init__(self) -> None:
        self.clock, self.begun, self._opened = Clock(), threading.Event(), threading.Event()
        self.budget = self.clock.budget(math.inf)
        self.budget.sleep = self._sleep

    def _sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds)
        self.begun.set()
        self._opened.wait()

    def limit(self, seconds: float) -> None:
        self.budget.limit(seconds)
        if seconds < math.inf:
            self._opened.set()


def test_no_newer_checkpoint_is_due_while_one_waits_and_only_the_last_takes_its_place(tmp_path: Path) -> None:
    gate = Gate()
    harness = Harness(tmp_path, best_effort_store=Awaited(gate.budget, math.inf), limit=gate.limit)
    harness.manager.save(a_checkpoint())
    gate.begun.wait()
    harness.seconds = 600.0
    assert not harness.manager.is_due()
    harness.manager.save(a_checkpoint(), last=True)
    assert harness.events() == ["checkpoint.failed"] * 2
    assert LAST_SECONDS <= sum(gate.clock.waits) <= LAST_SECONDS + 1
    assert harness.manager.is_due() is False
    harness.seconds = 700.0
    assert harness.manager.is_due()


def test_a_checkpoint_that_waits_at_the_end_is_erased_with_the_others(tmp_path: Path) -> None:
    gate = Gate()
    harness = Harness(tmp_path, best_effort_store=Awaited(gate.budget, 1), limit=gate.limit)
    harness.manager.save(a_checkpoint())
    gate.begun.wait()
    harness.manager.clear()
    assert (harness.events(), harness.saved_names()) == (["checkpoint.saved"], [])


def test_the_last_checkpoint_waits_for_its_store_within_the_grace_period(tmp_path: Path) -> None:
    clock = Clock()
    budget = clock.budget(math.inf)
    harness = Harness(tmp_path, best_effort_store=Awaited(budget, math.inf), limit=budget.limit)
    harness.manager.save(a_checkpoint(), last=True)
    assert harness.events() == ["checkpoint.failed"]
    assert sum(clock.waits) == pytest.approx(LAST_SECONDS)
    harness.manager.clear()


def test_a_full_disk_costs_only_the_checkpoint(tmp_path: Path) -> None:
    harness = Harness(tmp_path)
    harness.folder.write_text("no folder")  # nothing can be written below it
    harness.manager.save(a_checkpoint(), last=True)
    assert harness.events() == ["checkpoint.failed"]


def test_after_publication_checkpoints_of_this_run_and_of_abandoned_runs_are_erased(tmp_path: Path) -> None:
    harness = Harness(tmp_path)
    harness.manager.save(a_checkpoint(), last=True)
    for run, age in (("old", LIFETIME + timedelta(hours=1)), ("young", LIFETIME - timedelta(hours=1))):
        made = (NOW - age).strftime("%Y%m%dT%H%M%SZ")
        STORE.put(f"file://{tmp_path}/bucket/checkpoints/{run}/00000001-{made}-0123abcd/{MANIFEST}", b"{}")
    harness.manager.clear()
    left = {info.uri.split("/checkpoints/")[1].split("/")[0] for info in STORE.list(f"file://{tmp_path}/bucket/")}
    assert left == {"young"}


def test_checkpoints_that_may_not_be_erased_are_left_and_logged(tmp_path: Path) -> None:
    class Refusing(FolderStore):
        def delete(self, uri: str) -> None:
            raise NotAuthorized(reasons.NOT_AUTHORIZED, "S3 answered AccessDenied")

    refusing: ObjectStore = Refusing()
    harness = Harness(tmp_path, store=refusing)
    harness.manager.save(a_checkpoint(), last=True)
    harness.manager.clear()
    assert harness.events() == ["checkpoint.saved", "checkpoint.left"]


def test_the_manifest_is_written_last(tmp_path: Path) -> None:
    store = WatchedStore(STORE)
    harness = Harness(tmp_path, best_effort_store=store)
    harness.manager.save(a_checkpoint(), last=True)
    puts = [uri for action, uri in store.requests if action == "put"]
    assert puts[-1].endswith(MANIFEST)
    assert len(puts) > 3
