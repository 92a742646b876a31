"""Build the Job of a run's stage, and find what came back of it unlike what was sent.

The TweetBot's own labels and annotations are not copied to the Job. A policy, a webhook or a person may change it.
Compared is only what the operator knows a Job by, and what would break or repeat its run: others may add containers,
variables, labels and annotations.
"""

from collections.abc import Iterable

from tweetbot_contract.handover import (
    BOT_LABEL,
    BOT_UID_LABEL,
    EXECUTION_ANNOTATION,
    GROUP,
    KIND,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    PERMANENT_EXIT_CODES,
    PRIORITY_LABEL,
    QUEUE_LABEL,
    ROUND_ANNOTATION,
    RUN_LABEL,
    SCHEDULE_TRIGGER,
    STAGE_LABEL,
    VERSION,
    RunDocument,
    Task,
    build_job_name,
)
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.spec.scheduling import Scheduling
from tweetbot_contract.status import CurrentRun, Stage
from tweetbot_operator.jobs.class_pods import add_class_pods
from tweetbot_operator.jobs.pod import CONTAINER, build_pod_spec
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.creations import Mutation
from tweetbot_operator.types.objects import Manifest, PodView

#: Argo CD watches what its applications' resources own; a busy Job would make it refresh the application each time.
QUIET = {"argocd.argoproj.io/ignore-resource-updates": "true"}
#: Of the containers that others add, kubectl logs and exec choose none before the trainer.
POD_ANNOTATIONS = {**QUIET, "kubectl.kubernetes.io/default-container": CONTAINER}
#: Seconds that the Job controller pauses after failed and evicted Pods, doubled from the first to the longest
#: (kubernetes/pkg/controller/job). They do not count as waiting for a start.
FIRST_PAUSE, LONGEST_PAUSE = 10, 600
#: Seconds of the Job's own activeDeadlineSeconds, which also counts waiting, beyond the operator's limits.
JOB_DEADLINE_SLACK_SECONDS = 600
#: Seconds of ttlSecondsAfterFinished: where the operator is gone, Kubernetes removes the Jobs after a week.
JOB_TTL_SECONDS = 604800
LABELS = (MANAGED_BY_LABEL, BOT_LABEL, BOT_UID_LABEL, RUN_LABEL, STAGE_LABEL)
_ANNOTATIONS = (EXECUTION_ANNOTATION, ROUND_ANNOTATION)
OWNER_FIELD = "metadata.ownerReferences"
#: Seconds of ttlSecondsAfterFinished below which a result may be gone before the operator has read it.
SHORTEST_TTL_SECONDS = 600
#: Mutations that a message names one by one.
_NAMED = 4


def build_job(bot: TweetBot, run: CurrentRun, settings: OperatorSettings) -> Manifest:
    """Build the Job of the run's stage. Raises ValueError when the spec is too long for an env variable.

    Labels and annotations are on the Pod template, too: there they cannot be edited (`restore_job`).
    """
    annotations = {EXECUTION_ANNOTATION: run.execution, ROUND_ANNOTATION: _build_round(run), **QUIET}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": build_job_name(bot.name, run.id, run.stage),
            "namespace": bot.namespace,
            "labels": {**build_labels(bot, run.stage, run.id), **_build_queue_labels(bot.spec.scheduling, run.stage)},
            "annotations": annotations,
            "ownerReferences": [build_owner_reference(bot)],
        },
        "spec": _build_job_spec(bot, run, settings, annotations),
    }
    return add_class_pods(job, bot.class_pods) if bot.class_pods else job


def build_labels(bot: TweetBot, task: Task, run_id: str = "") -> dict[str, str]:
    """Return the labels of a Job and its Pods; a cleanup belongs to no run."""
    return {
        MANAGED_BY_LABEL: MANAGED_BY,
        BOT_LABEL: bot.name,
        BOT_UID_LABEL: bot.uid,
        **({RUN_LABEL: run_id} if run_id else {}),
        STAGE_LABEL: task.lower(),
    }


def build_owner_reference(bot: TweetBot) -> Manifest:
    """Return the reference by which a Job goes with its TweetBot."""
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "name": bot.name,
        "uid": bot.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _build_job_spec(
    bot: TweetBot, run: CurrentRun, settings: OperatorSettings, annotations: dict[str, str]
) -> Manifest:
    limits = bot.spec.run
    return {
        **({"suspend": True} if get_queue_name(bot.spec.scheduling, run.stage) else {}),  # until its queue admits it
        "backoffLimit": max(limits.attempts - max(run.attempt, 1), 0),
        "activeDeadlineSeconds": max(limits.active_deadline_seconds - run.ran_seconds, 0)
        + limits.attempts * (limits.start_deadline_seconds + LONGEST_PAUSE)
        + JOB_DEADLINE_SLACK_SECONDS,
        "ttlSecondsAfterFinished": JOB_TTL_SECONDS,
        "podReplacementPolicy": "Failed",  # a replacement must not ask for a second GPU while the first Pod ends
        "podFailurePolicy": build_pod_failure_policy(),
        "template": {
            "metadata": {
                "labels": build_labels(bot, run.stage, run.id),
                "annotations": {**annotations, **POD_ANNOTATIONS},
            },
            "spec": build_pod_spec(bot, run, _build_run_document(bot, run, settings), settings),
        },
    }


