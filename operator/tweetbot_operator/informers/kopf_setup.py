"""How kopf is told to watch and to write nothing. Each setting's reason and measurement: nolar/kopf issues as named."""

import asyncio
import dataclasses
import logging
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import kopf
from kopf._core.reactor.inventory import ResourceMemories, ResourceMemory

from tweetbot_contract.handover import GROUP
from tweetbot_operator.client.cluster import OURS
from tweetbot_operator.client.requests import PAGE

#: Pauses between tries while the API server is away, in seconds.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
#: Seconds without a byte after which a watch counts as dead and is opened again. Bookmarks come every minute.
WATCH_INACTIVITY_TIMEOUT_SECONDS = 70.0
#: A service account's token rotates hourly; kopf would otherwise wait for a 401.
_CREDENTIALS_LAST = timedelta(minutes=30)


class NoDiffBase(kopf.DiffBaseStorage):
    """Keeps no last-handled state, so none is ever written to a user's object (and none is believed)."""

    def build(self, *, body: Any, extra_fields: Any = None) -> Any:
        """Return the essence to compare: nothing."""
        return {}

    def fetch(self, *, body: Any) -> None:
        """Return the former essence: none."""

    def store(self, *, body: Any, patch: Any, essence: Any) -> None:
        """Write nothing."""


class NoProgress(kopf.ProgressStorage):
    """Keeps no handler progress."""

    def fetch(self, *, key: Any, body: Any) -> None:
        """Return the former progress: none."""

    def store(self, *, key: Any, record: Any, body: Any, patch: Any) -> None:
        """Write nothing."""

    def purge(self, *, key: Any, body: Any, patch: Any) -> None:
        """Remove nothing."""

    def touch(self, *, body: Any, patch: Any, value: Any) -> None:
        """Touch nothing."""

    def clear(self, *, essence: Any) -> Any:
        """Return the essence as it is."""
        return essence


class NoMemories(ResourceMemories):
    """Remembers nothing of an object: kopf does so for its other decorators, some 10 KiB each for ever."""

    async def recall(
        self,
        raw_body: Any,
        *,
        memobase: Any = None,
        noticed_by_listing: bool = False,
        ephemeral: bool = False,
    ) -> ResourceMemory:
        """Return a blank memory, and keep none."""
        return ResourceMemory(memo=memobase, noticed_by_listing=noticed_by_listing)


class UnboundedBackoff:
    """Growing, jittered pauses without end: kopf gives up after nine otherwise, and an outage ends the process."""

    def __iter__(self) -> Iterator[float]:
        pause = _FIRST_PAUSE
        while True:
            yield pause * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
            pause = min(pause * 2, _LONGEST_PAUSE)


def configure(settings: kopf.OperatorSettings) -> None:
    """Make kopf an event source and nothing else."""
    settings.persistence.diffbase_storage = NoDiffBase()
    settings.persistence.progress_storage = NoProgress()
    settings.persistence.finalizer = f"kopf.internal.{GROUP}/never-used"  # kopf strips a finalizer equal to this one
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
    settings.process.ultimate_exiting_timeout = None  # it would kill us after kopf's fault, too; a kubelet has its own


def login(registry: kopf.OperatorRegistry) -> None:
    """Log in by the Pod's service account, else by KUBECONFIG, tokens and client certificates alike."""

    @kopf.on.login(registry=registry)
    async def credentials(**given: Any) -> kopf.ConnectionInfo | None:
        found = kopf.login_with_service_account(**given) or kopf.login_with_kubeconfig(**given)
        return found and dataclasses.replace(found, expiration=datetime.now(UTC) + _CREDENTIALS_LAST)


LOG = logging.getLogger(__name__)
#: Seconds between two cancellations. kopf gives what it finds left 5 s before the first.
_PATIENCE = 8.0


async def run_kopf(*, patience: float = _PATIENCE, **given: Any) -> None:
    """Run kopf as `kopf.operator` does, but end when it ends. Raises what ended it."""
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
