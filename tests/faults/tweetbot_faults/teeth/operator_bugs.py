"""Operators with one planted bug: each is a patch of one function, played on the cluster in memory."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from builders.operator import a_train_result
from tweetbot_faults.memory.faulty_cluster import WriteFault
from tweetbot_faults.memory.play import SAME_END, learn, play
from tweetbot_faults.memory.watch import WatchFault
from tweetbot_faults.memory.workloads import WORKLOADS
from tweetbot_faults.memory.world import World
from tweetbot_faults.oracles import judge
from tweetbot_faults.point import Violation
from tweetbot_operator.client import errors
from tweetbot_operator.decisions import plan, run
from tweetbot_operator.decisions.plan import Plan, remove_finalizer
from tweetbot_operator.decisions.stage import observe_stage
from tweetbot_operator.informers.cache import EventHandler
from tweetbot_operator.informers.resync import Resync
from tweetbot_operator.informers.workqueue import WorkQueue
from tweetbot_operator.reconciler import reconciler
from tweetbot_operator.reconciler.job_reader import JobReader
from tweetbot_operator.reconciler.reconciler import Reconciler
from tweetbot_operator.types.actions import CreateJob
from tweetbot_operator.types.stage_state import Active, TrainComplete

Fault = WriteFault | WatchFault | None
Patch = Callable[[], Any]
Play = Callable[[], list[Violation]]


def play_bug(workload: str, broken: Patch, faults: Sequence[Fault] = (None,)) -> list[Violation]:
    """Play a workload under an operator with the bug, with each of these faults."""
    reference, violations = learn(workload).evidence, []
    with broken():
        for fault in faults:
            write = fault if isinstance(fault, WriteFault) else None
            world = World(write, fault if isinstance(fault, WatchFault) else None)
            violations += judge(play(world, WORKLOADS[workload]), reference, (*SAME_END, "O14"))
    return violations


def at_every_write(workload: str, name: str) -> list[Fault]:
    return [WriteFault(number, name) for number in range(len(learn(workload).faulty.writes))]


def rename(action: CreateJob, end: str) -> CreateJob:
    manifest = deepcopy(action.manifest)
    manifest["metadata"]["name"] += end
    return replace(action, manifest=manifest)


@contextmanager
def name_jobs_by_chance() -> Iterator[None]:
    create, numbers = Reconciler._create_unmutated, itertools.count()

    async def create_another(self: Any, stored: Any, action: Any) -> Any:
        number = next(numbers)
        if number > 9:  # it would never end
            raise errors.Unavailable("enough")
        return await create(self, stored, rename(action, f"-{number}"))

    with patch.object(Reconciler, "_create_unmutated", create_another):
        yield


@contextmanager
def repeat_creations() -> Iterator[None]:
    create = Reconciler._create_unmutated

    async def create_again(self: Any, stored: Any, action: Any) -> Any:
        try:
            return await create(self, stored, action)
        except errors.Timeout:
            return await create(self, stored, rename(action, "-2"))

    with patch.object(Reconciler, "_create_unmutated", create_again):
        yield


@contextmanager
def swallow_errors() -> Iterator[None]:
    with patch.object(WorkQueue, "add_rate_limited", lambda self, key, longest=0.0: 0.0):
        yield


@contextmanager
def see_only_what_is_new() -> Iterator[None]:
    put = EventHandler.put

    def put_new(self: Any, item: Any) -> bool:
        known = any(indexer.get(item.uid) for indexer in self.indexers.values())
        return False if known else put(self, item)

    with patch.object(EventHandler, "put", put_new):
        yield


@contextmanager
def count_retries_in_memory() -> Iterator[None]:
    schedule, start, counts = run._pause_run, World.start_operator, {"retries": 0}

    def schedule_by_memory(current: Any, fault: Any, now: Any) -> Any:
        after = schedule(current.model_copy(update={"retries": counts["retries"]}), fault, now)
        counts["retries"] = after.retries
        return after

    def start_with_nothing(self: World) -> None:
        counts["retries"] = 0
        start(self)

    with (
        patch.object(run, "_pause_run", schedule_by_memory),
        patch.object(World, "start_operator", start_with_nothing),
    ):
        yield


@contextmanager
def delete_in_every_namespace() -> Iterator[None]:
    delete = Reconciler._delete

    async def delete_all(self: Any, stored: Any, job: Any, why: str) -> None:
        await delete(self, stored, job, why)
        for other in self._cache.jobs.list_all():
            if other.bot == job.bot and other.namespace != job.namespace:
                await self._cluster.delete_job(other)

    with patch.object(Reconciler, "_delete", delete_all):
        yield


@contextmanager
def share_one_name() -> Iterator[None]:
    with patch.object(run, "build_job_name", lambda name, run_id, stage: f"trainer-{stage.lower()}"):
        yield


@contextmanager
def replace_strangers() -> Iterator[None]:
    async def take_by_force(self: Any, stored: Any, manifest: Any) -> None:
        metadata = manifest["metadata"]
        await self._cluster.delete_job(await self._cluster.get_job(metadata["namespace"], metadata["name"]))

    with patch.object(JobReader, "take_existing_job", take_by_force):
        yield


@contextmanager
def wait_until_stable() -> Iterator[None]:
    decide = run.decide_run

    def decide_if_stable(bot: Any, due: Any, now: Any) -> Any:
        recorded = bot.status.current_run
        return recorded if recorded and recorded.outcome is None else decide(bot, due, now)

    with patch.object(plan, "decide_run", decide_if_stable):
        yield


@contextmanager
def succeed_too_soon() -> Iterator[None]:
    observe = observe_stage

    def observe_success(bot: Any, current: Any, observed: Any) -> Any:
        stage = observe(bot, current, observed)
        trains = isinstance(stage.state, Active) and current.stage == "Train" and stage.pods
        return replace(stage, state=TrainComplete(a_train_result())) if trains else stage

    with patch.object(plan, "observe_stage", observe_success):
        yield


@contextmanager
def release_before_erasure() -> Iterator[None]:
    def release(observed: Any) -> Plan:
        return Plan(observed.bot.status, (remove_finalizer(observed.bot, "no matter"),))

    with patch.object(reconciler, "plan_deletion", release):
        yield


@contextmanager
def never_compare() -> Iterator[None]:
    async def compare_nothing(self: Any, kinds: Any = ()) -> int:
        return 0

    with patch.object(Resync, "compare", compare_nothing):
        yield


def _hide_each_event(workload: str) -> list[Fault]:
    return [WatchFault(number, "hidden") for number in range(learn(workload).watch.seen)]


#: What the bug is, the oracle that must find it, and the play in which it must.
BUGS: tuple[tuple[str, str, Play], ...] = (
    ("Jobs with names by chance", "O2", lambda: play_bug("succeed", name_jobs_by_chance)),
    (
        "a creation that is repeated without a look",
        "O4",
        lambda: play_bug("succeed", repeat_creations, at_every_write("succeed", "timeout-after")),
    ),
    ("an error that is swallowed", "O3", lambda: play_bug("succeed", swallow_errors, at_every_write("succeed", "503"))),
    ("events of what is known are ignored", "O1", lambda: play_bug("succeed", see_only_what_is_new)),
    (
        "retries counted in memory",
        "O6",
        lambda: play_bug("retry-often", count_retries_in_memory, at_every_write("retry-often", "kill-after")),
    ),
    (
        "Jobs deleted by a label in every namespace",
        "O10",
        lambda: play_bug("live-beside-siblings", delete_in_every_namespace),
    ),
    ("two TweetBots share a child's name", "O3", lambda: play_bug("live-beside-siblings", share_one_name)),
    ("somebody's Job is taken by its name", "O5", lambda: play_bug("meet-a-stranger", replace_strangers)),
    ("edits wait until the run is stable", "O14", lambda: play_bug("edit", wait_until_stable)),
    ("success before a Pod has said so", "O7", lambda: play_bug("succeed", succeed_too_soon)),
    ("the finalizer goes before the erasure", "O2", lambda: play_bug("erase", release_before_erasure)),
    (
        "what a watch has lost is never looked for",
        "O3",
        lambda: play_bug("succeed", never_compare, _hide_each_event("succeed")),
    ),
)
