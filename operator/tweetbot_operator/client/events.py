"""The Events of a namespace, listed once for all who ask within a while: no index leads from an object to them.

A LIST that asks for one object's Events makes the API server read all of the namespace. A thousand Jobs that wait for
Pods would have it read a thousand times a thousand.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tweetbot_operator.client.requests import ApiRequests
from tweetbot_operator.types.objects import Manifest

#: A list holds for so many seconds, and for so many times what it took: a tenth of the time goes to listing at most.
_SECONDS, _TIMES = 1.0, 10.0


@dataclass(slots=True)
class _Listing:
    until: float = 0.0
    by_object: dict[str, list[Manifest]] = field(default_factory=dict)
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class EventLister:
    """Answers what Events of one reason say of an object."""

    def __init__(self, api: ApiRequests, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` is steady, in seconds."""
        self._api, self._clock = api, clock
        self._listings: dict[tuple[str, str], _Listing] = {}

    async def list_events(self, namespace: str, uid: str, reason: str) -> list[Manifest]:
        """Return the Events of this reason that regard the object, newest last. Raises ApiError."""
        self._forget_old()
        listing = self._listings.setdefault((namespace, reason), _Listing())
        async with listing.asking:
            if self._clock() >= listing.until:
                await self._list(listing, namespace, reason)
        return listing.by_object.get(uid, [])

    def _forget_old(self) -> None:
        """Let go of lists that hold no more, and that nobody waits for: Events are large, and namespaces many."""
        now = self._clock()
        kept = {key: one for key, one in self._listings.items() if one.asking.locked() or now < one.until}
        self._listings = kept

    async def _list(self, listing: _Listing, namespace: str, reason: str) -> None:
        begun, found = self._clock(), dict[str, list[Manifest]]()
        path = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
        async for event in self._api.list_items(path, {"fieldSelector": f"reason={reason}"}):
            found.setdefault((event.get("regarding") or {}).get("uid", ""), []).append(event)
        listing.by_object = {uid: sorted(events, key=get_last_seen) for uid, events in found.items()}
        took = self._clock() - begun
        listing.until = self._clock() + max(_SECONDS, _TIMES * took)


def get_last_seen(event: Manifest) -> str:
    """Return when an Event was seen last. Kubelets write the old form, whose times have deprecated names here."""
    series = event.get("series") or {}
    return str(series.get("lastObservedTime") or event.get("deprecatedLastTimestamp") or event.get("eventTime") or "")
