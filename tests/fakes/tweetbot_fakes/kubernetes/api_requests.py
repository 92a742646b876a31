"""The API server as `kubectl tweetbot` meets it: documents by their path, rights that a test takes away, and logs."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from tweetbot_kubectl.cluster.requests import Document, raise_refusal
from tweetbot_kubectl.failures import Unreachable

_BOTS = "/apis/tweetbot.dev/v1alpha1/namespaces/{}/tweetbots"
_COLLECTIONS = {
    "TweetBot": _BOTS,
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
    "Pod": "/api/v1/namespaces/{}/pods",
    "Event": "/api/v1/namespaces/{}/events",
    "TweetBotClass": "/apis/tweetbot.dev/v1alpha1/tweetbotclasses",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "ResourceQuota": "/api/v1/namespaces/{}/resourcequotas",
    "LimitRange": "/api/v1/namespaces/{}/limitranges",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "Lease": "/apis/coordination.k8s.io/v1/namespaces/{}/leases",
    "Node": "/api/v1/nodes",
}


class FakeApi:
    """Answers requests from `documents`; `sent` has what was written, as verb, path and body."""

    def __init__(self, *documents: Document) -> None:
        self.documents: dict[str, Document] = {}
        self.logs: dict[str, list[str]] = {}
        self.forbidden: set[tuple[str, str]] = set()
        self.away = False
        self.without_kind = False
        self.sent: list[tuple[str, str, Any]] = []
        for document in documents:
            self.add(document)

    def add(self, document: Document) -> None:
        """Store an object, by its kind, namespace and name."""
        metadata = document["metadata"]
        collection = _COLLECTIONS[document["kind"]].format(metadata.get("namespace", "default"))
        self.documents[f"{collection}/{metadata['name']}"] = document

    def forbid(self, verb: str, resource: str) -> None:
        """Take a right away, as `list`, `pods`."""
        self.forbidden.add((verb, resource))

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Document:
        collection = path.rpartition("/")[2] in {name.rpartition("/")[2] for name in _COLLECTIONS.values()}
        self._check("list" if collection else "get", path)
        if path == "/apis/tweetbot.dev/v1alpha1":
            return {"resources": [{"name": "tweetbots"}, {"name": "tweetbots/status"}]}
        if collection:
            return {"items": [each for each in self._list(path) if _matches(each, query or {})], "metadata": {}}
        return self._find(path)

    def post(self, path: str, body: Document) -> Document:
        if path.endswith("/selfsubjectaccessreviews"):
            asked = body["spec"]["resourceAttributes"]
            resource = "/".join(filter(None, (asked["resource"], asked["subresource"])))
            return {"status": {"allowed": (asked["verb"], resource) not in self.forbidden}}
        self._check("create", path)
        name = f"{path}/{body['metadata']['name']}"
        if name in self.documents:
            _refuse(409, f'"{body["metadata"]["name"]}" already exists')
        self.sent.append(("POST", path, body))
        self.documents[name] = body
        return body

    def patch(self, path: str, body: Document, *, manager: str = "") -> Document:
        self._check("patch", path)
        wanted = body.get("metadata", {}).get("resourceVersion")
        if wanted and wanted != self._find(path)["metadata"].get("resourceVersion"):
            _refuse(409, "the object has been modified")
        self.sent.append(("PATCH", path, body))
        self.documents[path] = _merge(self._find(path), body)
        return self.documents[path]

    def delete(self, path: str, options: Document | None = None) -> Document:
        self._check("delete", path)
        self.sent.append(("DELETE", path, options))
        found = self._find(path)
        del self.documents[path]
        return found

    def stream_lines(self, path: str, query: Mapping[str, str]) -> Iterator[str]:
        self._check("get", path)
        pod = path.split("/")[-2]
        if pod not in self.logs:
            _refuse(404, f'pods "{pod}" not found')
        return iter(self.logs[pod])

    def _find(self, path: str) -> Document:
        if path not in self.documents:
            _refuse(404, f'"{path.rpartition("/")[2]}" not found')
        return deepcopy(self.documents[path])

    def _list(self, path: str) -> list[Document]:
        everywhere = "/namespaces/" not in path
        found = [
            document
            for name, document in sorted(self.documents.items())
            if (_drop_namespace(name) if everywhere else name).rpartition("/")[0] == path
        ]
        return deepcopy(found)

    def _check(self, verb: str, path: str) -> None:
        if self.away:
            raise Unreachable("https://127.0.0.1:6443 does not answer")
        parts = _drop_namespace(path).strip("/").split("/")
        group, names = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
        resource = "/".join(name for index, name in enumerate(names) if index != 1)
        if self.without_kind and group == "tweetbot.dev":
            _refuse(404, "the server could not find the requested resource")
        if (verb, resource) in self.forbidden:
            where = (
                f' in the namespace "{path.split("/namespaces/")[1].split("/")[0]}"' if "/namespaces/" in path else ""
            )
            who = f'{resource} is forbidden: User "eve" cannot {verb} resource "{resource}" in API group "{group}"'
            _refuse(403, f"{who}{where if where else ' at the cluster scope'}")


def _drop_namespace(path: str) -> str:
    head, found, rest = path.partition("/namespaces/")
    return f"{head}/{rest.partition('/')[2]}" if found else path


def _matches(document: Document, query: Mapping[str, str]) -> bool:
    labels, about = document["metadata"].get("labels", {}), document.get("involvedObject", {})
    wanted = (pair.split("=", 1) for pair in filter(None, query.get("labelSelector", "").split(",")))
    fields = (pair.split("=", 1) for pair in filter(None, query.get("fieldSelector", "").split(",")))
    return all(labels.get(name) == value for name, value in wanted) and all(
        about.get(name.removeprefix("involvedObject.")) == value for name, value in fields
    )


def _merge(document: Document, patch: Document) -> Document:
    for name, value in patch.items():
        if value is None:
            document.pop(name, None)
        elif isinstance(value, dict):
            document[name] = _merge(document.get(name) or {}, value)
        else:
            document[name] = value
    return document


def _refuse(status: int, message: str) -> None:
    raise_refusal(status, json.dumps({"kind": "Status", "message": message}).encode())
