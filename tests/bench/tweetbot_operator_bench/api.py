"""The bench's own way to the API server: plain dicts as in the operator, and watches that carry metadata alone."""

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
#: Seconds until a request that the measured machine is too busy for counts as lost.
_PATIENCE = 300.0


class Api:
    """Requests and watches with the rights of a kubeconfig."""

    def __init__(self, client: ApiClient, session: aiohttp.ClientSession) -> None:
        self._host, self._session = str(client.configuration.host), session
        self.requests = ApiRequests(client, timeout_seconds=_PATIENCE)

    async def position(self, path: str) -> str:
        """Return the resource version from which a watch of the collection shows what comes next."""
        page = await self.requests.get(path, {"limit": "1"})
        return str(page["metadata"]["resourceVersion"])

    async def watch(self, path: str, query: dict[str, str], *, whole: bool = False) -> AsyncIterator[Manifest]:
        """Yield the events of a collection for ever; without `whole` their objects have nothing but metadata."""
        accept = "application/json" if whole else _METADATA
        begun = {**query, "watch": "true", "timeoutSeconds": "7200"}
        timeout = aiohttp.ClientTimeout(total=None, sock_read=None)
        async with self._session.get(self._host + path, params=begun, headers={"Accept": accept}, timeout=timeout) as r:
            r.raise_for_status()
            async for line in r.content:
                yield json.loads(line)

    async def patch_status(self, path: str, status: Manifest) -> None:
        """Merge a status, as a kubelet does. Raises aiohttp.ClientResponseError."""
        headers = {"Content-Type": "application/merge-patch+json"}
        body = json.dumps({"status": status})
        async with self._session.patch(f"{self._host}{path}/status", data=body, headers=headers) as answer:
            answer.raise_for_status()
            await answer.read()


@asynccontextmanager
async def api_of(kubeconfig: Path) -> AsyncIterator[Api]:
    """Yield the API of a kubeconfig."""
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