def _build_run_document(bot: TweetBot, run: CurrentRun, settings: OperatorSettings) -> RunDocument:
    return RunDocument(
        stage=run.stage,
        namespace=bot.namespace,
        name=bot.name,
        uid=bot.uid,
        cluster=settings.cluster_uid,
        take_over=bot.take_over,
        run_id=run.id,
        run_number=run.number,
        run_started_at=run.started_at,
        trigger=run.trigger,
        pin=bot.status.pin.request if bot.status.pin else None,
        min_new_posts=_get_min_new_posts(bot, run),
        dataset=run.dataset if run.stage == "Train" else None,
        image=settings.trainer_image,
        spec=bot.spec,
    )


def _get_min_new_posts(bot: TweetBot, run: CurrentRun) -> int:
    """Return how many posts new to the served model the run needs; 0 where it trains in any case.

    Only a scheduled run of the served identity needs any: an edit of what is trained takes effect with old posts, too.
    """
    pin, schedule = bot.status.pin, bot.spec.schedule
    newest = pin.newest if pin else bot.status.model
    if schedule is None or newest is None or newest.identity != run.identity:
        return 0
    return schedule.min_new_posts if run.trigger.startswith(SCHEDULE_TRIGGER) else 0


def build_pod_failure_policy() -> Manifest:
    """Build the rules by which disruptions are not counted and permanent exit codes end the Job at once."""
    codes = [int(code) for code in PERMANENT_EXIT_CODES]
    return {
        "rules": [
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            {"action": "FailJob", "onExitCodes": {"containerName": CONTAINER, "operator": "In", "values": codes}},
        ]
    }


def build_creation_key(run: CurrentRun) -> str:
    """Return the number of the run and of its retry, e.g. 3-0."""
    return f"{run.number}-{run.retries}"


def _build_round(run: CurrentRun) -> str:
    """Return the creation key, and the number of the Job's first attempt unless that is 1, e.g. 3-0-2."""
    return f"{build_creation_key(run)}-{run.attempt}" if run.attempt > 1 else build_creation_key(run)


def get_queue_name(scheduling: Scheduling, stage: Stage) -> str | None:
    """Return the LocalQueue in which a stage waits, or None."""
    return scheduling.queue_name if stage == "Train" or scheduling.queue_prepare else None


def _build_queue_labels(scheduling: Scheduling, stage: Stage) -> dict[str, str]:
    """Build Kueue's labels. A priority also counts in the namespace's default queue, without a queue's name."""
    labels = {QUEUE_LABEL: get_queue_name(scheduling, stage), PRIORITY_LABEL: scheduling.workload_priority_class_name}
    return {name: value for name, value in labels.items() if value}


def find_mutations(sent: Manifest, found: Manifest) -> tuple[Mutation, ...]:
    """Return the fields of a Job, by path, that differ from what was sent."""
    actual = _read_fields(found)
    editors = _find_editors(found)
    return tuple(
        Mutation(path, value, actual.get(path, ""), editors)
        for path, value in _read_fields(sent).items()
        if actual.get(path, "") != value and (value or path == OWNER_FIELD)
    )


def find_pod_mutations(pod: PodView, labels: dict[str, str]) -> tuple[Mutation, ...]:
    """Return what of a Pod is not as in its Job's template, which has these labels."""
    found = (pod.managed_by, pod.bot, pod.bot_uid, pod.run_id, pod.stage)
    changed = [(name, value) for name, value in zip(LABELS, found, strict=True) if value != labels[name]]
    return pod.mutations + tuple(Mutation(f"metadata.labels[{name}]", labels[name], value) for name, value in changed)


