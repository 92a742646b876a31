"""TweetBot and run → the Pod of a stage: Pod Security "restricted" to the letter, secrets as files, no API token."""

from typing import Any

from tweetbot_contract.handover import (
    POD_UID_ENV,
    RUN_ENV,
    SECRETS_DIR,
    SECRETS_DIR_ENV,
    TERMINATION_LOG,
    TERMINATION_LOG_ENV,
    WORK_DIR,
    WORK_DIR_ENV,
    RunDocument,
)
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.status import CurrentRun
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.spec_to_progress import progress_env, progress_mounts, progress_volumes
from tweetbot_operator.spec_to_run import min_new_posts_of
from tweetbot_operator.spec_to_scheduling import scheduling_for
from tweetbot_operator.spec_to_secrets import secret_sources

Manifest = dict[str, Any]
CONTAINER = "trainer"
_TMP, _SHM = "/tmp", "/dev/shm"  # noqa: S108 - mount paths inside the Pod
#: Libraries that write below the home folder; a uid without a passwd entry has none (torch, matplotlib).
_CACHES = {
    "HOME": f"{WORK_DIR}/home",
    "USER": "trainer",
    "XDG_CACHE_HOME": f"{WORK_DIR}/cache",
    "HF_HOME": f"{WORK_DIR}/cache/huggingface",
    "MPLCONFIGDIR": f"{WORK_DIR}/cache/matplotlib",
    "TORCHINDUCTOR_CACHE_DIR": f"{WORK_DIR}/cache/inductor",
    "TMPDIR": _TMP,
}


def pod_spec_for(bot: TweetBot, run: CurrentRun, settings: OperatorSettings) -> Manifest:
    """Return the Pod's spec. Raises ValueError when the run document is too long for an env variable."""
    user = settings.run_as_user
    optional = {"serviceAccountName": bot.spec.service_account_name} if bot.spec.service_account_name else {}
    return {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": settings.grace_seconds,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": user,
            "runAsGroup": user,
            "fsGroup": user,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(bot, run, settings)],
        "volumes": _volumes(bot, run, settings) + progress_volumes(bot, run, settings),
        **optional,
        **scheduling_for(bot.spec.scheduling),
    }


def _container(bot: TweetBot, run: CurrentRun, settings: OperatorSettings) -> Manifest:
    return {
        "name": CONTAINER,
        "image": settings.trainer_image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["tweetbot-trainer", run.stage.lower()],
        "env": _env(bot, run, settings),
        "resources": _resources(bot, run, settings),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "terminationMessagePath": TERMINATION_LOG,
        "terminationMessagePolicy": "File",
        "volumeMounts": _mounts(bot, run) + progress_mounts(run, settings),
    }


def _env(bot: TweetBot, run: CurrentRun, settings: OperatorSettings) -> list[Manifest]:
    literals = {
        RUN_ENV: _document(bot, run, settings).encode(),
        SECRETS_DIR_ENV: SECRETS_DIR,
        WORK_DIR_ENV: WORK_DIR,
        TERMINATION_LOG_ENV: TERMINATION_LOG,
        **_CACHES,
        **progress_env(bot, run, settings),
    }
    if not bot.spec.model.base.startswith("hf://"):
        literals["HF_HUB_OFFLINE"] = "1"
    pod_uid = {"name": POD_UID_ENV, "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}
    return [{"name": name, "value": value} for name, value in literals.items()] + [pod_uid]


def _document(bot: TweetBot, run: CurrentRun, settings: OperatorSettings) -> RunDocument:
    return RunDocument(
        stage=run.stage,
        namespace=bot.namespace,
        name=bot.name,
        uid=bot.uid,
        run_id=run.id,
        run_number=run.number,
        trigger=run.trigger,
        min_new_posts=min_new_posts_of(bot, run),
        dataset=run.dataset if run.stage == "Train" else None,
        image=settings.trainer_image,
        spec=bot.spec,
    )


def _resources(bot: TweetBot, run: CurrentRun, settings: OperatorSettings) -> Manifest:
    """Requests equal limits: the Pod gets what it was planned with, and is the last to be evicted."""
    if run.stage == "Prepare":
        amounts = {"cpu": settings.prepare_cpu, "memory": settings.prepare_memory}
    else:
        wanted = bot.spec.resources
        gpus = {wanted.gpu.resource: str(wanted.gpu.count)} if wanted.gpu.count else {}
        amounts = {"cpu": wanted.cpu, "memory": wanted.memory, **gpus}
    return {"requests": amounts, "limits": dict(amounts)}


def _volumes(bot: TweetBot, run: CurrentRun, settings: OperatorSettings) -> list[Manifest]:
    volumes: list[Manifest] = [
        {"name": "work", "emptyDir": {"sizeLimit": settings.work_size}},
        {"name": "tmp", "emptyDir": {"sizeLimit": settings.tmp_size}},
    ]
    if run.stage == "Train":
        volumes.append({"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": settings.shm_size}})
    if sources := secret_sources(bot.spec, run.stage):
        volumes.append({"name": "secrets", "projected": {"defaultMode": 0o440, "sources": sources}})
    return volumes


def _mounts(bot: TweetBot, run: CurrentRun) -> list[Manifest]:
    mounts: list[Manifest] = [{"name": "work", "mountPath": WORK_DIR}, {"name": "tmp", "mountPath": _TMP}]
    if run.stage == "Train":
        mounts.append({"name": "shm", "mountPath": _SHM})
    if secret_sources(bot.spec, run.stage):
        mounts.append({"name": "secrets", "mountPath": SECRETS_DIR, "readOnly": True})
    return mounts
