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
from tweetbot_operator.jobs.progress import build_progress_env, build_progress_mounts, build_progress_volumes
from tweetbot_operator.jobs.run_facts import get_min_new_posts
from tweetbot_operator.jobs.scheduling import build_scheduling_fields
from tweetbot_operator.jobs.volumes import build_base_env, build_base_mounts, build_base_volumes, build_secret_sources
from tweetbot_operator.settings import OperatorSettings

Manifest = dict[str, Any]
CONTAINER = "trainer"
_TMP, _SHM = "/tmp", "/dev/shm"  # noqa: S108 - mount paths inside the Pod
_CACHES = {name: f"{WORK_DIR}/{folder}" for name, folder in CACHE_FOLDERS.items()}


def build_pod_spec(bot: TweetBot, run: CurrentRun, settings: OperatorSettings) -> Manifest:
    """Return the Pod's spec. Raises ValueError when the run document is too long for an env variable."""
    sources = build_secret_sources(bot.spec, run.stage)
    container = build_restricted_container(
        build_command(run.stage),
        env=_build_env(bot, run, settings),
        amounts=_get_resources(bot, run, settings),
        mounts=_build_mounts(run, sources) + build_base_mounts(bot.spec) + build_progress_mounts(run, settings),
        settings=settings,
    )
    volumes = (
        _build_volumes(run, sources, settings)
        + build_base_volumes(bot.spec)
        + build_progress_volumes(bot, run, settings)
    )
    return build_restricted_pod(bot, container, volumes, settings)


def build_command(task: Task) -> list[str]:
    """Return what the trainer image runs."""
    return ["tweetbot-trainer", task.lower()]


def build_restricted_pod(
    bot: TweetBot, container: Manifest, volumes: list[Manifest], settings: OperatorSettings
) -> Manifest:
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
        **build_scheduling_fields(bot.spec.scheduling),
    }


def build_restricted_container(
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


def _build_env(bot: TweetBot, run: CurrentRun, settings: OperatorSettings) -> list[Manifest]:
    literals = {
        **build_env_literals(_build_run_document(bot, run, settings), settings),
        **_CACHES,
        USER_ENV: USER,
        "TMPDIR": _TMP,
        **build_progress_env(bot, run, settings),
        **build_base_env(bot.spec),
    }
    pod_uid = {"name": POD_UID_ENV, "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}
    return [*build_env_vars(literals), pod_uid]


def build_env_literals(document: RunDocument, settings: OperatorSettings) -> dict[str, str]:
    """Return the variables that every task reads. Raises ValueError when the document is too long for one."""
    allowed = {ALLOWED_NETWORKS_ENV: settings.allowed_networks} if settings.allowed_networks else {}
    return {
        RUN_ENV: document.encode(),
        SECRETS_DIR_ENV: SECRETS_DIR,
        WORK_DIR_ENV: WORK_DIR,
        TERMINATION_LOG_ENV: TERMINATION_LOG,
        **allowed,
    }


def build_env_vars(literals: Mapping[str, str]) -> list[Manifest]:
    """Return variables in the form of a container."""
    return [{"name": name, "value": value} for name, value in literals.items()]


def _build_run_document(bot: TweetBot, run: CurrentRun, settings: OperatorSettings) -> RunDocument:
    return RunDocument(
        stage=run.stage,
        namespace=bot.namespace,
        name=bot.name,
        uid=bot.uid,
        run_id=run.id,
        run_number=run.number,
        trigger=run.trigger,
        min_new_posts=get_min_new_posts(bot, run),
        dataset=run.dataset if run.stage == "Train" else None,
        image=settings.trainer_image,
        spec=bot.spec,
    )


def _get_resources(bot: TweetBot, run: CurrentRun, settings: OperatorSettings) -> dict[str, str]:
    if run.stage == "Prepare":
        return get_prepare_resources(settings)
    wanted = bot.spec.resources
    gpus = {wanted.gpu.resource: str(wanted.gpu.count)} if wanted.gpu.count else {}
    return {"cpu": wanted.cpu, "memory": wanted.memory, **gpus}


def get_prepare_resources(settings: OperatorSettings) -> dict[str, str]:
    """Return what a task gets that mostly waits for others."""
    return {"cpu": settings.prepare_cpu, "memory": settings.prepare_memory}


def _build_volumes(run: CurrentRun, sources: list[Manifest], settings: OperatorSettings) -> list[Manifest]:
    volumes: list[Manifest] = [
        {"name": "work", "emptyDir": {"sizeLimit": settings.work_size}},
        {"name": "tmp", "emptyDir": {"sizeLimit": settings.tmp_size}},
    ]
    if run.stage == "Train":
        volumes.append({"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": settings.shm_size}})
    return volumes + build_secret_volumes(sources)


def _build_mounts(run: CurrentRun, sources: list[Manifest]) -> list[Manifest]:
    mounts: list[Manifest] = [{"name": "work", "mountPath": WORK_DIR}, {"name": "tmp", "mountPath": _TMP}]
    if run.stage == "Train":
        mounts.append({"name": "shm", "mountPath": _SHM})
    return mounts + build_secret_mounts(sources)


def build_secret_volumes(sources: list[Manifest]) -> list[Manifest]:
    """Return the volume of these Secrets, or none without one."""
    return [{"name": "secrets", "projected": {"defaultMode": 0o440, "sources": sources}}] if sources else []


def build_secret_mounts(sources: list[Manifest]) -> list[Manifest]:
    """Return where that volume goes."""
    return [{"name": "secrets", "mountPath": SECRETS_DIR, "readOnly": True}] if sources else []
