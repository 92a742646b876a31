"""TweetBot and run → the Pod of a stage: Pod Security "restricted" to the letter, secrets as files, no API token."""

from collections.abc import Mapping
from typing import Any

from tweetbot_contract.handover import (
    ALLOWED_NETWORKS_ENV,
    CACHE_FOLDERS,
    POD_UID_ENV,
    RUN_ENV,
    SECRETS_DIR,
    SECRETS_DIR_ENV,
    TERMINATION_LOG,
    TERMINATION_LOG_ENV,
    USER,
    USER_ENV,
    WORK_DIR,
    WORK_DIR_ENV,
    RunDocument,
    Task,
)
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.status import CurrentRun
from tweetbot_operator.jobs.progress import progress_env, progress_mounts, progress_volumes
from tweetbot_operator.jobs.run_facts import min_new_posts_of
from tweetbot_operator.jobs.scheduling import scheduling_for
from tweetbot_operator.jobs.volumes import base_env, base_mounts, base_volumes, secret_sources
from tweetbot_operator.settings import OperatorSettings

Manifest = dict[str, Any]
CONTAINER = "trainer"
_TMP, _SHM = "/tmp", "/dev/shm"  # noqa: S108 - mount paths inside the Pod
_CACHES = {name: f"{WORK_DIR}/{folder}" for name, folder in CACHE_FOLDERS.items()}


def pod_spec_for(bot: TweetBot, run: CurrentRun, settings: OperatorSettings) -> Manifest:
    """Return the Pod's spec. Raises ValueError when the run document is too long for an env variable."""
    sources = secret_sources(bot.spec, run.stage)
    container = confined_container(
        command_of(run.stage),
        env=_env(bot, run, settings),
        amounts=_amounts(bot, run, settings),
        mounts=_mounts(run, sources) + base_mounts(bot.spec) + progress_mounts(run, settings),
        settings=settings,
    )
    volumes = _volumes(run, sources, settings) + base_volumes(bot.spec) + progress_volumes(bot, run, settings)
    return confined_pod(bot, container, volumes, settings)


def command_of(task: Task) -> list[str]:
    """Return what the trainer image runs."""
    return ["tweetbot-trainer", task.lower()]


def confined_pod(bot: TweetBot, container: Manifest, volumes: list[Manifest], settings: OperatorSettings) -> Manifest:
    """Return a Pod's spec round its one container, placed as the TweetBot asks, without root and without API token."""
    user = settings.run_as_user
    ids = {"runAsUser": user, "runAsGroup": user, "fsGroup": user} if user else {}
    optional = {"serviceAccountName": bot.spec.service_account_name} if bot.spec.service_account_name else {}
    return {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": settings.grace_seconds,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            **ids,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": volumes,
        **optional,
        **scheduling_for(bot.spec.scheduling),
    }


def confined_container(
    command: list[str],
    *,
    env: list[Manifest],
    amounts: dict[str, str],
    mounts: list[Manifest],
    settings: OperatorSettings,
) -> Manifest:
    """Return the container. Requests equal limits: it gets what it was planned with, and is the last to be evicted."""
    return {
        "name": CONTAINER,
        "image": settings.trainer_image,
        "imagePullPolicy": "IfNotPresent",
        "command": command,
        "env": env,
        "resources": {"requests": amounts, "limits": dict(amounts)},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "terminationMessagePath": TERMINATION_LOG,
        "terminationMessagePolicy": "File",
        "volumeMounts": mounts,
    }


def _env(bot: TweetBot, run: CurrentRun, settings: OperatorSettings) -> list[Manifest]:
    literals = {
        **literals_of(_document(bot, run, settings), settings),
        **_CACHES,
        USER_ENV: USER,
        "TMPDIR": _TMP,
        **progress_env(bot, run, settings),
        **base_env(bot.spec),
    }
    pod_uid = {"name": POD_UID_ENV, "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}
    return [*as_env(literals), pod_uid]


def literals_of(document: RunDocument, settings: OperatorSettings) -> dict[str, str]:
    """Return the variables that every task reads. Raises ValueError when the document is too long for one."""
    allowed = {ALLOWED_NETWORKS_ENV: settings.allowed_networks} if settings.allowed_networks else {}
    return {
        RUN_ENV: document.encode(),
        SECRETS_DIR_ENV: SECRETS_DIR,
        WORK_DIR_ENV: WORK_DIR,
        TERMINATION_LOG_ENV: TERMINATION_LOG,
        **allowed,
    }


def as_env(literals: Mapping[str, str]) -> list[Manifest]:
    """Return variables in the form of a container."""
    return [{"name": name, "value": value} for name, value in literals.items()]


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


def _amounts(bot: TweetBot, run: CurrentRun, settings: OperatorSettings) -> dict[str, str]:
    if run.stage == "Prepare":
        return small_amounts(settings)
    wanted = bot.spec.resources
    gpus = {wanted.gpu.resource: str(wanted.gpu.count)} if wanted.gpu.count else {}
    return {"cpu": wanted.cpu, "memory": wanted.memory, **gpus}


def small_amounts(settings: OperatorSettings) -> dict[str, str]:
    """Return what a task gets that mostly waits for others."""
    return {"cpu": settings.prepare_cpu, "memory": settings.prepare_memory}


def _volumes(run: CurrentRun, sources: list[Manifest], settings: OperatorSettings) -> list[Manifest]:
    volumes: list[Manifest] = [
        {"name": "work", "emptyDir": {"sizeLimit": settings.work_size}},
        {"name": "tmp", "emptyDir": {"sizeLimit": settings.tmp_size}},
    ]
    if run.stage == "Train":
        volumes.append({"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": settings.shm_size}})
    return volumes + secret_volumes(sources)


def _mounts(run: CurrentRun, sources: list[Manifest]) -> list[Manifest]:
    mounts: list[Manifest] = [{"name": "work", "mountPath": WORK_DIR}, {"name": "tmp", "mountPath": _TMP}]
    if run.stage == "Train":
        mounts.append({"name": "shm", "mountPath": _SHM})
    return mounts + secret_mounts(sources)


def secret_volumes(sources: list[Manifest]) -> list[Manifest]:
    """Return the volume of these Secrets, or none without one."""
    return [{"name": "secrets", "projected": {"defaultMode": 0o440, "sources": sources}}] if sources else []


def secret_mounts(sources: list[Manifest]) -> list[Manifest]:
    """Return where that volume goes."""
    return [{"name": "secrets", "mountPath": SECRETS_DIR, "readOnly": True}] if sources else []
