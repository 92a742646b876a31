"""Where checkpoints are stored, how they are named, and when they are erased. Imports no torch."""

import re
import secrets
from datetime import UTC, datetime, timedelta

from tweetbot_contract.handover import RunDocument
from tweetbot_trainer.runtime.errors import StageError
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.store import ObjectStore, join

#: A checkpoint's last file, which makes it whole.
MANIFEST = "MANIFEST.json"
#: A run whose checkpoints are older was given up (design §9).
LIFETIME = timedelta(days=7)

_NAME = re.compile(r"\d{8}-(\d{8}T\d{6}Z)-[0-9a-f]{8}")
_TIME = "%Y%m%dT%H%M%SZ"


def build_checkpoints_uri(run: RunDocument) -> str:
    """Return the address below which a run's checkpoints are stored."""
    return join(run.prefix, "checkpoints", run.run_id)


def make_name(step: int, at: datetime) -> str:
    """Return a name that sorts by step, contains the time, and is unique among Pods."""
    return f"{step:08d}-{at.strftime(_TIME)}-{secrets.token_hex(4)}"


def is_name(text: str) -> bool:
    """Tell whether this is a checkpoint's name."""
    return _NAME.fullmatch(text) is not None


def list_names(store: ObjectStore, uri: str) -> set[str]:
    """Return the names of a run's whole checkpoints."""
    inside = (info.uri.removeprefix(f"{uri}/") for info in store.list(f"{uri}/"))
    return set(filter(is_name, (path.removesuffix(f"/{MANIFEST}") for path in inside if path.endswith(f"/{MANIFEST}"))))


def find_newest_step(store: ObjectStore, uri: str) -> int | None:
    """Return the step of the newest whole checkpoint of a run; None without one."""
    newest = max(list_names(store, uri), default=None)
    return None if newest is None else int(newest.partition("-")[0])


def erase_checkpoints(store: ObjectStore, uri: str, *, now: datetime, log: Log) -> None:
    """Erase a run's checkpoints and those of runs given up a week ago, with all versions that the bucket keeps.

    Logs errors of the store instead of raising: the run's model is already published.
    """
    try:
        for folder in (uri, *_find_older(store, f"{uri.rpartition('/')[0]}/", now - LIFETIME)):
            for _ in store.erase(f"{folder}/"):
                pass
    except StageError as error:
        log.warning("checkpoint.left", message=error.message)


def _find_older(store: ObjectStore, prefix: str, before: datetime) -> list[str]:
    found = ((info.uri, _NAME.search(info.uri, len(prefix))) for info in store.list(prefix))
    named = {uri[: match.end()]: match[1] for uri, match in found if match}
    return [uri for uri, at in named.items() if datetime.strptime(at, _TIME).replace(tzinfo=UTC) < before]
