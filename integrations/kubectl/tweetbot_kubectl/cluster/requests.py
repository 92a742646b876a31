"""Requests to the API server: plain dicts in and out, always a time limit, errors by their meaning."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, Protocol
from urllib.parse import urlencode

from kubernetes.client import ApiClient
from urllib3.exceptions import HTTPError

from tweetbot_kubectl.cluster.rights import explain_refusal
from tweetbot_kubectl.failures import CommandFailed, Forbidden, NotFound, Unreachable

Document = dict[str, Any]
MERGE_PATCH = "application/merge-patch+json"
#: Objects per page of a list.
PAGE = 500


class AlreadyExists(CommandFailed):
    """There is an object of this name."""


class Conflict(CommandFailed):
    """Somebody else changed the object since it was read, or it is in a state that does not allow the request."""


class Requests(Protocol):
    """One method per verb. Paths are those of the API server. Raises CommandFailed, by its meaning."""

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Document:
        """Read an object or a page of a list."""

    def post(self, path: str, body: Document) -> Document:
        """Create an object."""

    def patch(self, path: str, body: Document, *, manager: str = "") -> Document:
        """Change an object by a merge patch; `manager` is whose fields they are."""

    def delete(self, path: str, options: Document | None = None) -> Document:
        """Delete an object."""

    def stream_lines(self, path: str, query: Mapping[str, str]) -> Iterator[str]:
        """Yield the lines of an answer as they come, without their ends."""


class ApiRequests:
    """Requests through the synchronous client of the kubernetes package."""

    def __init__(self, client: ApiClient, timeout_seconds: float | None) -> None:
        self._client, self._timeout = client, timeout_seconds

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Document:
        """Read an object or a page of a list."""
        return self._ask("GET", path, query)

    def post(self, path: str, body: Document) -> Document:
        """Create an object."""
        return self._ask("POST", path, body=body)

    def patch(self, path: str, body: Document, *, manager: str = "") -> Document:
        """Change an object by a merge patch."""
        query = {"fieldManager": manager} if manager else None
        return self._ask("PATCH", path, query, body=body, headers={"Content-Type": MERGE_PATCH})

    def delete(self, path: str, options: Document | None = None) -> Document:
        """Delete an object."""
        return self._ask("DELETE", path, body=options)

    def stream_lines(self, path: str, query: Mapping[str, str]) -> Iterator[str]:
        """Yield the lines of an answer as they come; there is no limit on the time between two of them."""
        response = self._send("GET", path, query, timeout=None, accept="*/*")
        rest = b""
        try:
            for piece in response.stream(None):
                *lines, rest = (rest + piece).split(b"\n")
                yield from (line.decode(errors="replace") for line in lines)
        except (HTTPError, OSError) as fault:
            raise self._build_unreachable(fault) from None
        finally:
            response.close()
        if rest:
            yield rest.decode(errors="replace")

    def _ask(
        self,
        verb: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Document | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Document:
        response = self._send(verb, path, query, body=body, headers=headers, timeout=self._timeout)
        document = _parse_document(response.data)
        if document is None:
            raise Unreachable(f"{self._client.configuration.host} answers {verb} {path} without JSON")
        return document

    def _send(
        self,
        verb: str,
        path: str,
        query: Mapping[str, str] | None,
        *,
        timeout: float | None,
        body: Document | None = None,
        headers: Mapping[str, str] | None = None,
        accept: str = "application/json",
    ) -> Any:
        """Return the response of urllib3, its body unread. Raises what a status of 400 and more means."""
        tokens = self._client.configuration.auth_settings().values()
        own = {"Accept": accept, **({"Content-Type": "application/json"} if body is not None else {})}
        try:
            response = self._client.rest_client.request(
                verb,
                self._client.configuration.host + path + (f"?{urlencode(query)}" if query else ""),
                headers={**own, **(headers or {}), **{token["key"]: token["value"] for token in tokens}},
                body=body,
                _request_timeout=timeout,
            ).response
            if response.status >= 400:
                raise_refusal(response.status, response.data)
        except (HTTPError, OSError) as fault:
            raise self._build_unreachable(fault) from None
        return response

    def _build_unreachable(self, fault: Exception) -> Unreachable:
        host = self._client.configuration.host
        return Unreachable(f"{host} does not answer ({fault}): is this the right context, and does the cluster run?")


def raise_refusal(status: int, content: bytes) -> NoReturn:
    """Raise what an answer of 400 and more means; its body is a Status, or a proxy's page."""
    message = str((_parse_document(content) or {}).get("message") or f"the API server answers {status}")
    if status == 401:
        raise Forbidden("The API server does not know who you are: log in again, or use another --context.")
    if status == 403 and (sentence := explain_refusal(message)):
        raise Forbidden(sentence)
    if status == 404:
        raise NotFound(message)
    if status == 409:
        raise AlreadyExists(message) if "already exists" in message else Conflict(message)
    raise Unreachable(message) if status in (429, 502, 503, 504) else CommandFailed(message)


def _parse_document(content: bytes) -> Document | None:
    try:
        document = json.loads(content)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
