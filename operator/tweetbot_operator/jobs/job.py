"""Build the Job of a run's stage. The TweetBot's own labels and annotations are not copied to it."""

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
    STAGE_LABEL,
    VERSION,
    Task,
    build_job_name,
)
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.spec.scheduling import Scheduling
from tweetbot_contract.status import CurrentRun, Stage
from tweetbot_operator.jobs.pod import CONTAINER, build_pod_spec
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.objects import Manifest

#: Argo CD watches what its applications' resources own; a busy Job would make it refresh the application each time.
QUIET = {"argocd.argoproj.io/ignore-resource-updates": "true"}
#: Seconds that the Job controller pauses after failed and evicted Pods, doubled from the first to the longest
#: (kubernetes/pkg/controller/job). They do not count as waiting for a start.
FIRST_PAUSE, LONGEST_PAUSE = 10, 600
#: Seconds of the Job's own activeDeadlineSeconds, which also counts waiting, beyond the operator's limits.
JOB_DEADLINE_SLACK_SECONDS = 600
#: Seconds of ttlSecondsAfterFinished: where the operator is gone, Kubernetes removes the Jobs after a week.
JOB_TTL_SECONDS = 604800


def build_job(bot: TweetBot, run: CurrentRun, settings: OperatorSettings) -> Manifest:
    """Build the Job of the run's stage. Raises ValueError when the spec is too long for an env variable."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": build_job_name(bot.name, run.id, run.stage),
            "namespace": bot.namespace,
            "labels": {**build_labels(bot, run.stage, run.id), **_build_queue_labels(bot.spec.scheduling, run.stage)},
            "annotations": {EXECUTION_ANNOTATION: run.execution, ROUND_ANNOTATION: _build_round(run), **QUIET},
            "ownerReferences": [_build_owner_reference(bot)],
        },
        "spec": _build_job_spec(bot, run, settings),
    }


def build_labels(bot: TweetBot, task: Task, run_id: str = "") -> dict[str, str]:
    """Return the labels of a Job and its Pods; a cleanup belongs to no run."""
    return {
        MANAGED_BY_LABEL: MANAGED_BY,
        BOT_LABEL: bot.name,
        BOT_UID_LABEL: bot.uid,
        **({RUN_LABEL: run_id} if run_id else {}),
        STAGE_LABEL: task.lower(),
    }


def _build_owner_reference(bot: TweetBot) -> Manifest:
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "name": bot.name,
        "uid": bot.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _build_job_spec(bot: TweetBot, run: CurrentRun, settings: OperatorSettings) -> Manifest:
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
                "annotations": dict(QUIET),
            },
            "spec": build_pod_spec(bot, run, settings),
        },
    }


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
