"""TweetBot → the volume that holds its base model, where that lies in a claim of the tenant's. Mounted read-only."""

from typing import Any

from tweetbot_contract.handover import BASE_DIR, BASE_DIR_ENV
from tweetbot_contract.spec import TweetBotSpec

Manifest = dict[str, Any]
_VOLUME = "base"


def base_env(spec: TweetBotSpec) -> dict[str, str]:
    """Return what tells the trainer where the claim is; and a base that is not on the hub makes libraries ask none."""
    offline = {} if spec.model.base.startswith("hf://") else {"HF_HUB_OFFLINE": "1"}
    return offline | ({BASE_DIR_ENV: BASE_DIR} if spec.model.claim else {})


def base_volumes(spec: TweetBotSpec) -> list[Manifest]:
    """Return the claim as a volume; a Pod whose claim is missing stays unscheduled, and its reason says so."""
    claim = spec.model.claim
    return [{"name": _VOLUME, "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}] if claim else []


def base_mounts(spec: TweetBotSpec) -> list[Manifest]:
    """Return where that volume goes: the whole claim, so that a missing folder is told by us and not by the kubelet."""
    return [{"name": _VOLUME, "mountPath": BASE_DIR, "readOnly": True}] if spec.model.claim else []
