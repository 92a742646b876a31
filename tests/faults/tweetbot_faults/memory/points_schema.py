"""Points at every property of the CRD: a change and its undoing while a run is at work, and what is bad refused."""

import re
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Any

from builders.manifests import a_manifest
from harness.stage_operator import NAME, NAMESPACE
from tweetbot_contract.identity import hash_identity
from tweetbot_contract.manifest import InvalidManifest, parse, read_spec
from tweetbot_fakes.kubernetes.copying import copy_json
from tweetbot_faults.evidence import mask
from tweetbot_faults.memory.play import play
from tweetbot_faults.memory.schema import Edit, list_edits
from tweetbot_faults.memory.world import World
from tweetbot_faults.oracles import judge
from tweetbot_faults.point import Point, Violation

#: What Kubernetes and the CRD forbid to change, or what says not how to train but whether.
_APART = ("output", "suspend", "deletionPolicy", "schedule")


def plan_schema() -> Iterator[Point]:
    """Yield each valid edit with its undoing, chained by property; and each bad one."""
    for edit in list_edits():
        if not edit.is_valid():
            row = 21 if edit.value in ("../..", "other/name") else 18
            yield Point(f"memory/bad/{edit.id}", row, "memory", partial(play_bad, edit))
        elif edit.path[0] not in _APART:
            yield Point(f"memory/schema/{edit.id}", 18, "memory", partial(play_undone, edit), faults=2)


def play_bad(edit: Edit) -> list[Violation]:
    """O18: the refusal names the field; where it was stored by an older schema, it starts nothing and is told."""
    manifest = a_manifest() | {"spec": edit.apply(a_manifest()["spec"])}
    try:
        parse(manifest)
    except InvalidManifest as refusal:
        named = [name for name in edit.path if name in str(refusal)]
        return [] if named else [Violation("O18", f"the refusal names no field: {str(refusal)[:200]}")]
    return [Violation("O18", "it is taken")]


@lru_cache
def learn_end() -> Any:
    """Return what a run leaves that nobody edits."""
    return play(World(), _finish)


async def _finish(world: World) -> None:
    await world.create()
    await _end_all(world)


async def _end_all(world: World) -> None:
    for _ in range(6):
        if world.active_job():
            await world.end()


def play_undone(edit: Edit) -> list[Violation]:
    """O14, O15: a change is acted on; undone, everything is as if it had never been, without anybody's help."""
    usual = a_manifest()["spec"]
    violations: list[Violation] = []

    async def change_and_undo(world: World) -> None:
        await world.create()
        _replace(world, edit.apply(usual))
        await world.rest(900)
        violations.extend(_look(world))
        _replace(world, usual)
        await world.rest(900)
        await _end_all(world)

    seen, reference = play(World(), change_and_undo), learn_end()
    ours, theirs = (_read_end(each.left("tweetbots")[0]) for each in (seen, reference))
    if ours != theirs:
        violations.append(Violation("O14", f"it ends as {ours}, not as {theirs}"))
    return violations + judge(seen, reference, ("O3", "O4", "O5", "O6", "O7", "O9", "O10"))


def _replace(world: World, spec: dict[str, Any]) -> None:
    stored = copy_json(world.cluster.objects["tweetbots", NAMESPACE, NAME])
    if stored["spec"] != spec:
        stored["metadata"]["generation"] += 1
    stored["spec"] = copy_json(spec)
    world.cluster.put("tweetbots", stored)
    world.remember()


def _look(world: World) -> Iterator[Violation]:
    """The status is of this spec, and the Job that works is of it, too."""
    bot = world.cluster.objects["tweetbots", NAMESPACE, NAME]
    run = bot["status"]["currentRun"]
    if bot["status"]["observedGeneration"] != bot["metadata"]["generation"]:
        yield Violation("O15", "the status is of an older spec")
    if run["identity"] != hash_identity(read_spec(bot["spec"])):
        yield Violation("O15", "the run is of another spec")
    job = world.active_job()
    if job and not re.fullmatch(rf"{NAME}-{run['id'][:8]}-.*", job["metadata"]["name"]):
        yield Violation("O15", f"Job {job['metadata']['name']} is of another run")


def _read_end(bot: dict[str, Any]) -> Any:
    """Return what must be as it was: not the history of runs, which has the edit."""
    status, run = bot["status"], bot["status"]["currentRun"]
    conditions = {each["type"]: (each["status"], each["reason"]) for each in status["conditions"]}
    return mask([status["phase"], run["id"], run["stage"], run.get("outcome"), status.get("model"), conditions])
