"""What users do with a TweetBot on a real cluster, with a trainer that answers at once or stays, by its mood."""

from collections.abc import Callable
from typing import Any

from builders.manifests import a_manifest
from harness.operator_process import until
from harness.tenant import make_namespace
from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_cluster.kubernetes.api_server import ApiError

#: Seconds for a step, with a fault in it, on a machine that is busy.
PATIENCE = 150
NAME = "gull"


class User:
    """One namespace and what its user does there; `look_after` is called in every pause."""

    def __init__(self, home: EmbeddedCluster, look_after: Callable[[], None] = lambda: None) -> None:
        self.namespace = make_namespace(home.api, "f")
        self._api, self._look_after = home.api, look_after
        self._path = f"/apis/tweetbot.dev/v1alpha1/namespaces/{self.namespace}/tweetbots"
        self.wish: dict[str, Any] = {}
        keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s3"}, "stringData": keys}
        self._api.create(f"/api/v1/namespaces/{self.namespace}/secrets", secret)

    def apply(self, mood: str = "well", **spec: Any) -> None:
        small = {"gpu": {"count": 0}, "cpu": "50m", "memory": "64Mi"}
        manifest = a_manifest(**{"subject": {"handle": f"{mood}_gull"}, "resources": small, **spec})
        manifest["metadata"] = {"name": NAME, "labels": {"team": "harbour"}}
        stored = self._api.apply(f"{self._path}/{NAME}", manifest)
        self.wish = {"spec": stored["spec"], "labels": stored["metadata"]["labels"]}

    def delete(self) -> None:
        self._api.delete(f"{self._path}/{NAME}")

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something. Raises TimeoutError."""

        def holds_now() -> bool:
            self._look_after()
            return holds()

        until(holds_now, PATIENCE, pause=0.3)

    def until_phase(self, phase: str) -> None:
        self.until(lambda: self.status().get("phase") == phase)

    def status(self) -> dict[str, Any]:
        found = self._api.find(f"{self._path}/{NAME}") or {}
        status: dict[str, Any] = found.get("status") or {}
        return status

    def is_gone(self) -> bool:
        return self._api.find(f"{self._path}/{NAME}") is None

    def jobs(self) -> list[dict[str, Any]]:
        jobs: list[dict[str, Any]] = self._api.get(f"/apis/batch/v1/namespaces/{self.namespace}/jobs")["items"]
        return jobs

    def until_training(self) -> None:
        """Wait until the trainer runs."""
        path = f"/api/v1/namespaces/{self.namespace}/pods"
        self.until(lambda: any(pod["status"]["phase"] == "Running" for pod in self._api.get(path)["items"]))

    def close(self) -> None:
        """Delete the namespace without waiting for its end."""
        try:
            self._api.delete(f"/api/v1/namespaces/{self.namespace}")
        except (ApiError, OSError):
            return


def succeed(user: User, **spec: Any) -> None:
    user.apply(**spec)
    user.until(lambda: user.status().get("phase") == "Succeeded" and user.jobs() == [])


def fail(user: User) -> None:
    user.apply("refused")
    user.until_phase("Failed")


def edit(user: User) -> None:
    user.apply("slow")
    user.until_training()
    succeed(user, training={"epochs": 2})


def suspend(user: User) -> None:
    user.apply("slow")
    user.until_training()
    user.apply("slow", suspend=True)
    user.until(lambda: user.status().get("phase") == "Suspended" and user.jobs() == [])
    succeed(user)


def delete(user: User) -> None:
    user.apply("slow")
    user.until_training()
    user.delete()
    user.until(lambda: user.is_gone() and user.jobs() == [])


def recreate(user: User) -> None:
    user.apply("slow")
    user.until_training()
    user.delete()
    succeed(user)


def erase(user: User) -> None:
    succeed(user, deletionPolicy="Delete")
    user.delete()
    user.until(lambda: user.is_gone() and len(user.jobs()) == 1)  # the erasure's own stays for its time


Script = Callable[[User], None]
SCRIPTS: dict[str, Script] = {each.__name__: each for each in (succeed, fail, edit, suspend, delete, recreate, erase)}
