"""What a fresh cluster gets, so that crds/examples/quickstart.yaml runs: CRD, rights, bucket, posts and Secret."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from tweetbot_cluster.kubernetes.api_server import ApiServer
from tweetbot_cluster.kubernetes.rights import operator_rights
from tweetbot_cluster.state import Settings

Kubectl = Callable[..., CompletedProcess[str]]
CUSTOM_RESOURCES = Path(__file__).resolve().parents[3] / "crds"
COLLECTIONS = [f"/apis/tweetbot.dev/v1alpha1/{kind}" for kind in ("tweetbots", "tweetbotclasses")]
PATIENCE = 30  # seconds until a CRD must be served
BUCKET = "tweetbot"
ARCHIVES = "archives"
SECRET = "s3"


class SeedFailed(Exception):
    """The cluster runs but does not take what it is to be seeded with."""


def install_custom_resource(kubectl: Kubectl, api: ApiServer) -> None:
    """Apply the CRDs and wait until the API server serves them. Raises KubectlFailed, SeedFailed."""
    kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CUSTOM_RESOURCES))
    deadline = time.monotonic() + PATIENCE
    while not all(map(api.answers, COLLECTIONS)):  # `kubectl wait` fails on a CRD that has no conditions at all yet
        if time.monotonic() > deadline:
            raise SeedFailed(f"the API server has the CRDs but does not serve all of {COLLECTIONS}")
        time.sleep(0.05)


def grant_rights(kubectl: Kubectl) -> None:
    """Let the operator do what the chart lets it. Raises KubectlFailed."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": operator_rights()})
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", input=text)


def put_secret(api: ApiServer, settings: Settings, namespace: str) -> None:
    """Put the object store's key into the Secret that the examples name."""
    keys = {"AWS_ACCESS_KEY_ID": settings.s3_access_key, "AWS_SECRET_ACCESS_KEY": settings.s3_secret_key}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET}, "stringData": keys}
    api.apply(f"/api/v1/namespaces/{namespace}/secrets/{SECRET}", secret)


def fill_bucket(s3: Any) -> str:
    """Make the bucket and upload the demo's archive unless it is there; answers the archive's URI."""
    from tweetbot_demo.archive import HANDLE, write_archive

    key = f"{ARCHIVES}/{HANDLE}.zip"
    if BUCKET not in (each["Name"] for each in s3.list_buckets()["Buckets"]):
        s3.create_bucket(Bucket=BUCKET)
    if not s3.list_objects_v2(Bucket=BUCKET, Prefix=key).get("KeyCount"):
        with tempfile.TemporaryDirectory() as folder:
            archive = write_archive(Path(folder) / "archive.zip").path
            s3.upload_file(str(archive), BUCKET, key)
    return f"s3://{BUCKET}/{key}"
