"""The bench's API client: plain dicts as in the operator, and watches of metadata alone."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from tweetbot_operator.client.requests import ApiRequests

Manifest = dict[str, Any]
_METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
#: Timeout in seconds, for a busy machine.
_TIMEOUT = 300.0


class Api:
    """Requests and watches with the credentials of a kubeconfig."""

    def __init__(self, client: ApiClient, session: aiohttp.ClientSession) -> None:
        self._host, self._session = str(client.configuration.host), session
        self.requests = ApiRequests(client, timeout_seconds=_TIMEOUT)

    async def get_resource_version(self, path: str) -> str:
        """Return the collection's resource version, from which a watch continues."""
        page = await self.requests.get(path, {"limit": "1"})
        return str(page["metadata"]["resourceVersion"])

    async def watch(self, path: str, query: dict[str, str], *, whole: bool = False) -> AsyncIterator[Manifest]:
        """Yield a collection's events for ever; without `whole`, objects have only metadata.

        The API server ends a watch that reads too slowly. It goes on after the last event.
        Raises aiohttp.ClientError, and RuntimeError for an event that is an error.
        """
        accept = "application/json" if whole else _METADATA
        timeout = aiohttp.ClientTimeout(total=None, sock_read=None)
        asked = {**query, "watch": "true", "timeoutSeconds": "7200"}
        while True:
            async with self._session.get(
                self._host + path, params=asked, headers={"Accept": accept}, timeout=timeout
            ) as answer:
                answer.raise_for_status()
                async for line in answer.content:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise RuntimeError(f"the watch of {path} failed: {event['object']}")
                    asked["resourceVersion"] = event["object"]["metadata"]["resourceVersion"]
                    yield event

    async def patch_status(self, path: str, status: Manifest) -> None:
        """Merge a status, as a kubelet does. Raises aiohttp.ClientResponseError."""
        headers = {"Content-Type": "application/merge-patch+json"}
        body = json.dumps({"status": status})
        async with self._session.patch(f"{self._host}{path}/status", data=body, headers=headers) as answer:
            answer.raise_for_status()
            await answer.read()


@asynccontextmanager
async def connect(kubeconfig: Path) -> AsyncIterator[Api]:
    """Connect to the API server of a kubeconfig."""
    settings = Configuration()
    settings.client_session_kwargs = {"trust_env": False}
    await config.load_kube_config(config_file=str(kubeconfig), client_configuration=settings)
    async with (
        ApiClient(settings) as client,
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=client.rest_client.ssl_context, limit=0), read_bufsize=2**20
        ) as session,
    ):
        yield Api(client, session)
