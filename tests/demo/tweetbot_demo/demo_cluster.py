"""The cluster that the demo runs on: an embedded one that it starts and stops, or an existing one."""

import base64
import json
import os
import subprocess
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tweetbot_cluster.binaries import find_or_build
from tweetbot_cluster.cluster import OPERATOR, EmbeddedCluster
from tweetbot_demo.screen import Screen

BUCKET = "tweetbot"


class DemoFailed(Exception):
    """The demo cannot continue; the message says why and what to do."""


@dataclass(frozen=True)
class DemoCluster:
    """A cluster, reached by kubectl, and its object store."""

    kubectl: Path
    environment: dict[str, str]
    s3: Any
    operator_log: Path | None = None

    def run(self, *arguments: str, text: str | None = None) -> str:
        """Run kubectl and return its output. Raises DemoFailed with kubectl's message."""
        command = [str(self.kubectl), *arguments]
        done = subprocess.run(command, env=self.environment, input=text, capture_output=True, text=True, check=False)
        if done.returncode:
            raise DemoFailed(f"kubectl {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    def follow(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a kubectl that keeps printing."""
        command = [str(self.kubectl), *arguments]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )


def start_embedded_cluster(stack: ExitStack, state: Path, screen: Screen) -> DemoCluster:
    """Start a cluster in the folder `state`; the stack stops it."""
    cluster = EmbeddedCluster(state, report=screen.print_line)
    binaries = find_or_build(os.environ, screen.print_line)
    started = time.monotonic()
    stack.enter_context(cluster)
    cluster.seed()
    cluster.start(OPERATOR)
    screen.print_line(
        f"A Kubernetes API, a node, an S3 server and the operator run ({time.monotonic() - started:.0f} s)."
    )
    environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}
    return DemoCluster(binaries["kubectl"], environment, cluster.s3(), cluster.logs / f"{OPERATOR}.log")


def use_given_cluster(environment: Mapping[str, str]) -> DemoCluster:
    """Use the cluster of KUBECONFIG, with CRD, operator, and a Secret `s3` in the current namespace.

    AWS_ENDPOINT_URL_S3 is the address of its object store. Raises DemoFailed.
    """
    if "KUBECONFIG" not in environment:
        raise DemoFailed("DEMO_USE_KUBECONFIG=1 needs KUBECONFIG: set it to the file of the cluster to use")
    kubectl = find_or_build(environment, print)["kubectl"]
    place = DemoCluster(kubectl, dict(environment), None)
    secret = json.loads(place.run("get", "secret", "s3", "-o", "json"))["data"]
    return DemoCluster(kubectl, dict(environment), _make_s3_client(secret, environment.get("AWS_ENDPOINT_URL_S3")))


def _make_s3_client(secret: dict[str, str], endpoint: str | None) -> Any:
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=base64.b64decode(secret["AWS_ACCESS_KEY_ID"]).decode(),
        aws_secret_access_key=base64.b64decode(secret["AWS_SECRET_ACCESS_KEY"]).decode(),
    )
