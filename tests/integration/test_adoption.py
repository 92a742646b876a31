"""A cluster rebuilt from Git trains nothing again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders import a_manifest
from tweetbot_cluster.cluster import OPERATOR, EmbeddedCluster

TINY = {
    "sources": [{"archive": {"uri": "s3://tweetbot/archives/harbour_gull.zip"}}],
    "output": {"s3": {"uri": "s3://tweetbot/models", "credentialsSecret": {"name": "s3"}}},
    "model": {"base": "scratch://mini"},
    "training": {"epochs": 1},
    "tracking": {"wandb": {"mode": "Disabled"}},
    "resources": {"gpu": {"count": 0}, "cpu": "1", "memory": "1Gi"},
}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[EmbeddedCluster]:
    """A cluster with the demo's data in it and the operator at work."""
    with EmbeddedCluster(tmp_path) as cluster:
        cluster.seed()
        cluster.start(OPERATOR)
        yield cluster


def status_when_ready(home: EmbeddedCluster) -> dict[str, Any]:
    manifest = {**a_manifest(**TINY), "metadata": {"name": "gull"}}
    home.kubectl("apply", "-f", "-", input=yaml.safe_dump(manifest))
    home.kubectl("wait", "--for=condition=ModelReady", "tweetbot/gull", "--timeout=300s")
    found = home.kubectl("get", "tweetbot", "gull", "-o", "json").stdout
    status: dict[str, Any] = json.loads(found)["status"]
    return status


def test_an_emptied_cluster_adopts_what_its_bucket_holds(home: EmbeddedCluster) -> None:
    before = status_when_ready(home)
    home.forget_objects()
    after = status_when_ready(home)
    reasons = {condition["type"]: condition["reason"] for condition in after["conditions"]}
    assert (reasons["ModelReady"], after["model"]["digest"]) == ("Adopted", before["model"]["digest"])
    jobs = home.kubectl("get", "jobs", "-o", "name").stdout.split()
    assert [job for job in jobs if job.endswith("-train")] == []
