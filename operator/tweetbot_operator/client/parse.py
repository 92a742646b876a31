"""Parses manifests of the API server into the small frozen views that decisions read."""

import re
import sys
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from pydantic_core import from_json, to_json

from tweetbot_contract.handover import (
    BOT_LABEL,
    BOT_UID_LABEL,
    EXECUTION_ANNOTATION,
    FORCE_ANNOTATION,
    FORGET_ANNOTATION,
    MANAGED_BY_LABEL,
    QUEUE_LABEL,
    RETRAIN_ANNOTATION,
    ROUND_ANNOTATION,
    RUN_ENV,
    RUN_LABEL,
    STAGE_LABEL,
    TAKE_OVER_ANNOTATION,
    TERMINATION_LOG,
)
from tweetbot_contract.manifest import InvalidManifest, TweetBot, parse, parse_metadata
from tweetbot_contract.reasons import CLASS_REASONS, INVALID_SPEC, QUEUED
from tweetbot_operator.jobs.job import OWNER_FIELD, find_controller, find_mutations, restore_job
from tweetbot_operator.jobs.pod import CONTAINER
from tweetbot_operator.types.containers import ContainerView
from tweetbot_operator.types.creations import Mutation
from tweetbot_operator.types.objects import (
    USUAL_WAITS,
    CachedTweetBot,
    InvalidTweetBot,
    JobView,
    Manifest,
    PodView,
)
from tweetbot_operator.types.times import find_schedule_error, parse_time

_BOT_ANNOTATIONS = (FORCE_ANNOTATION, FORGET_ANNOTATION, RETRAIN_ANNOTATION, TAKE_OVER_ANNOTATION)
_BOT_METADATA = ("name", "namespace", "uid", "generation", "resourceVersion", "deletionTimestamp", "finalizers")
_USAGE_FIELDS = ("number", "id", "finishedAt", "usage")
#: What another class may end: it may also give a field without which the spec is invalid.
_CLASS_MENDS = CLASS_REASONS | {INVALID_SPEC.name}
#: A kubelet's reasons for a container that the runtime could not start; it "started" in 1970 (kubernetes#120331).
_NOT_STARTED = ("StartError", "ContainerCannotRun")


def parse_cached_bot(manifest: Manifest) -> CachedTweetBot:
    """Parse a TweetBot for the cache, without managed fields and the annotations that we do not read."""
    metadata = manifest["metadata"]
    kept = {key: metadata[key] for key in _BOT_METADATA if key in metadata}
    annotations = metadata.get("annotations") or {}
    if read := {name: annotations[name] for name in _BOT_ANNOTATIONS if name in annotations}:
        kept["annotations"] = read
    slim = {key: manifest[key] for key in ("apiVersion", "kind", "spec", "status") if key in manifest}
    return CachedTweetBot(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        document=to_json({**slim, "metadata": kept}),
        awaits_class=_find_reasons(manifest).get("Ready") in _CLASS_MENDS,
        usage=_dump_usage(manifest.get("status") or {}, metadata["uid"]),
        **_parse_queue_fields(manifest),
    )


def _dump_usage(status: Manifest, uid: str) -> bytes:
    """Return a CachedTweetBot's `usage`; nothing of a status that was written for another TweetBot."""
    runs = (status.get("currentRun") or {}, *(status.get("runs") or ()))
    kept = [{key: run[key] for key in _USAGE_FIELDS if key in run} for run in runs if run.get("usage")]
    return to_json(kept) if kept and status.get("uid") == uid else b""


def _find_reasons(manifest: Manifest) -> Manifest:
    """Return the reasons of a TweetBot's conditions, by their types."""
    return {each.get("type"): each.get("reason") for each in (manifest.get("status") or {}).get("conditions") or ()}


def _parse_queue_fields(manifest: Manifest) -> dict[str, Any]:
    """Return the fields of a CachedTweetBot by which runs queue for a slot."""
    status = manifest.get("status") or {}
    run = status.get("currentRun") or {}
    if not run or run.get("outcome") or (manifest.get("spec") or {}).get("suspend"):
        return {}
    queued = _find_reasons(manifest).get("Progressing") == QUEUED.name
    return {
        "current_run_id": run.get("id", ""),
        "run_id": "" if run.get("retries") else run.get("id", ""),
        "queued_since": run.get("startedAt", "") if queued else "",
    }


@lru_cache(maxsize=32)  # a pass reads its TweetBot several times
def parse_tweetbot(document: bytes) -> TweetBot | InvalidTweetBot:
    """Parse a TweetBot from the cache."""
    manifest = from_json(document)
    try:
        return _check_schedule(parse(manifest, stored=True))
    except InvalidManifest as fault:
        return InvalidTweetBot(error=str(fault), **parse_metadata(manifest))


