"""A tenant on the real node: a namespace under Pod Security "restricted", and what its people type."""

import secrets
from typing import Any

import yaml

from e2e.terminal import ROOT, Terminal
from tweetbot_cluster.cluster import EmbeddedCluster

QUICKSTART = ROOT / "crds" / "examples" / "quickstart.yaml"
REASON = "jsonpath={.status.conditions[?(@.type=='Progressing')].reason}"
#: Passes over the demo's posts that take minutes on one processor: there is time to interrupt one.
LONG = {"epochs": 100, "earlyStopping": False}


class Team:
    """A namespace with the Secret `s3`; TweetBots here are the quickstart's, under other names."""

    def __init__(self, cluster: EmbeddedCluster, type: Terminal, namespace: str = "") -> None:
        self.namespace = namespace or f"team-{secrets.token_hex(3)}"
        self._cluster = cluster
        self._type = type
        type(f"kubectl create namespace {self.namespace}")
        type(f"kubectl label namespace {self.namespace} pod-security.kubernetes.io/enforce=restricted")
        type(f"kubectl -n {self.namespace} wait --for=create serviceaccount/default --timeout=60s")
        self.put_secret("s3")

    def __call__(self, command: str, *, input: str | None = None, check: bool = True, keep: bool = True) -> str:
        """Type a kubectl command in the namespace."""
        return self._type(f"kubectl -n {self.namespace} {command}", input=input, check=check, keep=keep)

    def put_secret(self, name: str) -> None:
        """Create a Secret with the object store's keys, which the shell has as variables."""
        keys = '--from-literal=AWS_ACCESS_KEY_ID="$ACCESS_KEY" --from-literal=AWS_SECRET_ACCESS_KEY="$SECRET_KEY"'
        self(f"create secret generic {name} {keys}")

    def manifest(self, name: str, **spec: Any) -> str:
        """Return the quickstart's manifest under a name, changed, for a node without a GPU and this object store."""
        manifest = yaml.safe_load(QUICKSTART.read_text(encoding="utf-8"))
        manifest["metadata"]["name"] = name
        manifest["spec"] |= spec
        manifest["spec"]["resources"]["gpu"] = {"count": 0}
        manifest["spec"]["output"]["s3"]["endpoint"] = self._cluster.s3_endpoint
        return yaml.safe_dump(manifest, sort_keys=False)

    def apply(self, name: str, **spec: Any) -> None:
        """Apply such a TweetBot."""
        self("apply -f -", input=self.manifest(name, **spec))

    def wait(self, name: str, what: str, seconds: int = 600) -> None:
        """Wait for a condition, or for `reason=…` of Progressing."""
        form = f"{REASON}={what.removeprefix('reason=')}" if what.startswith("reason=") else f"condition={what}"
        self(f'wait tweetbot/{name} --for="{form}" --timeout={seconds}s')

    def field(self, kind: str, path: str, selector: str = "") -> list[str]:
        """Return a field of each object of a kind, in the order of their making."""
        chosen = f"-l {selector} " if selector else ""
        return self(
            f"get {kind} {chosen}--sort-by=.metadata.creationTimestamp -o jsonpath='{{.items[*]{path}}}'"
        ).split()
