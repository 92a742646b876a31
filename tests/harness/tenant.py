"""One namespace under Pod Security restricted, and what its user does and sees.

Whatever tests do again and again goes straight to the API server, as each kubectl must first learn what it serves.
"""

import secrets
from typing import Any

from builders.manifests import a_manifest
from harness.operator_process import until
from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_cluster.kubernetes.api_server import ApiServer


def make_namespace(api: ApiServer, prefix: str, labels: dict[str, str] | None = None) -> str:
    """Make a namespace that is ready for Pods; answers its name, which begins so."""
    name = f"{prefix}-{secrets.token_hex(4)}"
    metadata = {"name": name, "labels": labels or {}}
    api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    until(lambda: api.find(f"/api/v1/namespaces/{name}/serviceaccounts/default") is not None, 120)
    return name


class Tenant:
    """One namespace and what its user does and sees."""

    def __init__(self, home: EmbeddedCluster) -> None:
        self.namespace = make_namespace(home.api, "team", {"pod-security.kubernetes.io/enforce": "restricted"})
        self._home, self._api = home, home.api
        self.create_secret("s3")

    def __call__(self, *arguments: str, input: str | None = None) -> str:
        return self._home.kubectl("-n", self.namespace, *arguments, input=input).stdout

    def create_secret(self, name: str) -> None:
        keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": keys}
        self._api.create(f"/api/v1/namespaces/{self.namespace}/secrets", secret)

    def apply(self, name: str, mood: str = "well", **spec: Any) -> dict[str, Any]:
        """Apply a TweetBot whose trainer is of this mood, on the server's side as GitOps tools do; answers it.

        A part that is None is left out.
        """
        manifest = a_manifest(
            **{
                "subject": {"handle": f"{mood}_gull"},
                "resources": {"gpu": {"count": 0}, "cpu": "50m", "memory": "64Mi"},
                **spec,
            }
        )
        manifest["metadata"] = {"name": name}
        manifest["spec"] = {part: value for part, value in manifest["spec"].items() if value is not None}
        return self._api.apply(self._path_of(name), manifest)

    def apply_class(self, **spec: Any) -> str:
        """Apply the TweetBotClass of this tenant, which other tenants do not name; answers its name."""
        head = {"apiVersion": "tweetbot.dev/v1alpha1", "kind": "TweetBotClass", "metadata": {"name": self.namespace}}
        self._api.apply(f"/apis/tweetbot.dev/v1alpha1/tweetbotclasses/{self.namespace}", {**head, "spec": spec})
        return self.namespace

    def wait(self, name: str, what: str, seconds: int = 120) -> None:
        """Wait for a condition, `Type` or `Type=False`, or for a reason of Progressing, `reason=Reason`."""
        kind, _, value = what.partition("=")
        jsonpath = "jsonpath={.status.conditions[?(@.type=='Progressing')].reason}="
        form = f"{jsonpath}{value}" if kind == "reason" else f"condition={what}"
        self("wait", f"tweetbot/{name}", f"--for={form}", f"--timeout={seconds}s")

    def wait_for_event(self, words: str, selector: str = "involvedObject.kind=TweetBot") -> None:
        """Wait for an Event: the operator writes them after the status, when it has time to."""
        until(lambda: words in self("get", "events", "--field-selector", selector), 60)

    def delete(self) -> None:
        """Delete the namespace without waiting for its end."""
        self._api.delete(f"/api/v1/namespaces/{self.namespace}")

    def bots(self) -> list[dict[str, Any]]:
        return self._items("/apis/tweetbot.dev/v1alpha1", "tweetbots")

    def bot(self, name: str) -> dict[str, Any]:
        return self._api.get(self._path_of(name))

    def status(self, name: str) -> dict[str, Any]:
        status: dict[str, Any] = self.bot(name)["status"]
        return status

    def reasons(self, name: str) -> dict[str, str]:
        return {each["type"]: each["reason"] for each in self.status(name).get("conditions", [])}

    def jobs(self) -> list[dict[str, Any]]:
        return self._items("/apis/batch/v1", "jobs")

    def pod_phases(self, name: str) -> list[str]:
        """Return the phases of a TweetBot's Pods. (`kubectl wait` on a label fails where no Pod is yet.)"""
        pods = self._items("/api/v1", f"pods?labelSelector=tweetbot.dev%2Fbot%3D{name}")
        return [pod["status"]["phase"] for pod in pods]

    def uids(self) -> list[str]:
        return [job["metadata"]["uid"] for job in self.jobs()]

    def _path_of(self, name: str) -> str:
        return f"/apis/tweetbot.dev/v1alpha1/namespaces/{self.namespace}/tweetbots/{name}"

    def _items(self, group: str, collection: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._api.get(f"{group}/namespaces/{self.namespace}/{collection}")["items"]
        return items
