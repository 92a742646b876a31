"""Points at what users do: edits at each write, children taken away; and while the operator is down."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from harness.stage_operator import NAME, NAMESPACE
from tweetbot_contract.identity import hash_identity
from tweetbot_contract.manifest import read_spec
from tweetbot_fakes.kubernetes.copying import copy_json
from tweetbot_faults.evidence import Manifest
from tweetbot_faults.memory.play import SAME_END, SOUND, learn, play
from tweetbot_faults.memory.workloads import WORKLOADS
from tweetbot_faults.memory.world import World
from tweetbot_faults.oracles import judge
from tweetbot_faults.point import Point, Violation

#: Workloads whose TweetBot is there at every write.
EDITED = ("succeed", "fail", "retry", "retrain", "suspend", "adopt")
LABELS = {"labels": {"team": "harbour"}, "annotations": {"note": "by hand"}}
SPECS: dict[str, dict[str, Any]] = {
    "identity": {"training": {"epochs": 3}},
    "execution": {"resources": {"memory": "5Gi"}},
    "lifecycle": {"history": {"runs": 3}},
}


def plan_users() -> Iterator[Point]:
    """Yield all of them."""
    for row, id_, play_ in (*_plan_edits(), *_plan_absences(), *_plan_takings()):
        yield Point(f"memory/{id_}", row, "memory", play_)


Plan = Iterator[tuple[int, str, Callable[[], list[Violation]]]]


def _plan_edits() -> Plan:
    for workload in EDITED:
        for number in range(len(learn(workload).faulty.writes)):
            for field in LABELS:
                yield 17, f"edit/{workload}/{number}/{field}", partial(play_label, workload, number, field)
    for number in range(len(learn("succeed").faulty.writes)):
        for name in SPECS:
            yield 17, f"edit/spec/{number}/{name}", partial(play_edit, number, name)


def _plan_absences() -> Plan:
    for workload in WORKLOADS:
        for step in range(count_steps(workload)):
            yield 12, f"absent/{workload}/{step}", partial(play_absence, workload, step)


def _plan_takings() -> Plan:
    for step in range(3):
        for name in TAKEN:
            yield 14, f"taken/{step}/{name}", partial(play_taking, step, name)


class EditedWorld(World):
    """A user is at work at one of the operator's writes, after the operator has read and before it writes."""

    def __init__(self, at: int, edit: Callable[["EditedWorld"], None]) -> None:
        super().__init__()
        self.done = False

        def strike(number: int) -> None:
            if number == at and not self.done:
                self.done = True
                self.faulty.actor, method = "world", self.faulty._verb
                edit(self)
                self.faulty.actor, self.faulty._verb = "operator", method

        self.faulty.at_write = strike


def play_label(workload: str, at: int, field: str) -> list[Violation]:
    """A user labels or annotates the TweetBot at a write: nothing else may differ."""

    def edit(world: EditedWorld) -> None:
        found = copy_json(world.cluster.objects["tweetbots", NAMESPACE, NAME])
        found["metadata"].setdefault(field, {}).update(LABELS[field])
        world.cluster.put("tweetbots", found)
        world.remember()

    world = EditedWorld(at, edit)
    seen = play(world, WORKLOADS[workload])
    violations = judge(seen, learn(workload).evidence, ("O9",))
    for bot in seen.left("tweetbots"):
        _forget(bot["metadata"], field)
    judged = tuple(name for name in SAME_END if name != "O9")
    return violations + judge(seen, learn(workload).evidence, judged)


def _forget(metadata: Manifest, field: str) -> None:
    for key in LABELS[field]:
        metadata.get(field, {}).pop(key, None)
    if not metadata.get(field):
        metadata.pop(field, None)


def play_edit(at: int, name: str) -> list[Violation]:
    """A user edits the spec at a write: the new one wins, and its run ends well."""
    world = EditedWorld(at, lambda world: _edit(world, name))

    async def finish(world: World) -> None:
        await world.create()
        for _ in range(8):
            await (world.end() if world.active_job() else world.rest(1200))

    seen = play(world, finish)
    violations = judge(seen, learn("succeed").evidence, SOUND)
    (bot,) = seen.left("tweetbots")
    run = bot["status"]["currentRun"]
    if run["identity"] != hash_identity(read_spec(bot["spec"])) or run.get("outcome") != "Succeeded":
        violations.append(Violation("O15", f"the run of the new spec is {run.get('outcome')}"))
    return violations


def _edit(world: World, name: str) -> None:
    world.cluster.edit(NAMESPACE, NAME, **SPECS[name])
    world.remember()


class AbsentWorld(World):
    """The operator is down during one step of the workload, and knows nothing when it comes back."""

    def __init__(self, step: int) -> None:
        self.step, self.absent_at = 0, step
        super().__init__()

    async def rest(self, seconds: float = 300.0) -> None:
        self.step += 1
        if self.step - 1 == self.absent_at:
            self.cluster.event_handler = None
            self._control()
            self.start_operator()
        await super().rest(seconds)


def count_steps(workload: str) -> int:
    """Return how many things happen in a workload before it is closed."""
    world = AbsentWorld(-1)
    asyncio.run(WORKLOADS[workload](world))
    return world.step


def play_absence(workload: str, step: int) -> list[Violation]:
    """O1 and the rest: what happened while nobody looked is acted on as if somebody had."""
    return judge(play(AbsentWorld(step), WORKLOADS[workload]), learn(workload).evidence, SAME_END)


def _delete_job(world: World, job: Manifest) -> None:
    job["metadata"]["deletionTimestamp"] = world.cluster._stamp()
    world.cluster.put("jobs", job)


def _disown(world: World, job: Manifest) -> None:
    del job["metadata"]["ownerReferences"]
    world.cluster.put("jobs", job)


def _unlabel(world: World, job: Manifest) -> None:
    job["metadata"]["labels"] = {}
    world.cluster.put("jobs", job)


def _unannotate(world: World, job: Manifest) -> None:
    job["metadata"]["annotations"] = {}
    world.cluster.put("jobs", job)


def _delete_pods(world: World, job: Manifest) -> None:
    for pod in world._pods_of(job):
        world.cluster.remove("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])


#: What somebody does to the Job that works.
TAKEN: dict[str, Callable[[World, Manifest], None]] = {
    "deleted": _delete_job,
    "disowned": _disown,
    "unlabelled": _unlabel,
    "unannotated": _unannotate,
    "podless": _delete_pods,
}


def play_taking(step: int, name: str) -> list[Violation]:
    """Somebody lays hands on the Job that works: the run ends well all the same, with one Job at a time."""

    async def interfere(world: World) -> None:
        await world.create()
        for number in range(8):
            if number == step and (job := world.active_job()):
                TAKEN[name](world, copy_json(job))
                await world.rest(900)
            if world.active_job():
                await world.end()

    seen = play(World(), interfere)
    violations = judge(seen, learn("succeed").evidence, ("O3", "O4", "O6", "O7", "O9", "O10"))
    (bot,) = seen.left("tweetbots")
    if bot["status"]["phase"] != "Succeeded":
        violations.append(Violation("O1", f"the phase is {bot['status']['phase']}"))
    return violations
