"""The Pods that the plugin starts under a bot's service account: they serve the playground, write drafts, send
versions to the Hub, or probe the bucket.

They are built as the operator builds its own (Pod Security "restricted", Secrets as files, what a class gives), and go
with their TweetBot.
"""

from dataclasses import dataclass
from typing import Any

from tweetbot_contract.handover import (
    ALLOWED_NETWORKS_ENV,
    BOT_LABEL,
    GROUP,
    KIND,
    MANAGED_BY_LABEL,
    SECRETS_DIR,
    SECRETS_DIR_ENV,
    USER,
    USER_ENV,
    VERSION,
)
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.spec.output import S3Output
from tweetbot_operator.jobs.class_pods import add_class_pods
from tweetbot_operator.jobs.pod import CONTAINER, build_env_vars, build_restricted_pod, build_secret_storage
from tweetbot_operator.settings import OperatorSettings

Document = dict[str, Any]
#: Not the operator's name: it would take such a Pod for one of a run.
MANAGED_BY = "kubectl-tweetbot"
COMPONENT_LABEL = "app.kubernetes.io/component"
#: Of the Pod, with the page's token: the kubelet hands it over as a file.
TOKEN_ANNOTATION = f"{GROUP}/playground-token"
_TOKEN_DIR, _TOKEN_FILE = "/var/run/tweetbot/playground", "token"
_TMP = "/tmp"  # noqa: S108 - a mount path inside the Pod
_HOME = f"{_TMP}/home"
#: Seconds that the server has after SIGTERM.
_GRACE_SECONDS = 5
_MIB = 2**20
#: Memory of torch and the server, beside a model that is read once and held once.
_BASE_MEMORY = 1536 * _MIB
#: Disk for the model's files, beside which little is written.
_SPARE_DISK = 512 * _MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Playground:
    """What the playground's Pod is asked for. Sizes are quantities; an empty one is estimated from the model."""

    name: str
    port: int
    token: str
    idle_seconds: int
    limit_seconds: int
    """When the kubelet ends the Pod, whatever it does."""
    cpu: str = "1"
    memory: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRequest:
    """What the Pod that writes drafts is asked for, as `tweetbot-trainer generate` takes it."""

    name: str
    count: int
    prompt: str
    seed: int
    limit_seconds: int
    """When the kubelet ends the Pod, whatever it does."""
    cpu: str = "1"
    memory: str = ""


def build_playground_pod(bot: TweetBot, wanted: Playground, settings: OperatorSettings) -> Document:
    """Build the Pod that serves the bot's model on its loopback, where only a port-forward reaches it."""
    command = [
        *("tweetbot-trainer", "serve", "--model", _get_model_uri(bot)),
        *("--host", "127.0.0.1", "--port", str(wanted.port), "--token-file", f"{_TOKEN_DIR}/{_TOKEN_FILE}"),
        *("--idle-seconds", str(wanted.idle_seconds)),
        *build_storage_options(bot.spec.output.s3),
    ]
    pod = _build_model_pod(bot, command, wanted, settings)
    pod["metadata"]["annotations"] = {**pod["metadata"]["annotations"], TOKEN_ANNOTATION: wanted.token}
    pod["metadata"]["labels"][COMPONENT_LABEL] = "playground"
    _mount_token(pod["spec"])
    return pod


def build_drafts_pod(bot: TweetBot, wanted: DraftRequest, settings: OperatorSettings) -> Document:
    """Build the Pod that writes drafts into its log, one JSON object per line."""
    command = [
        *("tweetbot-trainer", "generate", "--model", _get_model_uri(bot), "--jsonl"),
        *("--count", str(wanted.count), "--seed", str(wanted.seed), f"--prompt={_escape(wanted.prompt)}"),
        *build_storage_options(bot.spec.output.s3),
    ]
    pod = _build_model_pod(bot, command, wanted, settings)
    pod["metadata"]["labels"][COMPONENT_LABEL] = "drafts"
    return pod


def build_publish_pod(
    bot: TweetBot, name: str, version: str, settings: OperatorSettings, *, limit_seconds: int
) -> Document:
    """Build the Pod that sends a version to the repository of the spec, with the token of its Secret."""
    hub = bot.spec.output.hugging_face
    command = [
        *("tweetbot-trainer", "publish", "--model", f"{_get_root(bot)}/models/{version}/model"),
        *("--repo", hub.repo if hub else "", "--visibility", hub.visibility if hub else "Private"),
        *build_storage_options(bot.spec.output.s3),
    ]
    size = bot.status.model.size_bytes if bot.status.model else 0
    resources = {"cpu": settings.prepare_cpu, "memory": settings.prepare_memory}
    pod = _build_pod(bot, command, name, resources, _format_mebibytes(_SPARE_DISK + 2 * size), settings)
    pod["metadata"]["labels"][COMPONENT_LABEL] = "publish"
    pod["spec"]["activeDeadlineSeconds"] = limit_seconds
    return pod


