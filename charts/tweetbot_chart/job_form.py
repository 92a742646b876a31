"""The form of the operator's Jobs, for the policy that binds its account to it: made from what builds the Jobs."""

from typing import Any, get_args

from tweetbot_contract.handover import (
    BASE_DIR,
    BOT_LABEL,
    BOT_UID_LABEL,
    CA_DIR,
    CACHE_FOLDERS,
    CLASS_CA_DIR,
    ERASE_FINALIZER,
    GROUP,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    SECRETS_DIR,
    STAGE_LABEL,
    USER_ENV,
    VERSION,
    WORK_DIR,
    Task,
)

#: Rights by which somebody who starts a Pod as this account would gain more than a trainer's. One more would exceed
#: what an expression may cost.
_POWERS = (("", "secrets", "list"), ("", "pods", "create"))


def build_job_form() -> dict[str, Any]:
    """Return what the policy compares a Job with."""
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "managedByLabel": MANAGED_BY_LABEL,
        "managedBy": MANAGED_BY,
        "botLabel": BOT_LABEL,
        "botUidLabel": BOT_UID_LABEL,
        "stageLabel": STAGE_LABEL,
        "labels": [MANAGED_BY_LABEL, BOT_LABEL, BOT_UID_LABEL, STAGE_LABEL],
        "stages": [task.lower() for kind in get_args(Task) for task in get_args(kind)],
        "variables": [*CACHE_FOLDERS, USER_ENV, "TMPDIR", "HF_HUB_OFFLINE"],
        "fields": ["metadata.uid", "status.podIP"],
        "mountPaths": [WORK_DIR, "/tmp", "/dev/shm", SECRETS_DIR, CA_DIR, CLASS_CA_DIR, BASE_DIR],  # noqa: S108 - inside the Pod
        "finalizer": ERASE_FINALIZER,
        "powers": [{"group": group, "resource": resource, "verb": verb} for group, resource, verb in _POWERS],
    }
