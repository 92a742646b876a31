"""Bluesky's public API (XRPC), which needs no key, with bounded answers and waits."""

from datetime import UTC, datetime

import requests

from tweetbot_contract import reasons
from tweetbot_trainer.data.posts import Json
from tweetbot_trainer.data.sources.http import LARGEST, LONGEST, TIMEOUT, check_address, parse_object, read_bounded
from tweetbot_trainer.runtime.certificates import find_server_fault
from tweetbot_trainer.runtime.errors import SpecRefused, StageError, TemporaryError
from tweetbot_trainer.runtime.refusals import Meaning, extract_words, find_meaning, shorten_words
from tweetbot_trainer.runtime.retry_budget import RetryBudget

HOST = "https://public.api.bsky.app"
#: The wait for a limit without a usable reset time. The windows last 5 minutes (docs.bsky.app, "Rate limits").
UNKNOWN_RESET_SECONDS = 60.0
_CHECK_REQUEST = "Check spec.sources[].bluesky.apiBaseURL and spec.sources[].bluesky.actor."
_IF_IT_LASTS = "check spec.sources[].bluesky.apiBaseURL and any proxy in between"
#: A name is the field `error` of the answer (atproto.com/specs/xrpc, "Error Responses"). Unknown accounts share theirs
#: with all other bad requests.
TABLE: tuple[Meaning, ...] = (
    Meaning(("AccountTakedown",), SpecRefused, reasons.ACCOUNT_SUSPENDED),
    Meaning(("AccountDeactivated",), SpecRefused, reasons.ACCOUNT_NOT_FOUND),
    Meaning(
        ("InvalidRequest",),
        SpecRefused,
        reasons.ACCOUNT_NOT_FOUND,
        words=("not found", "valid did or a handle", "unable to resolve handle"),
    ),
    Meaning(
        ("InvalidRequest", "XRPCNotSupported", "AuthMissing", "AuthenticationRequired"),
        SpecRefused,
        reasons.SPEC_REFUSED,
        _CHECK_REQUEST,
    ),
)


class BlueskyClient:
    """Asks the API about one account, again and again while faults are temporary and the budget lasts."""

    def __init__(self, actor: str, *, base: str | None, retry_budget: RetryBudget) -> None:
        base = check_address(base or HOST, "spec.sources[].bluesky.apiBaseURL")
        self._actor, self._base, self._retry_budget = actor, base.rstrip("/"), retry_budget
        self._session = requests.Session()
        self._session.hooks["response"].append(_drop_location)
        self._session.headers["User-Agent"] = "tweetbot-trainer"

    def get_profile(self) -> Json:
        """Fetch the account by `app.bsky.actor.getProfile`. Raises StageError."""
        return self._ask("app.bsky.actor.getProfile", {})

    def get_feed_page(self, cursor: str | None) -> Json:
        """Fetch a page of `app.bsky.feed.getAuthorFeed`, newest first; `cursor` comes from the page before.

        Raises StageError.
        """
        # the default filter, written out: posts, replies and reposts, of which cleaning drops what the spec says
        page = {"limit": "100", "filter": "posts_with_replies"}
        return self._ask("app.bsky.feed.getAuthorFeed", page | ({"cursor": cursor} if cursor else {}))

    def _ask(self, method: str, query: dict[str, str]) -> Json:
        silence = TemporaryError(
            reasons.BLUESKY_UNAVAILABLE, f"Bluesky has not answered a request for {self._actor} yet"
        )
        return self._retry_budget.call(lambda: self._attempt(method, query | {"actor": self._actor}), silence)

    def _attempt(self, method: str, query: dict[str, str]) -> Json:
        """Send one request. Raises StageError: TemporaryError if asking again may help."""
        try:
            address = f"{self._base}/xrpc/{method}"
            with self._session.get(address, params=query, stream=True, timeout=TIMEOUT) as response:
                content = read_bounded(response, largest=LARGEST, longest=LONGEST)
        except requests.RequestException as error:
            if fault := find_server_fault(error, self._base):
                raise fault from None
            message = f"Bluesky does not answer for {self._actor} ({type(error).__name__})"
            raise TemporaryError(reasons.BLUESKY_UNAVAILABLE, message) from None
        body = parse_object(content)
        if response.status_code != requests.codes.ok:
            raise self._build_failure(response, body, shorten_words(extract_words(content)))
        if not body:
            message = f"Bluesky's answer for {self._actor} is not a JSON object"
            raise TemporaryError(reasons.BLUESKY_BAD_PAYLOAD, message)
        return body

    def _build_failure(self, response: requests.Response, body: Json, words: str) -> StageError:
        """Return what an answer means: a TemporaryError unless Bluesky names a problem that the table has."""
        status, name, said = response.status_code, str(body.get("error", "")), str(body.get("message", ""))
        detail = shorten_words(f"{name} {said}") or words or "nothing more"
        message = f"Bluesky answered {status} for {self._actor}: {detail.rstrip('.')}"
        if 400 <= status < 500 and (meaning := find_meaning(TABLE, name, said)):
            return meaning.error(meaning.reason, f"{message}. {meaning.advice or meaning.reason.advice}")
        if status == requests.codes.too_many_requests:
            return self._build_rate_limit(response)
        if 400 <= status < 500:
            message += f". This names no lasting problem, so it is asked again; if it lasts, {_IF_IT_LASTS}."
        return TemporaryError(reasons.BLUESKY_UNAVAILABLE, message)

    def _build_rate_limit(self, response: requests.Response) -> TemporaryError:
        now, reset = self._retry_budget.now(), _parse_seconds(response.headers.get("ratelimit-reset"))
        seconds = reset - now + 1 if reset > now else _parse_seconds(response.headers.get("retry-after"))
        seconds = seconds or UNKNOWN_RESET_SECONDS
        until = datetime.fromtimestamp(now + seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        message = f"Bluesky allows no further request for {self._actor} before {until}"
        return TemporaryError(reasons.RATE_LIMITED, message, retry_after=seconds)


def _drop_location(response: requests.Response, **_: object) -> None:
    """Let no redirect be followed: one could lead to a host that is not allowed, or to no address at all."""
    response.headers.pop("location", None)


def _parse_seconds(given: str | None) -> float:
    """Parse a header's number of seconds, 0 if it is not a number; eleven digits reach the year 5138."""
    return float(given) if given and given.isascii() and given.isdigit() and len(given) <= 11 else 0.0
