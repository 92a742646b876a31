"""Events: the manifest of a new one, and those of a namespace, listed once for all who ask within a second.

The API server has no index from an object to its Events: a LIST for one object reads all Events of the namespace, so a
thousand Jobs that wait for Pods would make it read a million.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from tweetbot_contract.handover import GROUP
from tweetbot_operator.client.requests import ApiRequests
from tweetbot_operator.types.objects import Manifest
from tweetbot_operator.types.times import format_micro_time

#: A list is used for at least this many seconds, and for this many times what it took: at most a tenth of the time
#: goes to listing.
_SECONDS, _TIMES = 1.0, 10.0


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
    """Lists the Events of one reason about an object."""

    def __init__(self, api: ApiRequests, clock: Callable[[], float] = time.monotonic) -> None:
        self._api, self._clock = api, clock
        self._listings: dict[tuple[str, str], _Listing] = {}

    async def list_events(self, namespace: str, uid: str, reason: str) -> list[Manifest]:
        """Return the Events with this reason about the object of this uid, newest last. Raises ApiError."""
        self._remove_expired()
        listing = self._listings.setdefault((namespace, reason), _Listing())
        async with listing.lock:
            if self._clock() >= listing.until:
                await self._list(listing, namespace, reason)
        return listing.by_object.get(uid, [])

    def _remove_expired(self) -> None:
        """Drop expired lists that nobody waits for: Events are large, and namespaces many."""
        now = self._clock()
        self._listings = {key: one for key, one in self._listings.items() if one.lock.locked() or now < one.until}

    async def _list(self, listing: _Listing, namespace: str, reason: str) -> None:
        begun, found = self._clock(), dict[str, list[Manifest]]()
        path = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
        async for event in self._api.list_items(path, {"fieldSelector": f"reason={reason}"}):
            found.setdefault((event.get("regarding") or {}).get("uid", ""), []).append(event)
        listing.by_object = {uid: sorted(events, key=get_last_seen) for uid, events in found.items()}
        ended = self._clock()
        listing.until = ended + max(_SECONDS, _TIMES * (ended - begun))


def get_last_seen(event: Manifest) -> str:
    """Return when an Event was last seen. Kubelets write the old form, whose times have deprecated names here."""
    series = event.get("series") or {}
    return str(series.get("lastObservedTime") or event.get("deprecatedLastTimestamp") or event.get("eventTime") or "")
