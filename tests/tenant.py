"""One namespace under Pod Security restricted, and what its user does and sees."""

import json
import secrets
from typing import Any

from builders import a_manifest
from tweetbot_cluster.cluster import EmbeddedCluster


class Tenant:
    """One namespace and what its user does and sees."""

    def __init__(self, home: EmbeddedCluster) -> None:
        self.namespace = f"team-{secrets.token_hex(4)}"
        self._home = home
        home.kubectl("create", "namespace", self.namespace)
        home.kubectl("label", "namespace", self.namespace, "pod-security.kubernetes.io/enforce=restricted")
        self("wait", "--for=create", "serviceaccount/default", "--timeout=30s")
        self.create_secret("s3")

    def __call__(self, *arguments: str, input: str | None = None) -> str:
        return self._home.kubectl("-n", self.namespace, *arguments, input=input).stdout

    def create_secret(self, name: str) -> None:
        keys = ("AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=secret")
        self("create", "secret", "generic", name, *(f"--from-literal={key}" for key in keys))

    def apply(self, name: str, mood: str = "well", **spec: Any) -> None:
        """Apply a TweetBot whose trainer is of this mood."""
        manifest = a_manifest(
            **{
                "subject": {"handle": f"{mood}_gull"},
                "resources": {"gpu": {"count": 0}, "cpu": "50m", "memory": "64Mi"},
                **spec,
            }
        )
        manifest["metadata"] = {"name": name}
        self("apply", "-f", "-", input=json.dumps(manifest))

    def wait(self, name: str, what: str, seconds: int = 120) -> None:
        """Wait for a condition, `Type` or `Type=False`, or for a reason of Progressing, `reason=Reason`."""
        kind, _, value = what.partition("=")
        jsonpath = "jsonpath={.status.conditions[?(@.type=='Progressing')].reason}="
        form = f"{jsonpath}{value}" if kind == "reason" else f"condition={what}"
        self("wait", f"tweetbot/{name}", f"--for={form}", f"--timeout={seconds}s")

    def status(self, name: str) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self("get", "tweetbot", name, "-o", "json"))["status"]
        return status

    def reasons(self, name: str) -> dict[str, str]:
        return {each["type"]: each["reason"] for each in self.status(name).get("conditions", [])}

    def jobs(self) -> list[dict[str, Any]]:
        jobs: list[dict[str, Any]] = json.loads(self("get", "jobs", "-o", "json"))["items"]
        return jobs

    def pod_phases(self, name: str) -> list[str]:
        """Return the phases of a TweetBot's Pods. (`kubectl wait` on a label fails where no Pod is yet.)"""
        phases = "jsonpath={.items[*].status.phase}"
        return self("get", "pods", "-l", f"tweetbot.dev/bot={name}", "-o", phases).split()

    def uids(self) -> list[str]:
        return [job["metadata"]["uid"] for job in self.jobs()]
