"""ConfigMaps in memory, as requests reach them: versions, conflicts, and faults on request."""

from typing import Any

from tweetbot_operator.client.errors import AlreadyExists, ApiError, Conflict, NotFound
from tweetbot_operator.client.requests import ApiRequests

Manifest = dict[str, Any]


class FakeConfigMaps(ApiRequests):
    """What the API server keeps, by name; `faults` are raised by the next requests, one each."""

    def __init__(self) -> None:
        self.kept: dict[str, Manifest] = {}
        self.requests: list[str] = []
        self.faults: list[ApiError] = []
        self._version = 0

    async def get(self, path: str, query: Any = None, accept: str = "") -> Manifest:
        name = self._note("get", path.rpartition("/")[2])
        if name not in self.kept:
            raise NotFound(name)
        return self.kept[name]

    async def post(self, path: str, body: Manifest, query: Any = None) -> Manifest:
        name = self._note("create", body["metadata"]["name"])
        if name in self.kept:
            raise AlreadyExists(name)
        return self._keep(name, body)

    async def put(self, path: str, body: Manifest) -> Manifest:
        name = self._note("update", body["metadata"]["name"])
        if name not in self.kept:
            raise NotFound(name)
        if self.kept[name]["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"]:
            raise Conflict(name)
        return self._keep(name, body)

    def _note(self, verb: str, name: str) -> str:
        self.requests.append(f"{verb} {name}")
        if self.faults:
            raise self.faults.pop(0)
        return name

    def _keep(self, name: str, body: Manifest) -> Manifest:
        self._version += 1
        self.kept[name] = {**body, "metadata": {**body["metadata"], "resourceVersion": str(self._version)}}
        return self.kept[name]
