"""Events: a recorder of our own, and a lister of those about an object."""

import asyncio
import hashlib
import json
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from tweetbot_contract.handover import GROUP, KIND, VERSION
from tweetbot_contract.reasons import PINNED, SUPERSEDED
from tweetbot_contract.status import CurrentRun, TweetBotStatus
from tweetbot_operator.client.errors import ApiError, NamespaceTerminating, Rejected
from tweetbot_operator.client.interface import Cluster
from tweetbot_operator.client.requests import ApiRequests
from tweetbot_operator.telemetry.logs import with_fields
from tweetbot_operator.types.objects import CachedTweetBot, JobView, Manifest
from tweetbot_operator.types.times import extract_meaning, format_micro_time

LOG = logging.getLogger(__name__)
#: A list is used for at least this many seconds, and for this many times what it took: at most a tenth of the time
#: goes to listing.
_SECONDS, _TIMES = 1.0, 10.0
#: Longest note that the API server accepts, in bytes, although its message says characters.
_NOTE_BYTES = 1024
#: Events that wait to be posted at most; beyond that the oldest are dropped, as the newest describe the present.
_MAX_WAITING = 1000
#: Seconds of the pause before an Event, as its pass still has a Job to create, and between two Events while TweetBots
#: wait for a worker: otherwise a third of all requests at a launch would be Events.
_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class EventSpec:
    """What an Event says."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


def build_event(spec: EventSpec, metadata: Manifest, regarding: Manifest, action: str, now: datetime) -> Manifest:
    """Return the manifest of an events.k8s.io Event reported by this operator."""
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": metadata,
        "eventTime": format_micro_time(now),
        "type": spec.type,
        "reason": spec.reason,
        "action": action,
        "note": spec.message,
        "regarding": regarding,
        "reportingController": f"{GROUP}/operator",
        "reportingInstance": "tweetbot-operator",
    }


@dataclass(slots=True)
class _Listing:
    until: float = 0.0
    by_object: dict[str, list[Manifest]] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class EventLister:
    """Lists the Events of one kind about an object, with one LIST for all that ask within a second.

    The API server has no index from an object to its Events: a LIST for one object reads all Events of the namespace,
    so a thousand Jobs that wait for Pods would make it read a million.
    """

    def __init__(self, api: ApiRequests, clock: Callable[[], float] = time.monotonic) -> None:
        self._api, self._clock = api, clock
        self._listings: dict[tuple[str, str], _Listing] = {}

    async def list_events(self, namespace: str, uid: str, selector: str) -> list[Manifest]:
        """Return the Events that a field selector takes about the object of this uid, newest last. Raises ApiError."""
        self._remove_expired()
        listing = self._listings.setdefault((namespace, selector), _Listing())
        async with listing.lock:
            if self._clock() >= listing.until:
                await self._list(listing, namespace, selector)
        return listing.by_object.get(uid, [])

    def _remove_expired(self) -> None:
        """Drop expired lists that nobody waits for: Events are large, and namespaces many."""
        now = self._clock()
        self._listings = {key: one for key, one in self._listings.items() if one.lock.locked() or now < one.until}

    async def _list(self, listing: _Listing, namespace: str, selector: str) -> None:
        begun, found = self._clock(), dict[str, list[Manifest]]()
        path = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
        async for event in self._api.list_items(path, {"fieldSelector": selector}):
            found.setdefault((event.get("regarding") or {}).get("uid", ""), []).append(event)
        listing.by_object = {uid: sorted(events, key=get_last_seen) for uid, events in found.items()}
        ended = self._clock()
        listing.until = ended + max(_SECONDS, _TIMES * (ended - begun))


def get_last_seen(event: Manifest) -> str:
    """Return when an Event was last seen. Kubelets write the old form, whose times have deprecated names here."""
    series = event.get("series") or {}
    return str(series.get("lastObservedTime") or event.get("deprecatedLastTimestamp") or event.get("eventTime") or "")


def get_reporter(event: Manifest) -> str:
    """Return who reports an Event; older kubelets name themselves in the old form alone."""
    return str(event.get("reportingController") or (event.get("deprecatedSource") or {}).get("component") or "")


def build_events(before: TweetBotStatus, after: TweetBotStatus) -> tuple[EventSpec, ...]:
    """Return the Events that a change of status deserves: another run or reason, Stalled or its end, an advisory."""
    events: list[EventSpec] = []
    old, new = before.current_run, after.current_run
    if old and new and old.id != new.id and old.outcome is None:
        events.append(EventSpec("Normal", SUPERSEDED.name, f"Run {old.number} gives way to run {new.number}."))
    was, now = before.find_condition("Progressing"), after.find_condition("Progressing")
    was_stalled, stalled = (status.find_condition("Stalled") for status in (before, after))
    changed = (stalled and stalled.reason) != (was_stalled and was_stalled.reason)
    if now and (was is None or was.reason != now.reason or changed or _is_new_run(old, new)):
        said = stalled or now
        events.append(EventSpec("Warning" if stalled else "Normal", said.reason, _truncate_note(said.message)))
    was_ready, ready = (status.find_condition("ModelReady") for status in (before, after))
    if ready and ready.reason == PINNED.name and (was_ready is None or was_ready.message != ready.message):
        events.append(EventSpec("Normal", ready.reason, _truncate_note(ready.message)))
    for kind in ("DataAdvisory", "GateAdvisory"):
        former, advisory = (status.find_condition(kind) for status in (before, after))
        if advisory and (former is None or former.message != advisory.message):
            events.append(EventSpec("Warning", advisory.reason, _truncate_note(advisory.message)))
    return tuple(events)


def _truncate_note(message: str) -> str:
    return message.encode()[:_NOTE_BYTES].decode(errors="ignore")


def _is_new_run(old: CurrentRun | None, new: CurrentRun | None) -> bool:
    return (old and (old.id, old.number)) != (new and (new.id, new.number))


def build_bot_event(spec: EventSpec, bot: CachedTweetBot, scope: str, now: datetime) -> Manifest:
    """Return the manifest of an Event about a TweetBot; `scope` is its run.

    The name is a hash of what it means in this run, so the API server refuses a repetition, as after a crash, or with
    other numbers.
    """
    return _build_named_event(spec, bot, f"{GROUP}/{VERSION}", KIND, scope, now)


def _build_named_event(
    spec: EventSpec, about: CachedTweetBot | JobView, api: str, kind: str, scope: str, now: datetime
) -> Manifest:
    content = "\0".join((about.uid, scope, spec.type, spec.reason, *sorted(extract_meaning(spec.message))))
    name = f"{about.name}.{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    identity = {"namespace": about.namespace, "name": about.name, "uid": about.uid}
    regarding = {"apiVersion": api, "kind": kind, **identity}
    return build_event(spec, {"name": name, "namespace": about.namespace}, regarding, "Reconcile", now)


class Recorder:
    """Collects Events and posts them in order from a task of its own; one that cannot be posted is dropped."""

    def __init__(
        self,
        cluster: Cluster,
        now: Callable[[], datetime],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._cluster, self._now, self._sleep = cluster, now, sleep
        self._waiting: deque[tuple[Manifest, dict[str, str]]] = deque(maxlen=_MAX_WAITING)
        self._wake = asyncio.Event()
        self._posting = asyncio.Lock()
        self._refused = False

    def note(self, bot: CachedTweetBot, before: TweetBotStatus, after: TweetBotStatus) -> None:
        """Record the Events that a change of status deserves."""
        run = after.current_run
        scope = f"{run.id}-{run.number}-{run.retries}" if run else ""
        for spec in build_events(before, after):
            self._record(bot, spec, scope, run.id if run else None)  # the run that the pass may just have recorded

    def warn(self, bot: CachedTweetBot, reason: str, message: str) -> None:
        """Record a warning that no status shows; the API server refuses a repetition while it has the Event."""
        self._record(bot, EventSpec("Warning", reason, _truncate_note(message)), "", None)

    def warn_job(self, job: JobView, reason: str, message: str) -> None:
        """Record a warning about a Job that no TweetBot can show."""
        LOG.warning(message, extra=with_fields(reason=reason, namespace=job.namespace, name=job.bot, run=job.run_id))
        spec = EventSpec("Warning", reason, _truncate_note(message))
        event = _build_named_event(spec, job, "batch/v1", "Job", "", self._now())
        self._waiting.append((event, with_fields(namespace=job.namespace, name=job.bot, run=job.run_id)["fields"]))
        self._wake.set()

    def _record(self, bot: CachedTweetBot, spec: EventSpec, scope: str, run: str | None) -> None:
        LOG.info(spec.message, extra=with_fields(reason=spec.reason, type=spec.type, run=run))
        event = build_bot_event(spec, bot, scope, self._now())
        self._waiting.append((event, with_fields(namespace=bot.namespace, name=bot.name, run=run)["fields"]))
        self._wake.set()

    async def run(self, busy: Callable[[], bool] = lambda: False) -> None:
        """Post until cancelled, with pauses while `busy` says that there is more urgent work."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._sleep(_PAUSE)
            while self._waiting:
                await self._post_next()
                if busy():
                    await self._sleep(_PAUSE)

    async def flush(self) -> None:
        """Post all that wait, and let one that is on its way arrive."""
        while self._waiting or self._posting.locked():
            await self._post_next()

    async def _post_next(self) -> None:
        async with self._posting:
            if self._waiting:
                await self._post(*self._waiting.popleft())

    async def _post(self, event: Manifest, log_fields: dict[str, str]) -> None:
        """A duplicate was posted before a crash; a refusal is a terminating namespace or a quota."""
        try:
            await self._cluster.create_event(event)
        except ApiError as fault:
            LOG.debug("event not written", extra=with_fields(**log_fields, event=json.dumps(event), fault=str(fault)))
            self._note_refusal(fault)
        else:
            self._refused = False

    def _note_refusal(self, fault: ApiError) -> None:
        """Warn only of the first refusal in a row: a missing right would fill the log."""
        if isinstance(fault, Rejected) and not isinstance(fault, NamespaceTerminating) and not self._refused:
            self._refused = True
            LOG.warning("Events are refused", extra=with_fields(fault=str(fault)))
