"""Spec → the sources of the one volume that holds every secret of a stage as a file. The operator never reads one."""

from typing import Any

from tweetbot_contract.handover import (
    BASE_DIR,
    BASE_DIR_ENV,
    S3_FOLDER,
    WANDB_FILE,
    WANDB_FOLDER,
    X_FILE,
    Task,
    get_x_folder,
)
from tweetbot_contract.spec.sources import SecretKey, XSource
from tweetbot_contract.spec.spec import TweetBotSpec

Manifest = dict[str, Any]
_S3_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_S3_OPTIONAL_KEYS = ("AWS_SESSION_TOKEN",)


def build_secret_sources(spec: TweetBotSpec, task: Task) -> list[Manifest]:
    """Return the projected volume's sources. Without its S3 or X keys a Pod does not start; without W&B's it does."""
    sources: list[Manifest] = []
    if s3 := spec.output.s3.credentials_secret:
        sources.append(_build_keys_source(s3.name, _S3_KEYS))
        sources.append(_build_keys_source(s3.name, _S3_OPTIONAL_KEYS, optional=True))
    if (key := spec.tracking.wandb.api_key_secret) and task != "Cleanup":
        sources.append(_build_key_source(key, f"{WANDB_FOLDER}/{WANDB_FILE}", optional=True))
    if task == "Prepare":  # the train stage reads the dataset, so no X token is near a GPU for hours
        sources += [
            _build_key_source(source.kind.token_secret, f"{get_x_folder(index)}/{X_FILE}")
            for index, source in enumerate(spec.sources)
            if isinstance(source.kind, XSource)
        ]
    return sources


def _build_keys_source(secret: str, keys: tuple[str, ...], *, optional: bool = False) -> Manifest:
    return _build_source(secret, [{"key": key, "path": f"{S3_FOLDER}/{key}"} for key in keys], optional)


def _build_key_source(key: SecretKey, path: str, *, optional: bool = False) -> Manifest:
    return _build_source(key.name, [{"key": key.key, "path": path}], optional)


def _build_source(secret: str, items: list[dict[str, str]], optional: bool) -> Manifest:
    return {"secret": {"name": secret, "items": items, **({"optional": True} if optional else {})}}


_VOLUME = "base"


def build_base_env(spec: TweetBotSpec) -> dict[str, str]:
    """Return what tells the trainer where the claim is; and a base that is not on the hub makes libraries ask none."""
    offline = {} if spec.model.base.startswith("hf://") else {"HF_HUB_OFFLINE": "1"}
    return offline | ({BASE_DIR_ENV: BASE_DIR} if spec.model.pvc_name else {})


def build_base_volumes(spec: TweetBotSpec) -> list[Manifest]:
    """Return the claim as a volume; a Pod whose claim is missing stays unscheduled, and its reason says so."""
    pvc = spec.model.pvc_name
    return [{"name": _VOLUME, "persistentVolumeClaim": {"claimName": pvc, "readOnly": True}}] if pvc else []


def build_base_mounts(spec: TweetBotSpec) -> list[Manifest]:
    """Return where that volume goes: the whole claim, so that a missing folder is told by us and not by the kubelet."""
    return [{"name": _VOLUME, "mountPath": BASE_DIR, "readOnly": True}] if spec.model.pvc_name else []
