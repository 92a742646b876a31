"""Build the Job that erases a TweetBot's objects. It has no owner, or deleting the TweetBot would end it."""

from tweetbot_contract.handover import WORK_DIR, RunDocument, build_cleanup_job_name
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.spec.scheduling import Scheduling
from tweetbot_contract.spec.spec import Evaluation
from tweetbot_operator.jobs.job import POD_ANNOTATIONS, build_labels, build_pod_failure_policy
from tweetbot_operator.jobs.pod import (
    TMP_SIZE,
    build_env_literals,
    build_env_vars,
    build_restricted_pod,
    build_secret_storage,
    get_prepare_resources,
)
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.objects import Manifest

#: Seconds from its deletion for which a TweetBot waits for its objects to be erased; then it goes without.
CLEANUP_DEADLINE_SECONDS = 3600
#: Seconds that the Job stays for its logs. It has no owner, so nothing else would delete it.
_TTL = 3600
_TRIES = 3


def build_cleanup_job(bot: TweetBot, settings: OperatorSettings) -> Manifest:
    """Build the cleanup Job."""
    labels = build_labels(bot, "Cleanup")
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": build_cleanup_job_name(bot.name, bot.uid), "namespace": bot.namespace, "labels": labels},
        "spec": {
            "backoffLimit": _TRIES - 1,
            "activeDeadlineSeconds": CLEANUP_DEADLINE_SECONDS,
            "ttlSecondsAfterFinished": _TTL,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": build_pod_failure_policy(),
            "template": {
                "metadata": {"labels": labels, "annotations": dict(POD_ANNOTATIONS)},
                "spec": _build_pod_spec(bot, settings),
            },
        },
    }


def _build_pod_spec(bot: TweetBot, settings: OperatorSettings) -> Manifest:
    """Build the Pod's spec, with the deadline in it too: on a node that is cut off, the kubelet must end it in time.

    The spec in its document lacks the fields that may be long, so it always fits an env variable.
    """
    brief = bot.spec.model_copy(update={"scheduling": Scheduling(), "evaluation": Evaluation()})
    document = RunDocument(
        stage="Cleanup",
        namespace=bot.namespace,
        name=bot.name,
        uid=bot.uid,
        cluster=settings.cluster_uid,
        take_over=bot.take_over,
        run_id="",
        run_number=0,
        spec=brief,
    )
    pod = build_restricted_pod(
        bot,
        "Cleanup",
        env=build_env_vars({**build_env_literals(document, settings), "HOME": WORK_DIR}),
        resources=get_prepare_resources(settings),
        storage=[("work", WORK_DIR, {"emptyDir": {"sizeLimit": TMP_SIZE}}), *build_secret_storage(bot.spec, "Cleanup")],
        settings=settings,
    )
    return {**pod, "activeDeadlineSeconds": CLEANUP_DEADLINE_SECONDS}