def _build_model_pod(
    bot: TweetBot, command: list[str], wanted: Playground | DraftRequest, settings: OperatorSettings
) -> Document:
    """Build a Pod with room for the bot's model."""
    size = bot.status.model.size_bytes if bot.status.model else 0
    resources = {"cpu": wanted.cpu, "memory": wanted.memory or _format_mebibytes(_BASE_MEMORY + 2 * size)}
    pod = _build_pod(bot, command, wanted.name, resources, _format_mebibytes(_SPARE_DISK + size), settings)
    pod["spec"]["activeDeadlineSeconds"] = wanted.limit_seconds
    return pod


def _get_model_uri(bot: TweetBot) -> str:
    return bot.status.model.uri if bot.status.model else ""


def _get_root(bot: TweetBot) -> str:
    return f"{bot.spec.output.s3.uri.rstrip('/')}/{bot.namespace}/{bot.name}"


def _escape(argument: str) -> str:
    """Keep the kubelet from putting variables into an argument."""
    return argument.replace("$", "$$")


def build_probe_pod(bot: TweetBot, name: str, settings: OperatorSettings, *, limit_seconds: int) -> Document:
    """Build the Pod that lists the bot's versions in the bucket, or reports why it cannot."""
    command = [
        "tweetbot-trainer",
        "history",
        "--json",
        "--root",
        _get_root(bot),
        *build_storage_options(bot.spec.output.s3),
    ]
    resources = {"cpu": settings.prepare_cpu, "memory": settings.prepare_memory}
    pod = _build_pod(bot, command, name, resources, _format_mebibytes(_SPARE_DISK), settings)
    pod["metadata"]["labels"][COMPONENT_LABEL] = "probe"
    pod["spec"]["activeDeadlineSeconds"] = limit_seconds
    return pod


def build_storage_options(s3: S3Output) -> list[str]:
    """Return the trainer's options that say how to reach a bucket."""
    options = {
        "--endpoint": s3.endpoint,
        "--region": s3.region,
        "--addressing-style": None if s3.addressing_style == "Auto" else s3.addressing_style,
        "--checksum-mode": None if s3.checksum_mode == "WhenSupported" else s3.checksum_mode,
    }
    return [word for name, value in options.items() if value for word in (name, value)]


def _build_pod(
    bot: TweetBot, command: list[str], name: str, resources: dict[str, str], disk: str, settings: OperatorSettings
) -> Document:
    """Build a Pod as the operator does for a task without a GPU, with another command."""
    storage = [("tmp", _TMP, {"emptyDir": {"sizeLimit": disk}}), *build_secret_storage(bot.spec, "Pin")]
    pod = build_restricted_pod(
        bot, "Pin", env=_build_env(settings), resources=resources, storage=storage, settings=settings
    )
    pod["containers"][0]["command"] = command
    pod["terminationGracePeriodSeconds"] = _GRACE_SECONDS
    metadata = {
        "labels": {MANAGED_BY_LABEL: MANAGED_BY, BOT_LABEL: bot.name},
        "annotations": {"kubectl.kubernetes.io/default-container": CONTAINER},
    }
    template = _add_class(bot, {"metadata": metadata, "spec": pod})
    head = {"name": name, "namespace": bot.namespace, "ownerReferences": [_build_owner_reference(bot)]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {**template["metadata"], **head}, "spec": template["spec"]}


def _add_class(bot: TweetBot, template: Document) -> Document:
    if not bot.class_pods:
        return template
    job = {"metadata": {"labels": {}}, "spec": {"template": template}}
    changed: Document = add_class_pods(job, bot.class_pods)["spec"]["template"]
    return changed


def _build_env(settings: OperatorSettings) -> list[Document]:
    allowed = {ALLOWED_NETWORKS_ENV: settings.allowed_networks} if settings.allowed_networks else {}
    return build_env_vars(
        {
            SECRETS_DIR_ENV: SECRETS_DIR,
            "HOME": _HOME,
            "XDG_CACHE_HOME": f"{_HOME}/cache",
            "TMPDIR": _TMP,
            USER_ENV: USER,
            "HF_HUB_OFFLINE": "1",
            **allowed,
        }
    )


def _build_owner_reference(bot: TweetBot) -> Document:
    """Return the reference by which the Pod goes with its TweetBot; it is no controller's, and blocks no deletion."""
    return {"apiVersion": f"{GROUP}/{VERSION}", "kind": KIND, "name": bot.name, "uid": bot.uid}


def _mount_token(pod: Document) -> None:
    path = {"fieldPath": f"metadata.annotations['{TOKEN_ANNOTATION}']"}
    source = {"downwardAPI": {"defaultMode": 0o440, "items": [{"path": _TOKEN_FILE, "fieldRef": path}]}}
    pod["volumes"] = [*pod["volumes"], {"name": "token", **source}]
    container = pod["containers"][0]
    mount = {"name": "token", "mountPath": _TOKEN_DIR, "readOnly": True}
    container["volumeMounts"] = [*container["volumeMounts"], mount]


def _format_mebibytes(size: int) -> str:
    return f"{-(-size // _MIB)}Mi"
