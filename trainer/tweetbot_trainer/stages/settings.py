"""Settings of a stage, read once from the environment of its Pod."""

import os
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from tweetbot_contract import handover, reasons
from tweetbot_contract.handover import RunDocument, Task
from tweetbot_trainer.runtime.egress import Network, parse_networks
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.stages.context import CHECKPOINT_SECONDS

#: Seconds that a stage waits for the storage in all: shorter while it holds a GPU (design §9).
RETRY_SECONDS: dict[Task, float] = {"Prepare": 1800.0, "Train": 600.0, "Pin": 300.0, "Forget": 600.0, "Cleanup": 600.0}
RETRY_SECONDS_ENV = "TWEETBOT_STORAGE_PATIENCE_SECONDS"
CHECKPOINT_ENV = "TWEETBOT_CHECKPOINT_SECONDS"


@dataclass(frozen=True, slots=True)
class Settings:
    """The run document, folders, budgets and addresses of a stage."""

    run: RunDocument
    secrets: Path
    work: Path
    retry_seconds: float
    checkpoint_seconds: float = CHECKPOINT_SECONDS
    pod_uid: str = ""
    pod_ip: str = ""
    mounted_base: Path = Path(handover.BASE_DIR)
    allowed_networks: tuple[Network, ...] = ()


def read_settings(env: Mapping[str, str], stage: Task) -> Settings:
    """Parse the environment of a stage. Raises SpecRefused for a missing, invalid or other stage's run document."""
    run = _parse_run_document(env.get(handover.RUN_ENV, ""))
    if run.stage != stage:
        raise SpecRefused(reasons.SPEC_REFUSED, f"{handover.RUN_ENV} is meant for {run.stage}, but this is {stage}")
    if stage == "Train" and run.dataset is None:
        raise SpecRefused(reasons.SPEC_REFUSED, f"{handover.RUN_ENV} names no dataset to train on")
    return Settings(
        run=run,
        secrets=Path(env.get(handover.SECRETS_DIR_ENV, handover.SECRETS_DIR)),
        work=Path(env.get(handover.WORK_DIR_ENV, handover.WORK_DIR)),
        retry_seconds=float(env.get(RETRY_SECONDS_ENV, RETRY_SECONDS[stage])),
        checkpoint_seconds=float(env.get(CHECKPOINT_ENV, CHECKPOINT_SECONDS)),
        pod_uid=env.get(handover.POD_UID_ENV, ""),
        pod_ip=env.get(handover.POD_IP_ENV, ""),
        mounted_base=Path(env.get(handover.BASE_DIR_ENV, handover.BASE_DIR)),
        allowed_networks=parse_networks(env),
    )


def get_termination_log_path(env: Mapping[str, str]) -> Path:
    """Return the path of the file that takes the result."""
    return Path(env.get(handover.TERMINATION_LOG_ENV, handover.TERMINATION_LOG))


def keep_caches_below(work: Path, env: MutableMapping[str, str]) -> None:
    """Set the cache folders of libraries to the work folder, unless a writable one is given."""
    for name, folder in handover.CACHE_FOLDERS.items():
        given = Path(env.setdefault(name, str(work / folder)))
        if not given.is_dir() and not _try_create_folder(given):
            env[name] = str(work / folder)
            (work / folder).mkdir(parents=True, exist_ok=True)
    env.setdefault(handover.USER_ENV, handover.USER)


def _try_create_folder(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _parse_run_document(text: str) -> RunDocument:
    if not text:
        advice = "the operator starts this stage; without a cluster use `tweetbot-trainer run`"
        raise SpecRefused(reasons.SPEC_REFUSED, f"{handover.RUN_ENV} is not set: {advice}")
    try:
        return RunDocument.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(step) for step in first["loc"])
        raise SpecRefused(reasons.SPEC_REFUSED, f"{handover.RUN_ENV}: {path}: {first['msg']}") from error
