"""TweetBot and run → the Job of its stage. Nothing of the TweetBot's own labels and annotations is copied to it."""

from typing import Any

from tweetbot_contract.handover import (
    BOT_LABEL,
    BOT_UID_LABEL,
    EXECUTION_ANNOTATION,
    GROUP,
    KIND,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    PERMANENT_EXIT_CODES,
    ROUND_ANNOTATION,
    RUN_LABEL,
    STAGE_LABEL,
    VERSION,
    Task,
    job_name,
)
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.status import CurrentRun
from tweetbot_operator.jobs.pod import CONTAINER, pod_spec_for
from tweetbot_operator.jobs.progress import progress_annotations
from tweetbot_operator.jobs.run_facts import round_of
from tweetbot_operator.jobs.scheduling import queue_labels, suspension
from tweetbot_operator.settings import OperatorSettings

Manifest = dict[str, Any]
#: Argo CD watches what its applications' resources own; a busy Job would make it refresh the application each time.
QUIET = {"argocd.argoproj.io/ignore-resource-updates": "true"}
#: The Job controller's pauses after Pods that failed or had to leave, in seconds (kubernetes/pkg/controller/job):
#: doubled from the first to the longest. They are no waiting for a start.
FIRST_PAUSE, LONGEST_PAUSE = 10, 600


def job_for(bot: TweetBot, run: CurrentRun, settings: OperatorSettings) -> Manifest:
    """Return the Job of the run's stage. Raises ValueError when the spec is too long to be handed over."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name(bot.name, run.id, run.stage),
            "namespace": bot.namespace,
            "labels": {**labels_of(bot, run.stage, run.id), **queue_labels(bot.spec.scheduling, run.stage)},
            "annotations": {EXECUTION_ANNOTATION: run.execution, ROUND_ANNOTATION: round_of(run), **QUIET},
            "ownerReferences": [_owner(bot)],
        },
        "spec": _job_spec(bot, run, settings),
    }


def labels_of(bot: TweetBot, task: Task, run: str = "") -> dict[str, str]:
    """Return the labels of a Job and its Pods; a cleanup belongs to no run."""
    return {
        MANAGED_BY_LABEL: MANAGED_BY,
        BOT_LABEL: bot.name,
        BOT_UID_LABEL: bot.uid,
        **({RUN_LABEL: run} if run else {}),
        STAGE_LABEL: task.lower(),
    }


def _owner(bot: TweetBot) -> Manifest:
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "name": bot.name,
        "uid": bot.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _job_spec(bot: TweetBot, run: CurrentRun, settings: OperatorSettings) -> Manifest:
    limits = bot.spec.run
    return {
        **suspension(bot.spec.scheduling, run.stage),
        "backoffLimit": limits.attempts - 1,
        "activeDeadlineSeconds": max(limits.active_deadline_seconds - run.ran_seconds, 0)
        + limits.attempts * (limits.start_deadline_seconds + LONGEST_PAUSE)
        + settings.backstop_seconds,
        "ttlSecondsAfterFinished": settings.job_ttl_seconds,
        "podReplacementPolicy": "Failed",  # or a replacement asks for a second GPU while the first Pod still ends
        "podFailurePolicy": failure_policy(),
        "template": {
            "metadata": {
                "labels": labels_of(bot, run.stage, run.id),
                "annotations": {**QUIET, **progress_annotations(run, settings)},
            },
            "spec": pod_spec_for(bot, run, settings),
        },
    }


def failure_policy() -> Manifest:
    """Return which Pod failures count for nothing, and which end the Job at once."""
    codes = [int(code) for code in PERMANENT_EXIT_CODES]
    return {
        "rules": [
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            {"action": "FailJob", "onExitCodes": {"containerName": CONTAINER, "operator": "In", "values": codes}},
        ]
    }
