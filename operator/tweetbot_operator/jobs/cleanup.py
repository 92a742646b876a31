"""TweetBot → the Job that erases its objects. It has no owner: a foreground deletion would end it with the TweetBot."""

from typing import Any

from tweetbot_contract.handover import WORK_DIR, RunDocument, cleanup_name
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.spec.scheduling import Scheduling
from tweetbot_contract.spec.spec import Evaluation
from tweetbot_operator.jobs.job import QUIET, failure_policy, labels_of
from tweetbot_operator.jobs.pod import (
    as_env,
    command_of,
    confined_container,
    confined_pod,
    literals_of,
    secret_mounts,
    secret_volumes,
    small_amounts,
)
from tweetbot_operator.jobs.volumes import secret_sources
from tweetbot_operator.settings import OperatorSettings

Manifest = dict[str, Any]
#: Seconds that the Job stays for its logs; nothing owns it, so nothing else would take it away.
_TTL = 3600
_TRIES = 3


def cleanup_for(bot: TweetBot, settings: OperatorSettings) -> Manifest:
    """Return the Job."""
    labels = labels_of(bot, "Cleanup")
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": cleanup_name(bot.name, bot.uid), "namespace": bot.namespace, "labels": labels},
        "spec": {
            "backoffLimit": _TRIES - 1,
            "activeDeadlineSeconds": settings.erasure_seconds,
            "ttlSecondsAfterFinished": _TTL,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": failure_policy(),
            "template": {"metadata": {"labels": labels, "annotations": dict(QUIET)}, "spec": _pod(bot, settings)},
        },
    }


def _pod(bot: TweetBot, settings: OperatorSettings) -> Manifest:
    """The kubelet, too, ends it in time: on a node that is cut off it must not erase what a successor writes.

    Without what may be long, the document fits an env variable whatever the spec: else nothing would ever erase.
    """
    sources = secret_sources(bot.spec, "Cleanup")
    brief = bot.spec.model_copy(update={"scheduling": Scheduling(), "evaluation": Evaluation()})
    document = RunDocument(
        stage="Cleanup", namespace=bot.namespace, name=bot.name, uid=bot.uid, run_id="", run_number=0, spec=brief
    )
    container = confined_container(
        command_of("Cleanup"),
        env=as_env({**literals_of(document, settings), "HOME": WORK_DIR}),
        amounts=small_amounts(settings),
        mounts=[{"name": "work", "mountPath": WORK_DIR}, *secret_mounts(sources)],
        settings=settings,
    )
    volumes = [{"name": "work", "emptyDir": {"sizeLimit": settings.tmp_size}}, *secret_volumes(sources)]
    return {**confined_pod(bot, container, volumes, settings), "activeDeadlineSeconds": settings.erasure_seconds}
