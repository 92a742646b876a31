"""Build the Jobs beside a TweetBot's stages: for spec.pin, to forget posts, and to erase all that it stored."""

from typing import Any

from tweetbot_contract.handover import (
    WORK_DIR,
    RunDocument,
    build_cleanup_job_name,
    build_forget_job_name,
    build_pin_job_name,
)
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.spec.scheduling import Scheduling
from tweetbot_contract.spec.spec import Evaluation
from tweetbot_contract.status.tasks import ForgetStatus, PinStatus
from tweetbot_operator.jobs.class_pods import add_class_pods
from tweetbot_operator.jobs.job import POD_ANNOTATIONS, build_labels, build_owner_reference, build_pod_failure_policy
from tweetbot_operator.jobs.pod import (
    TMP_SIZE,
    build_env_literals,
    build_env_vars,
    build_own_address,
    build_restricted_pod,
    build_secret_storage,
    get_prepare_resources,
)
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.objects import Manifest

#: Seconds from its deletion for which a TweetBot waits for its objects to be erased; then it goes without.
CLEANUP_DEADLINE_SECONDS = 3600
#: Seconds that moving latest.json may take, the Pod's start included; then it is tried again.
PIN_DEADLINE_SECONDS = 1200
#: Seconds that one try to erase what holds posts may take, the Pod's start included.
FORGET_DEADLINE_SECONDS = 3600
#: Seconds that these Jobs stay for their logs. A cleanup has no owner, so nothing else would delete it.
_TTL = 3600
_TRIES = 3


def build_cleanup_job(bot: TweetBot, settings: OperatorSettings) -> Manifest:
    """Build the cleanup Job. It has no owner, or deleting the TweetBot would end it."""
    document = _build_document(bot, settings, stage="Cleanup")
    return _build_job(bot, build_cleanup_job_name(bot.name, bot.uid), document, CLEANUP_DEADLINE_SECONDS, settings)


def build_pin_job(bot: TweetBot, pin: PinStatus, settings: OperatorSettings) -> Manifest:
    """Build the Job that acts on a request of spec.pin."""
    document = _build_document(bot, settings, stage="Pin", pin=pin.request)
    name = build_pin_job_name(bot.name, bot.uid, pin)
    job = _build_job(bot, name, document, PIN_DEADLINE_SECONDS, settings)
    job["metadata"]["ownerReferences"] = [build_owner_reference(bot)]
    return job


def build_forget_job(bot: TweetBot, request: ForgetStatus, settings: OperatorSettings) -> Manifest:
    """Build the Job that erases what holds the posts in spec.filter.excludeIds.

    Raises ValueError where they are too long for an env variable; no run could learn without them then.
    """
    document = _build_document(bot, settings, stage="Forget", forget=request.asked)
    name = build_forget_job_name(bot.name, bot.uid, request)
    job = _build_job(bot, name, document, FORGET_DEADLINE_SECONDS, settings)
    job["metadata"]["ownerReferences"] = [build_owner_reference(bot)]
    return job


def _build_document(bot: TweetBot, settings: OperatorSettings, **task: Any) -> RunDocument:
    """Build a document without the fields of the spec that may be long: so it always fits an env variable."""
    spec, without_ids = bot.spec, {"exclude_ids": ()}
    filter_ = spec.filter if task["stage"] == "Forget" else spec.filter.model_copy(update=without_ids)
    brief = spec.model_copy(update={"scheduling": Scheduling(), "evaluation": Evaluation(), "filter": filter_})
    return RunDocument(
        namespace=bot.namespace,
        name=bot.name,
        uid=bot.uid,
        cluster=settings.cluster_uid,
        take_over=bot.take_over,
        run_id="",
        run_number=0,
        spec=brief,
        **task,
    )


def _build_job(
    bot: TweetBot, name: str, document: RunDocument, deadline_seconds: int, settings: OperatorSettings
) -> Manifest:
    """Build a Job, with the deadline in its Pod, too: on a node that is cut off, the kubelet must end it in time."""
    labels = build_labels(bot, document.stage)
    pod = _build_pod_spec(bot, document, settings)
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": bot.namespace, "labels": labels},
        "spec": {
            "backoffLimit": _TRIES - 1,
            "activeDeadlineSeconds": deadline_seconds,
            "ttlSecondsAfterFinished": _TTL,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": build_pod_failure_policy(),
            "template": {
                "metadata": {"labels": labels, "annotations": dict(POD_ANNOTATIONS)},
                "spec": {**pod, "activeDeadlineSeconds": deadline_seconds},
            },
        },
    }
    return add_class_pods(job, bot.class_pods) if bot.class_pods else job


def _build_pod_spec(bot: TweetBot, document: RunDocument, settings: OperatorSettings) -> Manifest:
    task = document.stage
    return build_restricted_pod(
        bot,
        task,
        env=[*build_env_vars({**build_env_literals(document, settings), "HOME": WORK_DIR}), *build_own_address()],
        resources=get_prepare_resources(settings),
        storage=[("work", WORK_DIR, {"emptyDir": {"sizeLimit": TMP_SIZE}}), *build_secret_storage(bot.spec, task)],
        settings=settings,
    )
