"""The node's door to the API server: plain dicts, one watch, and errors by name."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol, cast

import aiohttp

from tweetbot_cluster.kubernetes.kubeconfig import connection

Document = dict[str, Any]
STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"


class Refused(Exception):
    """The API server answered with an error; `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Unreachable(Exception):
    """The API server does not answer or says that it cannot now; trying again will help."""


class Objects(Protocol):
    """What a container's setting-up needs of the API server."""

    async def get(self, path: str) -> Document:
        """Read an object or a list. Raises Refused, Unreachable."""

    async def create(self, path: str, document: Document) -> Document:
        """Create an object in the collection. Raises Refused, Unreachable."""


class NodeApi:
    """Requests as the node's own user. An async context manager, as it holds connections."""

    def __init__(self, kubeconfig: Path) -> None:
        self._server, context = connection(kubeconfig)
        connector = aiohttp.TCPConnector(ssl=context, limit=0)
        self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30))

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def get(self, path: str) -> Document:
        """Read an object or a list. Raises Refused, Unreachable."""
        return await self._send("GET", path)

    async def create(self, path: str, document: Document) -> Document:
        """Create an object in the collection. Raises Refused, Unreachable."""
        return await self._send("POST", path, document)

    async def patch(self, path: str, document: Document, kind: str = STRATEGIC) -> Document:
        """Patch an object. Raises Refused, Unreachable."""
        return await self._send("PATCH", path, document, kind)

    async def delete(self, path: str, options: Document) -> Document:
        """Delete an object. Raises Refused, Unreachable."""
        return await self._send("DELETE", path, options)

    async def _send(
        self, method: str, path: str, document: Document | None = None, content_type: str = "application/json"
    ) -> Document:
        body = None if document is None else json.dumps(document)
        headers = {"Content-Type": content_type} if body else {}
        try:
            async with self._session.request(method, self._server + path, data=body, headers=headers) as answer:
                content = json.loads(await answer.read())
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Unreachable(f"{method} {path}: {error!r}") from None
        if answer.status == 429 or answer.status >= 500:
            raise Unreachable(f"{method} {path}: {answer.status} {content.get('message')}")
        if answer.status >= 400:
            raise Refused(answer.status, str(content.get("message")))
        return cast(Document, content)

    async def watch(self, path: str, version: str) -> AsyncIterator[Document]:
        """Yield watch events after a resource version until the server ends the watch. Raises Refused, Unreachable."""
        url = f"{self._server}{path}&watch=1&allowWatchBookmarks=true&resourceVersion={version}&timeoutSeconds=300"
        timeout = aiohttp.ClientTimeout(total=None, sock_read=330)
        try:
            async with self._session.get(url, timeout=timeout) as answer:
                if answer.status >= 400:
                    raise Refused(answer.status, await answer.text())
                async for line in _lines(answer.content):
                    yield json.loads(line)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unreachable(f"watch {path}: {error!r}") from None


async def _lines(stream: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Yield whole lines of any length; the reader's own `readline` refuses long ones."""
    rest = b""
    async for chunk in stream.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line


async def persistently(request: Any, *, first_delay: float = 0.5) -> Any:
    """Await `request()` again and again, with growing pauses, while the API server is unreachable."""
    delay = first_delay
    while True:
        try:
            return await request()
        except Unreachable:
            await asyncio.sleep(delay)
            delay = min(delay * 2, 10)