def _check_schedule(bot: TweetBot) -> TweetBot:
    """Check what CEL cannot; a TweetBot being deleted needs no schedule. Raises InvalidManifest."""
    error = find_schedule_error(bot.spec.schedule) if bot.spec.schedule and not bot.deleting else None
    if error:
        raise InvalidManifest(error)
    return bot


def parse_job(manifest: Manifest) -> JobView:
    """Parse a batch/v1 Job."""
    metadata, status = manifest["metadata"], manifest.get("status") or {}
    sent = restore_job(manifest)
    labels, annotations = sent["metadata"]["labels"], sent["metadata"]["annotations"]
    shown, spec = metadata.get("labels") or {}, manifest.get("spec") or {}
    mutations = find_mutations(sent, manifest)
    finished, condition = _find_finished_condition(status)
    number, retry, first_attempt = f"{annotations.get(ROUND_ANNOTATION, '')}--".split("-")[:3]
    return JobView(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        owner_uid=str(find_controller(metadata).get("uid", "")),
        owner_lost=any(each.field == OWNER_FIELD and not each.found for each in mutations),
        mutations=mutations,
        managed_by=shown.get(MANAGED_BY_LABEL, ""),
        bot=labels.get(BOT_LABEL, ""),
        bot_uid=labels.get(BOT_UID_LABEL, ""),
        run_id=labels.get(RUN_LABEL, ""),
        stage=labels.get(STAGE_LABEL, ""),
        execution=annotations.get(EXECUTION_ANNOTATION, ""),
        creation_key=f"{number}-{retry}".strip("-"),
        first_attempt=int(first_attempt) if re.fullmatch(r"[0-9]{1,4}", first_attempt) else 1,
        created_at=parse_time(metadata["creationTimestamp"]),
        started_at=_parse_optional_time(status.get("startTime")),
        suspended=bool(spec.get("suspend")) or spec.get("parallelism") == 0,
        spec_edited=metadata.get("generation", 1) > 1,
        queue=shown.get(QUEUE_LABEL, ""),
        deleted_at=_parse_optional_time(metadata.get("deletionTimestamp")),
        finalizers=tuple(metadata.get("finalizers") or ()),
        failed_pods=status.get("failed", 0),
        finished_condition=finished,
        reason=condition.get("reason", ""),
        message=condition.get("message", ""),
        finished_at=_parse_optional_time(condition.get("lastTransitionTime")),
    )


def _find_finished_condition(status: Manifest) -> tuple[Literal["", "Complete", "Failed"], Manifest]:
    """Ignore SuccessCriteriaMet and FailureTarget, which come while Pods are still ending."""
    for condition in status.get("conditions") or ():
        if condition["status"] == "True" and condition["type"] in ("Complete", "Failed"):
            return condition["type"], condition
    return "", {}


def parse_pod(manifest: Manifest) -> PodView:
    """Parse a Pod."""
    metadata, spec, status = manifest["metadata"], manifest.get("spec") or {}, manifest.get("status") or {}
    labels, trainer = metadata.get("labels") or {}, _find_trainer(spec)
    name = trainer.get("name", CONTAINER)
    conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
    scheduled, disruption = conditions.get("PodScheduled", {}), conditions.get("DisruptionTarget", {})
    return PodView(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        controller_uid=str(find_controller(metadata).get("uid", "")),
        bot=labels.get(BOT_LABEL, ""),
        bot_uid=labels.get(BOT_UID_LABEL, ""),
        run_id=labels.get(RUN_LABEL, ""),
        stage=labels.get(STAGE_LABEL, ""),
        managed_by=labels.get(MANAGED_BY_LABEL, ""),
        job=str(find_controller(metadata).get("name", "")),
        created_at=parse_time(metadata["creationTimestamp"]),
        phase=status.get("phase", "Pending"),
        deleting_at=_parse_optional_time(metadata.get("deletionTimestamp")),
        scheduled_at=_parse_optional_time(scheduled.get("lastTransitionTime"))
        if scheduled.get("status") == "True"
        else None,
        unschedulable=scheduled.get("message", "") if scheduled.get("status") == "False" else "",
        scheduling_gates=tuple(gate.get("name", "") for gate in spec.get("schedulingGates") or ()),
        sandbox_ready=conditions.get("PodReadyToStartContainers", {}).get("status") == "True",
        eviction=status.get("message", "") if status.get("reason") == "Evicted" else "",
        disrupted=disruption.get("status") == "True",
        disruption=disruption.get("reason", ""),
        end_reason=status.get("reason", ""),
        end_message=status.get("message", ""),
        ip=status.get("podIP", ""),
        **_parse_declaration(trainer),
        node=spec.get("nodeName", ""),
        mutations=_find_container_mutations(trainer),
        **_parse_container_state(status, name),
        unready=_find_unready_container(spec, status, name),
    )


