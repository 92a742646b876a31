"""Oracles over a play's evidence, each beside that of the same workload without a fault.

Their numbers and meanings are those of the fault matrix. Three judge something else: O8 the bucket (bucket/lab.py), O16
and O17 a training's weights and the steps that it does again (tests/integration/trainer/test_killed_training.py), O18
what is refused (memory/points_schema.py).
"""

from collections import Counter
from collections.abc import Callable, Iterator

from tweetbot_contract.handover import BOT_UID_LABEL, STAGE_LABEL
from tweetbot_faults.evidence import Change, Evidence, Manifest, mask
from tweetbot_faults.point import Violation

Finding = Iterator[str]
#: The secret that is planted.
CANARY = "canary-7f3a9d"
#: Writes that a fault may cost beyond those of an undisturbed run (O13).
EXTRA_WRITES = 4


def find_other_end(seen: Evidence, reference: Evidence) -> Finding:
    """O1: the end is that of an undisturbed run: objects, their fields, conditions' reasons."""
    for kind in ("tweetbots", "jobs"):
        ours, theirs = ({_name(item): mask(item) for item in each.left(kind)} for each in (seen, reference))
        for name in sorted(ours.keys() | theirs.keys()):
            if ours.get(name) != theirs.get(name):
                yield f"{kind} {name}: {_difference(theirs.get(name), ours.get(name))}"


def find_other_counts(seen: Evidence, reference: Evidence) -> Finding:
    """O2: each Job was created as often as in an undisturbed run, and deleted no oftener.

    Where a TweetBot goes, garbage collection and the operator race to delete its Jobs; O1 and O5 see what is left.
    """
    ours, theirs = _count_writes(seen), _count_writes(reference)
    for what in sorted(ours.keys() | theirs.keys()):
        if ours[what] > theirs[what] or (what[0] == "create" and ours[what] < theirs[what]):
            yield f"{' '.join(what)}: {ours[what]} times instead of {theirs[what]}"


def find_unrest(seen: Evidence, reference: Evidence) -> Finding:
    """O3: the end is reached, and then nothing more is written."""
    if not seen.reached:
        yield "the end was not reached in time"
    if seen.late_writes > reference.late_writes:
        yield f"{seen.late_writes} writes after the end"


def find_two_jobs(seen: Evidence, reference: Evidence) -> Finding:
    """O4: at no instant has a TweetBot two Jobs of stages that may still write."""
    active: dict[str, dict[str, str]] = {}
    bots: dict[str, str] = {}
    for change in seen.of("jobs"):
        labels = change.metadata.get("labels") or {}
        if labels.get(STAGE_LABEL) in ("prepare", "train"):
            bots.setdefault(change.uid, labels.get(BOT_UID_LABEL, ""))
        if change.uid not in bots:
            continue
        mine = active.setdefault(bots[change.uid], {})  # whatever labels were taken off it since
        if change.verb == "gone" or _has_finished(change.object):
            mine.pop(change.uid, None)
        else:
            mine[change.uid] = change.place[1]
        if len(mine) > 1:
            yield f"{sorted(mine.values())} at the same time"


def find_stray_children(seen: Evidence, reference: Evidence) -> Finding:
    """O5: children belong to the living TweetBot, none outlives it, and what others made is left alone."""
    alive: dict[tuple[str, str], str] = {}
    made: set[str] = set()
    for change in seen.changes:
        if change.kind == "tweetbots":
            alive[change.place] = "" if change.verb == "gone" else change.uid
        elif change.kind == "jobs" and change.actor == "operator":
            if change.verb == "create":
                made.add(change.uid)
                yield from _judge_owner(change, set(alive.values()))
            elif change.uid not in made:
                yield f"{change.verb} of Job {change.place[1]}, which somebody else made"
    for job in seen.left("jobs"):
        owner = _owner(job)
        if job["metadata"]["uid"] in made and owner and owner not in alive.values():
            yield f"Job {_name(job)} is left behind"


def find_steps_back(seen: Evidence, reference: Evidence) -> Finding:
    """O6: a status never goes back: generation, run, stage, retries, outcome, model."""
    last: dict[str, Manifest] = {}
    for change in seen.of("tweetbots", "operator"):
        before, after = last.get(change.uid), change.object.get("status") or {}
        last[change.uid] = after
        if before:
            yield from _compare_statuses(before, after)


def find_false_results(seen: Evidence, reference: Evidence) -> Finding:
    """O7: a model is in the status only after a Pod has named it."""
    said = ""
    for change in seen.changes:
        if change.kind == "pods":
            said += _message(change.object)
        model = (change.object.get("status") or {}).get("model") if change.kind == "tweetbots" else None
        if model and model["digest"] not in said:
            yield f"the status names model {model['digest'][:8]}, which no Pod has named by then"
            return


def find_lost_edits(seen: Evidence, reference: Evidence) -> Finding:
    """O9: what a user wrote last is still there."""
    for item in seen.left("tweetbots"):
        metadata = item["metadata"]
        wish = seen.wishes.get((metadata["namespace"], metadata["name"]), {})
        for field, wanted in wish.items():
            found = item.get("spec") if field == "spec" else metadata.get(field)
            if found != wanted:
                yield f"{field} of {_name(item)}: {_difference(wanted, found)}"


