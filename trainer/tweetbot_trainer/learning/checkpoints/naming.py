"""Where checkpoints lie, how they are named, and how they go. No torch in here."""

import re
import secrets
from datetime import UTC, datetime, timedelta

from tweetbot_contract.handover import RunDocument
from tweetbot_trainer.runtime.errors import StageError
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.store import ObjectStore, join

#: After so long nobody goes on from a run that was given up (design §9).
LIFETIME = timedelta(days=7)

_NAME = re.compile(r"\d{8}-(\d{8}T\d{6}Z)-[0-9a-f]{8}")
_TIME = "%Y%m%dT%H%M%SZ"


def build_checkpoints_uri(run: RunDocument) -> str:
    """Return the address below which a run's checkpoints lie."""
    return join(run.prefix, "checkpoints", run.run_id)


def make_name(step: int, at: datetime) -> str:
    """Return a name that sorts by step, tells its age, and that no other Pod takes."""
    return f"{step:08d}-{at.strftime(_TIME)}-{secrets.token_hex(4)}"


def is_name(text: str) -> bool:
    """Tell whether a checkpoint may be called so."""
    return _NAME.fullmatch(text) is not None


def erase_checkpoints(store: ObjectStore, uri: str, *, now: datetime, log: Log) -> None:
    """Erase a run's checkpoints, and those of runs that were given up a week ago, with what the bucket keeps of them.

    The run's model is published by then, so a fault here is told and ends nothing.
    """
    try:
        for folder in (uri, *_find_older(store, f"{uri.rpartition('/')[0]}/", now - LIFETIME)):
            for _ in store.erase(f"{folder}/"):
                pass
    except StageError as error:
        log.warning("checkpoint.left", message=error.message)


def _find_older(store: ObjectStore, prefix: str, before: datetime) -> list[str]:
    """Return the folders below the prefix of checkpoints that were made earlier."""
    found = ((info.uri, _NAME.search(info.uri, len(prefix))) for info in store.list(prefix))
    named = {uri[: match.end()]: match[1] for uri, match in found if match}
    return [uri for uri, at in named.items() if datetime.strptime(at, _TIME).replace(tzinfo=UTC) < before]
