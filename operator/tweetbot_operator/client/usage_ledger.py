"""Keeps what runs have used where no tenant can write: in a few ConfigMaps of the operator's own namespace.

There is a fixed number of them, so that the operator's role can name each. A namespace's part stays in the same one.
"""

import json
import zlib
from typing import Any

from tweetbot_operator.client.errors import NotFound
from tweetbot_operator.client.requests import ApiRequests

#: How many there are; a role of the chart names them. Each may hold 1 MiB, some 25,000 runs.
SHARDS = 8
#: What was used, by namespace.
Parts = dict[str, Any]


def find_shard(namespace: str) -> int:
    """Return where a namespace's part is."""
    return zlib.crc32(namespace.encode()) % SHARDS


class UsageLedger:
    """Reads and writes the ConfigMaps. Raises Unavailable, Rejected, NotLeader."""

    def __init__(self, api: ApiRequests, namespace: str, prefix: str) -> None:
        self._api, self._namespace, self._prefix = api, namespace, prefix
        self._collection = f"/api/v1/namespaces/{namespace}/configmaps"
        self._versions: dict[int, str] = {}

    async def read(self, shard: int) -> Parts:
        """Read the parts of one; nothing if it does not exist. What cannot be parsed was not written by us."""
        try:
            found = await self._api.get(f"{self._collection}/{self._get_name(shard)}")
        except NotFound:
            self._versions.pop(shard, None)
            return {}
        self._versions[shard] = found["metadata"]["resourceVersion"]
        return {name: part for name, text in (found.get("data") or {}).items() if (part := _parse(text))}

    async def write(self, shard: int, parts: Parts) -> None:
        """Create one, or replace exactly the version that was read. Raises AlreadyExists, Conflict, NotFound."""
        version = self._versions.pop(shard, "")
        metadata = {"name": self._get_name(shard), "namespace": self._namespace}
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {**metadata, **({"resourceVersion": version} if version else {})},
            "data": {name: json.dumps(part, separators=(",", ":")) for name, part in parts.items()},
        }
        if version:
            answer = await self._api.put(f"{self._collection}/{self._get_name(shard)}", body)
        else:
            answer = await self._api.post(self._collection, body)
        self._versions[shard] = answer["metadata"]["resourceVersion"]

    def knows(self, shard: int) -> bool:
        """Tell whether the version is known that a write would replace."""
        return shard in self._versions

    def _get_name(self, shard: int) -> str:
        return f"{self._prefix}-usage-{shard}"


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