def _find_trainer(spec: Manifest) -> Manifest:
    """Return the trainer's container: by its name, or by its variable if somebody has renamed it."""
    containers: list[Manifest] = spec.get("containers") or []
    named = [each for each in containers if each.get("name") == CONTAINER]
    given = [each for each in containers if any(var.get("name") == RUN_ENV for var in each.get("env") or ())]
    return next(iter(named + given), {})


def _find_container_mutations(trainer: Manifest) -> tuple[Mutation, ...]:
    """Return how the trainer's container differs from ours in what its result is found by."""
    sent = {"name": CONTAINER, "terminationMessagePath": TERMINATION_LOG}
    changed = {key: trainer[key] for key in sent if trainer.get(key, sent[key]) != sent[key]}
    if trainer and not any(var.get("name") == RUN_ENV for var in trainer.get("env") or ()):
        changed[f"env[{RUN_ENV}]"] = ""
    path = f"spec.containers[{CONTAINER}]"
    return tuple(Mutation(f"{path}.{key}", sent.get(key, "the run"), value) for key, value in changed.items())


def _parse_declaration(container: Manifest) -> Manifest:
    """Return the trainer's image, and the extended resource that it is limited to: these have a domain in their name.

    Most Pods have the same, so that one string is kept for all of them.
    """
    limits = (container.get("resources") or {}).get("limits") or {}
    gpu = next((name for name in limits if "/" in name), "")
    return {"image": sys.intern(container.get("image", "")), "gpu": sys.intern(gpu)}


def _parse_container_state(status: Manifest, name: str) -> Manifest:
    """Return the fields of a PodView that the trainer's container gives; others may have added more containers.

    Its first end counts, though somebody's restartPolicy starts it again.
    """
    containers = status.get("containerStatuses") or ()
    own: Manifest = next((each for each in containers if each.get("name") == name), {})
    waiting, running, ended = _parse_state(own)
    unstarted = ended.get("reason") in _NOT_STARTED
    began = ended.get("startedAt") or running.get("startedAt")
    unended = tuple(each.get("name", "") for each in containers if not (each.get("state") or {}).get("terminated"))
    return {
        "waiting": waiting.get("reason", ""),
        "waiting_message": waiting.get("message", ""),
        "started_at": None if unstarted else _parse_optional_time(began),
        "finished_at": _parse_optional_time(ended.get("finishedAt")),
        "exit_code": ended.get("exitCode"),
        "out_of_memory": ended.get("reason") == "OOMKilled",
        "message": "" if unstarted else ended.get("message", ""),
        "start_error": ended.get("message", "") if unstarted else "",
        "held_by": unended if ended else (),
    }


def _parse_state(status: Manifest) -> tuple[Manifest, Manifest, Manifest]:
    """Return what a container's status says of its waiting, its running, and its end, which may be its last one."""
    state, last = status.get("state") or {}, status.get("lastState") or {}
    ended = state.get("terminated") or last.get("terminated") or {}
    return state.get("waiting") or {}, state.get("running") or {}, ended


def _find_unready_container(spec: Manifest, status: Manifest, trainer: str) -> ContainerView | None:
    """Return the first container of others for which the trainer waits, or None.

    Init containers start one after the other, so it is the first that has not ended well. Of the rest it is one that
    cannot start, which the trainer does not wait for, but may need.
    """
    declared = {each.get("name"): each for kind in ("initContainers", "containers") for each in spec.get(kind) or ()}
    statuses = {each.get("name"): each for each in status.get("containerStatuses") or ()}
    _, running, ended = _parse_state(statuses.pop(trainer, {}))
    for each in () if running or ended else status.get("initContainerStatuses") or ():
        found = _parse_container(declared.get(each["name"], {}), each, init=True)
        if not (each.get("started") if found.sidecar else found.exit_code == 0):
            return found
    views = [_parse_container(declared.get(name, {}), each, init=False) for name, each in statuses.items()]
    return next((view for view in views if view.waiting not in USUAL_WAITS), None)


def _parse_container(declared: Manifest, status: Manifest, *, init: bool) -> ContainerView:
    waiting, running, ended = _parse_state(status)
    return ContainerView(
        name=status["name"],
        image=declared.get("image") or status.get("image", ""),
        init=init,
        sidecar=init and declared.get("restartPolicy") == "Always",
        waiting=waiting.get("reason", ""),
        waiting_message=waiting.get("message", ""),
        started_at=_parse_optional_time(running.get("startedAt")),
        exit_code=ended.get("exitCode"),
        end_reason=ended.get("reason", ""),
        end_message=ended.get("message", ""),
    )


def _parse_optional_time(text: str | None) -> datetime | None:
    return parse_time(text) if text else None
