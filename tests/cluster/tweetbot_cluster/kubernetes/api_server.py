"""A small blocking client of the API server, for starting, seeding and looking from tests: plain dicts in and out."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tweetbot_cluster.kubernetes.kubeconfig import connection

Document = dict[str, Any]


class ApiError(Exception):
    """The API server answered with an error; `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class ApiServer:
    """Requests with the user and the server that a kubeconfig of ours names, or as somebody whom that user plays."""

    def __init__(self, kubeconfig: Path, *, played: str = "") -> None:
        self._server, context = connection(kubeconfig)
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        self._headers = {"Impersonate-User": played} if played else {}

    def get(self, path: str) -> Document:
        """Read an object or a list. Raises ApiError."""
        return json.loads(self.request("GET", path)) or {}

    def find(self, path: str) -> Document | None:
        """Read an object, or return None if there is none. Raises ApiError for every other fault."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def apply(self, path: str, document: Document) -> Document:
        """Apply an object by server-side apply as manager `tweetbot-cluster`. Raises ApiError."""
        query = "?fieldManager=tweetbot-cluster&force=true"
        return self._send("PATCH", path + query, document, "application/apply-patch+yaml")

    def node_is_ready(self, name: str) -> bool:
        """Tell whether a Node is there and says that it is Ready."""
        node = self.find(f"/api/v1/nodes/{name}") or {}
        conditions = node.get("status", {}).get("conditions", [])
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    def refusal(self, path: str, document: Document) -> str:
        """Try, without doing it, to create an object without an unknown field; answers what was said against it."""
        try:
            self.create(f"{path}?dryRun=All&fieldValidation=Strict", document)
        except ApiError as error:
            return str(error)
        return ""

    def create(self, path: str, document: Document) -> Document:
        """Create an object in the collection. Raises ApiError."""
        return self._send("POST", path, document, "application/json")

    def delete(self, path: str, options: Document | None = None) -> Document:
        """Delete an object. Raises ApiError."""
        return self._send("DELETE", path, options or {}, "application/json")

    def _send(self, method: str, path: str, document: Document, content_type: str) -> Document:
        body = json.dumps(document).encode()
        return json.loads(self.request(method, path, body, content_type)) or {}

    def answers(self, path: str) -> bool:
        """Whether a GET of the path succeeds; a server that does not listen is a no."""
        try:
            self.request("GET", path)
        except (ApiError, OSError):
            return False
        return True

    def request(self, method: str, path: str, body: bytes | None = None, content_type: str = "") -> str:
        """Send one request and return the answer's body. Raises ApiError, OSError."""
        headers = self._headers | ({"Content-Type": content_type} if content_type else {})
        request = urllib.request.Request(self._server + path, body, headers, method=method)
        try:
            with self._opener.open(request, timeout=30) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            raise ApiError(error.code, _message(error.read().decode(errors="replace"))) from None


def _message(body: str) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body[:500]
