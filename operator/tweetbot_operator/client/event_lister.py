"""A lister of the Events about an object."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tweetbot_operator.client.requests import ApiRequests
from tweetbot_operator.types.objects import Manifest

#: A list is used for at least this many seconds, and for this many times what it took: at most a tenth of the time
#: goes to listing.
_SECONDS, _TIMES = 1.0, 10.0


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
