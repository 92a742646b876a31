"""Whatever admission does to any field of a Job or Pod: writes are bounded, and a run that does not end says why."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from builders.operator import SETTINGS, a_bot_in, a_prepare_result, a_run, a_train_result
from harness.stage_operator import NAME, NAMESPACE, Stage
from tweetbot_contract.result import CleanupSucceeded, TrainerResult
from tweetbot_fakes.kubernetes.controllers import Controllers
from tweetbot_fakes.kubernetes.copying import copy_json
from tweetbot_operator.client.interface import Kind
from tweetbot_operator.jobs.cleanup import build_cleanup_job
from tweetbot_operator.jobs.job import build_job

Manifest = dict[str, Any]
Path = tuple[str | int, ...]
#: What the API server does not let admission change.
FIXED = {("apiVersion",), ("kind",), ("metadata",), ("spec",), ("metadata", "namespace")}
#: What admission may add to a Job, with the field's path.
ADDED: tuple[tuple[Path, Any], ...] = (
    (("metadata", "finalizers"), ["example.com/keep"]),
    (("spec", "suspend"), True),
    (("spec", "managedBy"), "example.com/controller"),
    (("spec", "completionMode"), "Indexed"),
    (("spec", "template", "spec", "schedulingGates"), [{"name": "example.com/gate"}]),
    (("spec", "template", "spec", "initContainers"), [{"name": "vault"}]),
)
#: Simulated hours of each scenario, and what one may cost: creations or deletions of one Job, and statuses.
HOURS = 3
MOST_CREATIONS, MOST_STATUSES = 9, 30


def walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every path of a manifest, inner ones after outer ones."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in items:
        yield (*path, step), inner
        yield from walk(inner, (*path, step))


def replace_value(value: Any) -> list[Any]:
    """Return other values of the same type."""
    match value:
        case bool():
            return [not value]
        case int():
            return [0, value + 1]
        case str():
            return ["changed"]
        case list() if value:
            return [[], [*value, {**value[0], "name": "injected"} if isinstance(value[0], dict) else value[0]]]
        case dict():
            return [{**value, "injected": "1"}]
        case _:
            return []


def list_mutations(manifest: Manifest) -> Iterator[tuple[Path, Any]]:
    """Yield each path with each value that admission may put there; None removes it."""
    for path, value in walk(manifest):
        if path not in FIXED:
            yield from ((path, None) for _ in range(path != ("metadata", "name")))
            yield from ((path, other) for other in replace_value(value))


def mutate(manifest: Manifest, path: Path, value: Any) -> Manifest:
    """Return the manifest with a value at a path, if it has that path."""
    changed = copy_json(manifest)
    inner: Any = changed
    try:
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value if value is not None else inner[path[-1]]
        if value is None:
            del inner[path[-1]]
    except (KeyError, IndexError):
        return manifest
    return changed


class Mutation:
    """An admission that changes one field of every Job or Pod, perhaps only in real requests."""

    def __init__(self, kind: Kind, path: Path, value: Any, dry_runs: bool) -> None:
        self.kind, self.path, self.value, self.dry_runs = kind, path, value, dry_runs

    def __call__(self, kind: Kind, manifest: Manifest, dry_run: bool) -> Manifest:
        return mutate(manifest, self.path, self.value) if kind == self.kind and self.dry_runs >= dry_run else manifest

    def __repr__(self) -> str:
        where = "/".join(str(step) for step in self.path)
        return f"{self.kind} {where} = {self.value!r}{'' if self.dry_runs else ', but in dry runs'}"


RESULTS: dict[str, TrainerResult] = {
    "Prepare": a_prepare_result(),
    "Train": a_train_result(),
    "Cleanup": CleanupSucceeded(),
}
BOT = a_bot_in("Train")
TRAIN = build_job(BOT, BOT.status.current_run or a_run(BOT), SETTINGS)
CLEANUP = build_cleanup_job(BOT, SETTINGS)


def a_pod_of(job: Manifest) -> Manifest:
    return {"metadata": job["spec"]["template"]["metadata"], "spec": job["spec"]["template"]["spec"]}


def list_admissions(job: Manifest) -> Iterator[Mutation]:
    for path, value in ADDED:
        yield from (Mutation("jobs", path, value, dry_runs) for dry_runs in (True, False))
    for path, value in list_mutations(job):
        yield Mutation("jobs", path, value, dry_runs=False)
        if len(path) < 3 or path[:2] != ("spec", "template") or "labels" in path:
            yield Mutation("jobs", path, value, dry_runs=True)
    for path, value in list_mutations(a_pod_of(job)):
        if path[0] == "metadata" or path[:3] in (
            ("spec", "containers"),
            ("spec", "containers", 0),
        ):  # the rest is unread
            yield Mutation("pods", path, value, dry_runs=True)


def find_excess(stage: Stage) -> str:
    """Return what was written too often; empty if nothing was."""
    writes = Counter(write for write in stage.cluster.writes if not write.startswith("status"))
    statuses = len(stage.cluster.writes) - writes.total()
    often = {write: count for write, count in writes.items() if count > MOST_CREATIONS}
    return f"{often or statuses}" if often or statuses > MOST_STATUSES else ""


def is_gone(stage: Stage) -> bool:
    return ("tweetbots", NAMESPACE, NAME) not in stage.cluster.objects


async def pass_time(stage: Stage, seconds: float, step: float) -> None:
    """Let time pass, in steps after each of which operator and controllers do what is due."""
    controllers = Controllers(stage.cluster, RESULTS)
    for _ in range(round(seconds / step)):
        stage.time += timedelta(seconds=step)
        for _ in range(3):
            controllers.control()
            await stage.settle()


async def play_run(admission: Mutation) -> Stage:
    """Play a run under this admission."""
    stage = Stage()
    stage.cluster.admit = admission
    await stage.apply()
    return await pass_hours(stage)


async def finish_run() -> Stage:
    """Play an undisturbed run of a TweetBot that is to be erased at its deletion."""
    stage = Stage()
    await stage.apply(deletionPolicy="Delete")
    await stage.whole_run()
    return stage


async def play_erasure(finished: Stage, admission: Mutation) -> Stage:
    """Play the erasure after a finished run, by an operator that has just started, under this admission."""
    stage, objects = Stage(), copy_json(finished.cluster.objects)
    stage.cluster = replace(finished.cluster, now=stage.now, objects=objects, writes=[], events=[], admit=admission)
    stage.start_operator()
    stage.cluster.delete_bot(NAMESPACE, NAME)
    await stage.settle()
    return await pass_hours(stage)


async def pass_hours(stage: Stage) -> Stage:
    """Let operator and controllers do what they do in HOURS."""
    await pass_time(stage, 300, 60)
    ended = is_gone(stage) or stage.run.outcome is not None
    await pass_time(stage, 1200, 1200 if ended else 60)
    await pass_time(stage, HOURS * 3600 - 1500, 4650 if ended else 930)
    return stage


def test_every_field_is_mutated() -> None:
    admissions = [repr(each) for each in list_admissions(TRAIN)]
    assert len(admissions) == len(set(admissions))
    for path, _ in walk(TRAIN):
        assert path in FIXED or any(path == each.path for each in list_admissions(TRAIN)), path


@pytest.mark.parametrize("part", range(4))
async def test_a_run_is_bounded_and_told_whatever_is_mutated(part: int) -> None:
    for admission in list(list_admissions(TRAIN))[part::4]:
        stage = await play_run(admission)
        assert not find_excess(stage), f"{admission}: {find_excess(stage)}"
        silent = stage.run.outcome is None and stage.reason() in ("Preparing", "Training")
        assert not silent, f"{admission}: {stage.reason()} since {HOURS} hours"


@pytest.mark.parametrize("part", range(2))
async def test_an_erasure_is_bounded_and_ends_whatever_is_mutated(part: int) -> None:
    finished = await finish_run()
    for admission in list(list_admissions(CLEANUP))[part::2]:
        stage = await play_erasure(finished, admission)
        assert not find_excess(stage), f"{admission}: {find_excess(stage)}"
        assert is_gone(stage), f"{admission}: the TweetBot is still there after {HOURS} hours"
