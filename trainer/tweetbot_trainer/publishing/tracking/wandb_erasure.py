"""Delete a run at Weights & Biases, with its tables and artifacts, by the queries of the client's own `Run.delete`.

Not by the client: it says "not found" of a run that is gone and of a project that the key may not see alike.
"""

import http.client
import urllib.error
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from tweetbot_contract.reasons import NOT_AUTHORIZED, TRACKING_DEGRADED
from tweetbot_trainer.publishing.tracking.mode import query_server
from tweetbot_trainer.runtime.certificates import find_server_fault
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused, StageError, TemporaryError

PUBLIC_SERVER = "https://api.wandb.ai"
#: Seconds that an answer may take.
ANSWER_TIMEOUT = 15.0
_FIND = """query Run($project: String!, $entity: String!, $name: String!) {
  project(name: $project, entityName: $entity) { run(name: $name) { id } }
}"""
_DELETE = """mutation DeleteRun($id: ID!, $deleteArtifacts: Boolean) {
  deleteRun(input: {id: $id, deleteArtifacts: $deleteArtifacts}) { clientMutationId }
}"""


@dataclass(frozen=True, slots=True)
class TrackingServer:
    """A server of Weights & Biases and a key for it, which is not sent elsewhere. `key_place` says where it is from."""

    base_url: str
    api_key: str
    key_place: str

    def delete_run(self, url: str) -> None:
        """Delete the run with this page and what it logged, unless it is gone. Raises StageError."""
        entity, project, name = self._parse(url)
        if not self.api_key:
            raise NotAuthorized(NOT_AUTHORIZED, f"there is no API key for it: {self.key_place}, or delete it there")
        found = self._ask(_FIND, "Run", {"entity": entity, "project": project, "name": name}).get("project")
        if found is None:
            message = f"the key cannot see the project {entity}/{project}: {self.key_place}, or delete it there"
            raise NotAuthorized(NOT_AUTHORIZED, message)
        if run := found.get("run"):
            self._ask(_DELETE, "DeleteRun", {"id": run["id"], "deleteArtifacts": True})

    def _parse(self, url: str) -> tuple[str, str, str]:
        """Return entity, project and name of a run. Raises SpecRefused for a page of another server."""
        page, base = urlsplit(url), urlsplit(self.base_url)
        host = base.netloc.removeprefix("api.")
        path = [unquote(step) for step in page.path.strip("/").split("/")]
        if page.netloc not in (base.netloc, host, f"app.{host}") or len(path) != 4 or path[2] != "runs":
            message = f"it is not at {self.base_url}, the server of the key: delete it there"
            raise SpecRefused(TRACKING_DEGRADED, message)
        return path[0], path[1], path[3]

    def _ask(self, query: str, name: str, variables: dict[str, Any]) -> dict[str, Any]:
        try:
            content = query_server(self.base_url, self.api_key, query, name, variables, timeout=ANSWER_TIMEOUT)
        except (OSError, ValueError, RecursionError, http.client.HTTPException) as error:
            raise self._translate(error) from error
        if errors := content.get("errors"):
            said = " ".join(str(errors).split())[:200]
            raise NotAuthorized(NOT_AUTHORIZED, f"{self.base_url} does not let the key delete it ({said})")
        return content.get("data") or {}

    def _translate(self, error: Exception) -> StageError:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
            if error.code in (401, 403):
                message = f"{self.base_url} refuses the API key ({error.code}): {self.key_place}, or delete it there"
                return NotAuthorized(NOT_AUTHORIZED, message)
            return TemporaryError(TRACKING_DEGRADED, f"{self.base_url} answered {error.code}")
        if fault := find_server_fault(error, self.base_url):
            return fault
        if isinstance(error, OSError | http.client.HTTPException):
            return TemporaryError(TRACKING_DEGRADED, f"{self.base_url} does not answer ({type(error).__name__})")
        return SpecRefused(TRACKING_DEGRADED, f"{self.base_url} is not Weights & Biases ({type(error).__name__})")
