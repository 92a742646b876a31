"""Bluesky's public API (XRPC), which needs no key: bounded answers, waits within a budget, failures in our words."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from tweetbot_contract import reasons
from tweetbot_contract.reasons import Reason
from tweetbot_trainer.data.sources.http import LARGEST, LONGEST, TIMEOUT, parse_object, read_bounded
from tweetbot_trainer.runtime.errors import SpecRefused, StageError, TemporaryError
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.retry_budget import RetryBudget

HOST = "https://public.api.bsky.app"
#: Where the API's profiles point for their pictures.
PICTURES = "https://cdn.bsky.app"
LARGEST_PICTURE = 2 * 1024**2
#: What a limit without a usable reset time waits for; the windows last 5 minutes (docs.bsky.app, "Rate limits").
UNKNOWN_RESET_SECONDS = 60.0
_SAID_LENGTH = 300

Json = dict[str, Any]


class BlueskyClient:
    """Asks the API about one account; temporary faults are waited out."""

    def __init__(self, actor: str, *, base: str | None, retry_budget: RetryBudget, log: Log) -> None:
        self._actor, self._base, self._retry_budget, self._log = actor, (base or HOST).rstrip("/"), retry_budget, log
        self._session = requests.Session()
        self._session.max_redirects = 0  # one could lead where no endpoint may
        self._session.headers["User-Agent"] = "tweetbot-trainer"

    def get_profile(self) -> Json:
        """Return the account as `app.bsky.actor.getProfile` describes it. Raises StageError."""
        return self._ask("app.bsky.actor.getProfile", {})

    def get_feed_page(self, cursor: str | None) -> Json:
        """Return one page of `app.bsky.feed.getAuthorFeed`, newest first; `cursor` comes from the page before.

        Raises StageError.
        """
        # the default filter, said aloud: posts, replies and reposts, of which cleaning drops what the spec says
        page = {"limit": "100", "filter": "posts_with_replies"}
        return self._ask("app.bsky.feed.getAuthorFeed", page | ({"cursor": cursor} if cursor else {}))

    def fetch_picture(self, address: str) -> bytes | None:
        """Return the account's picture; None, and a log line, where it cannot be had from Bluesky or apiBaseURL."""
        try:
            if _get_origin(address) not in (_get_origin(PICTURES), _get_origin(self._base)):
                raise ValueError("another host")
            with self._session.get(address, stream=True, timeout=TIMEOUT, allow_redirects=False) as response:
                response.raise_for_status()
                return read_bounded(response, largest=LARGEST_PICTURE, longest=LONGEST)
        except (requests.RequestException, ValueError) as error:
            self._log.warning("bluesky.avatar", message=f"the picture could not be fetched ({type(error).__name__})")
            return None

    def _ask(self, method: str, query: dict[str, str]) -> Json:
        """Return the answer, asking again while that may help. Raises StageError."""
        return self._retry_budget.call(lambda: self._attempt(method, query | {"actor": self._actor}))

    def _attempt(self, method: str, query: dict[str, str]) -> Json:
        """Send one request. Raises StageError: TemporaryError if asking again may help."""
        try:
            address = f"{self._base}/xrpc/{method}"
            with self._session.get(address, params=query, stream=True, timeout=TIMEOUT) as response:
                body = parse_object(read_bounded(response, largest=LARGEST, longest=LONGEST))
        except ValueError as error:  # requests' own errors of addresses are some, too
            message = f"sources[].bluesky.apiBaseURL {self._base} is no address ({type(error).__name__}); correct it"
            raise SpecRefused(reasons.SPEC_REFUSED, message) from None
        except requests.RequestException as error:
            message = f"Bluesky does not answer for {self._actor} ({type(error).__name__})"
            raise TemporaryError(reasons.BLUESKY_UNAVAILABLE, message) from None
        if response.status_code != requests.codes.ok:
            raise self._build_failure(response, body)
        if not body:
            message = f"Bluesky's answer for {self._actor} is not a JSON object"
            raise TemporaryError(reasons.BLUESKY_BAD_PAYLOAD, message)
        return body

    def _build_failure(self, response: requests.Response, body: Json) -> StageError:
        status = response.status_code
        if status == requests.codes.too_many_requests:
            return self._build_rate_limit(response)
        if status >= 500 or status < 400:
            message = f"Bluesky answered {status} for {self._actor}"
            return TemporaryError(reasons.BLUESKY_UNAVAILABLE, message)
        kind, said = str(body.get("error", "")), str(body.get("message", ""))
        reason = _find_reason(kind, said)
        advice = "Check apiBaseURL and actor." if reason is reasons.SPEC_REFUSED else reason.advice
        detail = f"{kind} {said}".strip()[:_SAID_LENGTH] or "nothing more"
        message = f"Bluesky answered {status} for {self._actor}: {detail.rstrip('.')}. {advice}"
        return SpecRefused(reason, message)

    def _build_rate_limit(self, response: requests.Response) -> TemporaryError:
        now, reset = self._retry_budget.now(), _parse_seconds(response.headers.get("ratelimit-reset"))
        seconds = reset - now + 1 if reset > now else _parse_seconds(response.headers.get("retry-after"))
        seconds = seconds or UNKNOWN_RESET_SECONDS
        until = datetime.fromtimestamp(now + seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        message = f"Bluesky allows no further request for {self._actor} before {until}"
        return TemporaryError(reasons.RATE_LIMITED, message, retry_after=seconds)


def _find_reason(kind: str, said: str) -> Reason:
    """Return what an error of the API means; unknown accounts share their name with every other bad request."""
    if kind == "AccountTakedown":
        return reasons.ACCOUNT_SUSPENDED
    if kind == "AccountDeactivated" or "not found" in said.lower() or "valid did or a handle" in said.lower():
        return reasons.ACCOUNT_NOT_FOUND
    return reasons.SPEC_REFUSED


def _parse_seconds(given: str | None) -> float:
    """Return a header's number of seconds, 0 where it is none; eleven digits reach the year 5138."""
    return float(given) if given and given.isascii() and given.isdigit() and len(given) <= 11 else 0.0


def _get_origin(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.scheme.lower(), parts.netloc.lower()
