"""Where checkpoints lie, how they are named, and how they go. No torch in here."""

import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

from tweetbot_contract.handover import RunDocument
from tweetbot_trainer.store import ObjectStore, join

_NAME = re.compile(r"\d{8}-(\d{8}T\d{6}Z)-[0-9a-f]{8}")
_TIME = "%Y%m%dT%H%M%SZ"


def checkpoints_uri(run: RunDocument) -> str:
    """Return the address below which a run's checkpoints lie."""
    return join(run.prefix, "checkpoints", run.run_id)


def new_name(step: int, at: datetime) -> str:
    """Return a name that sorts by step, tells its age, and that no other Pod takes."""
    return f"{step:08d}-{at.strftime(_TIME)}-{secrets.token_hex(4)}"


def is_name(text: str) -> bool:
    """Tell whether a checkpoint may be called so."""
    return _NAME.fullmatch(text) is not None


def erase(store: ObjectStore, prefix: str) -> None:
    """Remove every object whose address begins so."""
    for info in list(store.list(prefix)):
        store.delete(info.uri)


def older_than(store: ObjectStore, prefix: str, before: datetime) -> Iterator[str]:
    """Yield the addresses below the prefix that belong to checkpoints made earlier."""
    for info in list(store.list(prefix)):
        match = _NAME.search(info.uri.removeprefix(prefix))
        if match and datetime.strptime(match[1], _TIME).replace(tzinfo=UTC) < before:
            yield info.uri
