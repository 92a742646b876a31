"""kopf's settings, login and end: it watches, and it writes nothing."""

import asyncio
import dataclasses
import logging
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import kopf
from kopf._core.reactor.inventory import ResourceMemories, ResourceMemory

from tweetbot_contract.handover import GROUP
from tweetbot_operator.client.cluster import OURS
from tweetbot_operator.client.requests import PAGE
from tweetbot_operator.types.times import compute_backoff

LOG = logging.getLogger(__name__)
#: Seconds of the pauses between tries while the API server is away.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
#: Seconds without a byte after which a watch counts as dead and is opened again. Bookmarks come every minute.
WATCH_INACTIVITY_TIMEOUT_SECONDS = 70.0
#: A service account's token rotates hourly; without an expiration kopf would wait for a 401.
_CREDENTIALS_LIFETIME = timedelta(minutes=30)
#: Seconds between two cancellations of kopf's tasks. kopf itself gives them 5 s before the first.
_CANCEL_SECONDS = 8.0


class _NoDiffBase(kopf.DiffBaseStorage):
    """Stores no last-handled state, so none is ever written to a user's object, or believed."""

    def build(self, *, body: Any, extra_fields: Any = None) -> Any:
        return {}

    def fetch(self, *, body: Any) -> None:
        pass

    def store(self, *, body: Any, patch: Any, essence: Any) -> None:
        pass


class _NoProgress(kopf.ProgressStorage):
    """Stores no progress of handlers."""

    def fetch(self, *, key: Any, body: Any) -> None:
        pass

    def store(self, *, key: Any, record: Any, body: Any, patch: Any) -> None:
        pass

    def purge(self, *, key: Any, body: Any, patch: Any) -> None:
        pass

    def touch(self, *, body: Any, patch: Any, value: Any) -> None:
        pass

    def clear(self, *, essence: Any) -> Any:
        return essence


class NoMemories(ResourceMemories):
    """Remembers nothing of an object; kopf would keep 10 KiB of each for decorators that we do not use."""

    async def recall(
        self, raw_body: Any, *, memobase: Any = None, noticed_by_listing: bool = False, ephemeral: bool = False
    ) -> ResourceMemory:
        """Return a blank memory, and keep none."""
        return ResourceMemory(memo=memobase, noticed_by_listing=noticed_by_listing)


class UnboundedBackoff:
    """Growing, jittered pauses without end: kopf's own end after nine, and with them the process."""

    def __iter__(self) -> Iterator[float]:
        for attempt in count(1):
            pause = compute_backoff(attempt, _FIRST_PAUSE, _LONGEST_PAUSE)
            yield pause * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


def configure(settings: kopf.OperatorSettings) -> None:
    """Make kopf an event source and nothing else."""
    settings.persistence.diffbase_storage = _NoDiffBase()
    settings.persistence.progress_storage = _NoProgress()
    settings.persistence.finalizer = f"kopf.internal.{GROUP}/never-used"  # kopf removes a finalizer of this name
    settings.persistence.consistency_timeout = 0
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.scanning.disabled = True  # else it lists and watches namespaces and CRDs of the whole cluster
    settings.watching.server_timeout = random.randint(420, 540)  # noqa: S311 - an int: kopf writes it into the URL
    settings.watching.connect_timeout = 10
    settings.watching.reconnect_backoff = 1.0
    settings.watching.inactivity_timeout = WATCH_INACTIVITY_TIMEOUT_SECONDS
    settings.watching.chunk_size = PAGE
    settings.watching.initial_streaming = False
    settings.watching.label_selectors["batch", "v1", "jobs"] = OURS
    settings.watching.label_selectors["", "v1", "pods"] = OURS
    settings.queueing.worker_limit = None
    settings.queueing.idle_timeout = 0.5
    settings.queueing.exit_timeout = 2
    settings.networking.request_timeout = 60
    settings.networking.connect_timeout = 10
    settings.networking.error_backoffs = UnboundedBackoff()
    settings.execution.max_workers = 2
    settings.process.ultimate_exiting_timeout = None  # else kopf kills this process some time after its own failure


def login(registry: kopf.OperatorRegistry) -> None:
    """Log in by the Pod's service account, else by KUBECONFIG, with a token or a client certificate."""

    @kopf.on.login(registry=registry)
    async def credentials(**given: Any) -> kopf.ConnectionInfo | None:
        found = kopf.login_with_service_account(**given) or kopf.login_with_kubeconfig(**given)
        return found and dataclasses.replace(found, expiration=datetime.now(UTC) + _CREDENTIALS_LIFETIME)


async def run_kopf(*, patience: float = _CANCEL_SECONDS, **given: Any) -> None:
    """Run kopf as `kopf.operator` does, but return when it ends. Raises what ended it.

    At its end kopf may wait for ever for a task that took its cancellation for something else, so we cancel again.
    """
    before = asyncio.all_tasks()
    roots = await kopf.spawn_tasks(**given)
    await asyncio.wait(roots, return_when=asyncio.FIRST_COMPLETED)
    ending = asyncio.create_task(kopf.run_tasks(roots, ignored=before), name="the end of kopf")
    left = asyncio.all_tasks() - before - {ending}
    while not (await asyncio.wait({ending}, timeout=patience))[0]:
        LOG.warning("kopf does not end: its tasks are cancelled again")
        for task in left:
            task.cancel()
    await ending