def find_foreign_writes(seen: Evidence, reference: Evidence) -> Finding:
    """O10: what the operator does for one namespace's TweetBot it does in that namespace."""
    for change in seen.of_operator():
        if change.cause not in ("", change.place[0]):
            yield f"for a TweetBot in {change.cause}: {change.verb} of {change.kind} in {change.place[0]}"
    ours, theirs = ({each.place[0] for each in one.of_operator()} for one in (seen, reference))
    if stray := ours - theirs:
        yield f"writes in {sorted(stray)}"


def find_canaries(seen: Evidence, reference: Evidence) -> Finding:
    """O11: no planted secret is in anything that people can read."""
    for where, text in seen.texts.items():
        if CANARY in text:
            yield f"a planted secret is in {where}"


def find_process_faults(seen: Evidence, reference: Evidence) -> Finding:
    """O12: the process lives, is healthy, logs no traceback and stays small."""
    yield from seen.process


def find_many_writes(seen: Evidence, reference: Evidence) -> Finding:
    """O13: a fault costs a few writes at most."""
    ours, theirs = (sum(each.actor == "operator" for each in one.changes) for one in (seen, reference))
    if ours > 2 * theirs + EXTRA_WRITES:
        yield f"{ours} writes instead of {theirs}"


Oracle = Callable[[Evidence, Evidence], Finding]
ORACLES: dict[str, Oracle] = {
    "O1": find_other_end,
    "O2": find_other_counts,
    "O3": find_unrest,
    "O4": find_two_jobs,
    "O5": find_stray_children,
    "O6": find_steps_back,
    "O7": find_false_results,
    "O9": find_lost_edits,
    "O10": find_foreign_writes,
    "O11": find_canaries,
    "O12": find_process_faults,
    "O13": find_many_writes,
    "O14": find_other_end,
    "O15": find_other_end,
}


def judge(seen: Evidence, reference: Evidence, names: tuple[str, ...]) -> list[Violation]:
    """Return what these oracles find, each at most three times."""
    found = [(name, list(ORACLES[name](seen, reference))[:3]) for name in names]
    return [Violation(name, text) for name, texts in found for text in texts]


def _name(item: Manifest) -> str:
    return str(mask(f"{item['metadata']['namespace']}/{item['metadata']['name']}"))


def _difference(wanted: object, found: object, path: str = "") -> str:
    """Name the first field that differs."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        key = next(key for key in sorted(wanted.keys() | found.keys()) if wanted.get(key) != found.get(key))
        return _difference(wanted.get(key), found.get(key), f"{path}.{key}")
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        place = next(place for place, pair in enumerate(zip(wanted, found, strict=True)) if pair[0] != pair[1])
        return _difference(wanted[place], found[place], f"{path}[{place}]")
    return f"{path or 'it'} is {_shorten(found)}, not {_shorten(wanted)}"


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:160]}…"


def _count_writes(evidence: Evidence) -> Counter[tuple[str, ...]]:
    jobs = evidence.of("jobs", "operator")
    return Counter((each.verb, *mask(each.place)) for each in jobs if each.verb in ("create", "delete"))


def _has_finished(job: Manifest) -> bool:
    conditions = (job.get("status") or {}).get("conditions") or ()
    return any(each["type"] in ("Complete", "Failed") and each["status"] == "True" for each in conditions)


def _owner(job: Manifest) -> str:
    return next((str(owner["uid"]) for owner in job["metadata"].get("ownerReferences") or ()), "")


def _judge_owner(change: Change, alive: set[str]) -> Finding:
    if _owner(change.object) not in alive | {""}:
        yield f"Job {change.place[1]} belongs to a TweetBot that is gone"
    if not _owner(change.object) and change.metadata["labels"].get(STAGE_LABEL) != "cleanup":
        yield f"Job {change.place[1]} belongs to nobody"


def _message(pod: Manifest) -> str:
    states = [each.get("state") or {} for each in (pod.get("status") or {}).get("containerStatuses") or ()]
    return " ".join(str((state.get("terminated") or {}).get("message", "")) for state in states)


def _compare_statuses(before: Manifest, after: Manifest) -> Finding:
    if after.get("observedGeneration", 0) < before.get("observedGeneration", 0):
        yield "observedGeneration went back"
    if before.get("model") and not after.get("model"):
        yield "the model went away"
    old, new = before.get("currentRun") or {}, after.get("currentRun") or {}
    if new.get("number", 0) < old.get("number", 0):
        yield f"run {old['number']} is followed by run {new.get('number')}"
    if (old.get("id"), old.get("execution"), old.get("number")) == tuple(
        new.get(key) for key in ("id", "execution", "number")
    ):
        yield from _compare_runs(old, new)
    yield from _compare_transitions(before, after)


def _compare_runs(old: Manifest, new: Manifest) -> Finding:
    if old.get("outcome") and new.get("outcome") != old["outcome"]:
        yield f"a run that {old['outcome'].lower()} is {new.get('outcome')}"
    if (old["stage"], new["stage"]) == ("Train", "Prepare"):
        yield "stage Train is followed by stage Prepare"
    if old["stage"] == new["stage"] and new.get("retries", 0) < old.get("retries", 0):
        yield f"retries went from {old['retries']} to {new.get('retries', 0)}"


def _compare_transitions(before: Manifest, after: Manifest) -> Finding:
    old = {each["type"]: each for each in before.get("conditions") or ()}
    for each in after.get("conditions") or ():
        known = old.get(each["type"])
        if known and known["status"] == each["status"] and known["lastTransitionTime"] != each["lastTransitionTime"]:
            yield f"lastTransitionTime of {each['type']} changed without its status"
