"""Requests to the API server through the asyncio client: plain dicts, always a time limit, errors by their meaning."""

import math
import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client import ApiClient
from pydantic_core import from_json

from tweetbot_operator.client.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    InternalError,
    Invalid,
    NamespaceTerminating,
    NotFound,
    NotLeader,
    Rejected,
    Timeout,
    Unavailable,
    WebhookUnavailable,
)
from tweetbot_operator.telemetry.metrics import API_REQUESTS, API_SECONDS
from tweetbot_operator.types.objects import Manifest

APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
#: What the API server says if a webhook does not answer, or its certificate is not trusted.
_WEBHOOK = "failed calling webhook"
#: Objects per page of a LIST. A page is in memory at once, and an object takes some 50 KiB as Python's dicts.
PAGE = 200


#: Seconds that one request may take. The client's own default is 300, longer than any request of ours takes.
REQUEST_TIMEOUT_SECONDS = 10.0
#: Seconds after which the server ends a watch, and without a byte after which it is dead: where nothing changes, no
#: bookmark comes either, so the end must come before.
WATCH_SECONDS, SILENCE_SECONDS = 60, 90.0
#: Seconds of a request within which the date of its answer is that of its end.
_QUICK_SECONDS = 5.0


class ApiRequests:
    """One method per verb. Raises the exceptions of `client.errors`."""

    def __init__(
        self,
        client: ApiClient,
        get_write_timeout: Callable[[], float] = lambda: math.inf,
        *,
        timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
        on_date: Callable[[datetime], None] = lambda date: None,
    ) -> None:
        """`get_write_timeout` returns how many seconds a write that begins now may take; 0 forbids it.

        `on_date` is called with the API server's time when it has answered quickly.
        """
        self._on_date = on_date
        self._client, self._timeout, self._get_write_timeout = client, timeout_seconds, get_write_timeout

    async def get(
        self, path: str, query: Mapping[str, str] | None = None, accept: str = "application/json"
    ) -> Manifest:
        """Read an object or a list."""
        return await self._send("GET", path, query=query, headers={"Accept": accept})

    async def post(self, path: str, body: Manifest, query: Mapping[str, str] | None = None) -> Manifest:
        """Create an object."""
        return await self._send("POST", path, query=query, body=body)

    async def put(self, path: str, body: Manifest) -> Manifest:
        """Replace an object that still has the resource version in `body`."""
        return await self._send("PUT", path, body=body)

    async def apply(self, path: str, body: Manifest, manager: str) -> Manifest:
        """Apply an object server-side, taking over fields of other managers."""
        query = {"fieldManager": manager, "force": "true"}
        return await self._send("PATCH", path, query=query, body=body, headers={"Content-Type": APPLY})

    async def patch(self, path: str, operations: list[Manifest]) -> Manifest:
        """Change an object by a JSON patch. Raises Invalid if a test in it fails."""
        return await self._send("PATCH", path, body=operations, headers={"Content-Type": JSON_PATCH})

    async def delete(self, path: str, options: Manifest) -> Manifest:
        """Delete an object."""
        return await self._send("DELETE", path, body=options)

    async def list_items(
        self, path: str, query: Mapping[str, str], accept: str = "application/json"
    ) -> AsyncIterator[Manifest]:
        """Yield the objects of a list, page by page."""
        query = {**query, "limit": str(PAGE)}
        while True:
            page = await self.get(path, query, accept)
            for item in page["items"] or ():  # an empty list of metadata has null
                yield item
            if not (token := page["metadata"].get("continue")):
                return
            query["continue"] = token

    async def watch(self, path: str, resource_version: str) -> AsyncIterator[Manifest]:
        """Yield the events of a list after a version, until the server ends the watch."""
        options = {"watch": "true", "resourceVersion": resource_version, "allowWatchBookmarks": "true"}
        query = urlencode({**options, "timeoutSeconds": str(WATCH_SECONDS)})
        try:
            answer = await self._client.rest_client.request(
                "GET",
                f"{self._client.configuration.host}{path}?{query}",
                headers={"Accept": "application/json", **await self._get_auth_headers()},
                _request_timeout=aiohttp.ClientTimeout(total=None, sock_read=SILENCE_SECONDS),
            )
            async with answer.response as response:
                if response.status >= 400:
                    _parse_response("GET", path, response.status, await response.read())
                async for line in response.content:
                    yield from_json(line)
        except (aiohttp.ClientError, OSError, ValueError) as fault:  # a TimeoutError is an OSError
            raise Unavailable(f"watch {path}: {type(fault).__name__}: {fault}") from None

    async def _send(
        self,
        verb: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Manifest | list[Manifest] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Manifest:
        timeout = self._compute_timeout(verb)
        began = time.monotonic()
        status = 0
        try:
            # Not through the client's serializer, which searches every body for models; ours are plain dicts.
            response = await self._client.rest_client.request(
                verb,
                self._client.configuration.host + path + (f"?{urlencode(query)}" if query else ""),
                headers={"Accept": "application/json", **(headers or {}), **await self._get_auth_headers()},
                body=body,
                _request_timeout=timeout,
            )
            status, content = response.status, await response.read()
        except TimeoutError:
            raise Timeout(f"{verb} {path}: no answer in time") from None
        except (aiohttp.ClientError, OSError) as fault:
            raise Unavailable(f"{verb} {path}: {type(fault).__name__}: {fault}") from None
        finally:
            API_REQUESTS.labels(verb=verb, code=str(status)).inc()
            API_SECONDS.labels(verb=verb).observe(time.monotonic() - began)
        if time.monotonic() - began < _QUICK_SECONDS and (date := _parse_date(response.headers.get("Date", ""))):
            self._on_date(date)
        return _parse_response(verb, path, status, content)

    async def _get_auth_headers(self) -> dict[str, str]:
        """Return the header with the token, which the client reads again as it rotates; a certificate needs none."""
        settings = await self._client.configuration.auth_settings()
        return {token["key"]: token["value"] for token in settings.values()}

    def _compute_timeout(self, verb: str) -> aiohttp.ClientTimeout:
        """A write must have ended before another replica may act. Raises NotLeader."""
        left = math.inf if verb == "GET" else self._get_write_timeout()
        if left <= 0:
            raise NotLeader(f"{verb} not sent: this replica does not hold the lease")
        return aiohttp.ClientTimeout(total=min(self._timeout, left))


def _parse_date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None


def _parse_response(verb: str, path: str, status: int, content: bytes) -> Manifest:
    try:
        document = from_json(content)
    except ValueError:
        document = None
    if not isinstance(document, dict):  # a proxy's page, or a truncated body
        raise Unavailable(f"{verb} {path}: {status} without JSON")
    if status < 400:
        return document
    raise _classify_error(verb, status, document)(str(document.get("message", status)))


def _classify_error(verb: str, status: int, document: Manifest) -> type[ApiError]:
    if status == 404:
        return NotFound
    if status == 409:
        return AlreadyExists if verb == "POST" and document.get("reason") == "AlreadyExists" else Conflict
    if status == 422:
        return Invalid
    if status == 403 and any(cause.get("reason") == "NamespaceTerminating" for cause in _get_causes(document)):
        return NamespaceTerminating
    if status == 500:
        return WebhookUnavailable if _WEBHOOK in str(document.get("message")) else InternalError
    return Rejected if status in (400, 403, 413) else Unavailable


def _get_causes(document: Manifest) -> list[Manifest]:
    return (document.get("details") or {}).get("causes") or []