def restore_job(job: Manifest) -> Manifest:
    """Return what was sent of a Job, as far as it can be known later: from its Pod template, which cannot be edited."""
    metadata, spec = job["metadata"], job.get("spec") or {}
    template = spec.get("template") or {}
    copy = template.get("metadata") or {}
    labels = _pick(LABELS, copy.get("labels"), metadata.get("labels"))
    annotations = _pick(_ANNOTATIONS, copy.get("annotations"), metadata.get("annotations"))
    restored = {"name": metadata["name"], "labels": labels, "annotations": annotations}
    if BOT_UID_LABEL not in (copy.get("labels") or {}):  # not one of ours, as far as one can see
        return {"metadata": {**restored, "ownerReferences": metadata.get("ownerReferences")}, "spec": spec}
    labels[MANAGED_BY_LABEL] = MANAGED_BY
    owned = labels.get(STAGE_LABEL) != "cleanup"
    owners = [{"uid": labels[BOT_UID_LABEL], "controller": True}] if owned else []
    pod = {"metadata": {"labels": labels}, "spec": template.get("spec")}
    return {"metadata": {**restored, "ownerReferences": owners}, "spec": {"template": pod}}


def _pick(names: Iterable[str], *sources: dict[str, str] | None) -> dict[str, str]:
    """Return the values of these names, each from the first source that has it."""
    found = {name: next((source[name] for source in sources if source and name in source), "") for name in names}
    return {name: value for name, value in found.items() if value}


def format_mutations(mutations: tuple[Mutation, ...]) -> str:
    """Return what was sent and what came back, and who edited the object since, if anybody did."""
    parts = [f"{each.field} (sent {_shorten(each.sent)}, got {_shorten(each.found)})" for each in mutations[:_NAMED]]
    more = [f"{len(mutations) - _NAMED} more fields"] if len(mutations) > _NAMED else []
    editors = next((each.by for each in mutations if each.by), "")
    return " and ".join([", ".join(parts), *more]) + (f", edited by {editors}" if editors else "")


def _shorten(value: str) -> str:
    return f'"{value[:40]}…"' if len(value) > 40 else f'"{value}"' if value else "nothing"


def find_controller(metadata: Manifest) -> Manifest:
    """Return the owner reference of an object's controller; empty without one."""
    owners: list[Manifest] = metadata.get("ownerReferences") or []
    return next((owner for owner in owners if owner.get("controller")), {})


def _read_fields(job: Manifest) -> dict[str, str]:
    metadata, spec = job["metadata"], job.get("spec") or {}
    template = spec.get("template") or {}
    copy, pod = template.get("metadata") or {}, template.get("spec") or {}
    ttl = spec.get("ttlSecondsAfterFinished")
    gone_early = ttl is not None and ttl < SHORTEST_TTL_SECONDS
    return {
        "metadata.name": metadata["name"],
        OWNER_FIELD: str(find_controller(metadata).get("uid", "")),
        **_read_map("metadata.labels", metadata.get("labels"), LABELS),
        **_read_map("metadata.annotations", metadata.get("annotations"), _ANNOTATIONS),
        "spec.managedBy": spec.get("managedBy") or "kubernetes.io/job-controller",
        "spec.completions": str(spec.get("completions", 1)),
        "spec.parallelism": str(spec.get("parallelism") or 1),  # 0 pauses the Job, which is told as a suspension
        "spec.ttlSecondsAfterFinished": str(ttl) if gone_early else f"{SHORTEST_TTL_SECONDS} or more",
        **_read_map("spec.template.metadata.labels", copy.get("labels"), LABELS),
        **_read_map("spec.template.metadata.annotations", copy.get("annotations"), _ANNOTATIONS),
        **{f"spec.template.spec.{name}": pod.get(name) or "" for name in ("restartPolicy", "serviceAccountName")},
        **_read_container(pod),
    }


def _read_map(path: str, values: Manifest | None, names: Iterable[str]) -> dict[str, str]:
    return {f"{path}[{name}]": str((values or {}).get(name) or "") for name in names}


def _read_container(pod: Manifest) -> dict[str, str]:
    """Return what the trainer is found by, what it is given, and where it leaves its answer."""
    path = f"spec.template.spec.containers[{CONTAINER}]"
    container = next((each for each in pod.get("containers") or () if each.get("name") == CONTAINER), None)
    if container is None:
        return {}
    env = {each.get("name", ""): each["value"] for each in container.get("env") or () if each.get("value")}
    return {
        path: CONTAINER,
        f"{path}.terminationMessagePath": container.get("terminationMessagePath") or "",
        **_read_map(f"{path}.env", env, (name for name in env if name.startswith("TWEETBOT_"))),
    }


def _find_editors(job: Manifest) -> str:
    """Return who has edited an object since its creation. A policy is not named: it edits in the name of the writer."""
    entries = job["metadata"].get("managedFields") or ()
    creators = {
        entry.get("manager") for entry in entries if "f:template" in (entry.get("fieldsV1") or {}).get("f:spec", {})
    }
    names = {str(entry.get("manager")) for entry in entries if not entry.get("subresource")} - creators
    return ", ".join(sorted(names))
