"""One embedded cluster for all integration tests, and a namespace of its own for each."""

import secrets
from collections.abc import Callable, Iterator
from subprocess import CompletedProcess

import pytest

from tweetbot_cluster.cluster import EmbeddedCluster

Kubectl = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCluster]:
    """Control plane, process node and object store with the CRD and the demo's data; no operator."""
    with EmbeddedCluster(tmp_path_factory.mktemp("cluster")) as running:
        running.seed()
        yield running


@pytest.fixture
def kubectl(cluster: EmbeddedCluster) -> Kubectl:
    """Run kubectl on the cluster: `kubectl("get", "pods").stdout`; `check=False` lets it fail."""
    return cluster.kubectl


@pytest.fixture
def namespace(cluster: EmbeddedCluster) -> Iterator[str]:
    """A fresh namespace, ready for Pods, that goes after the test without being waited for."""
    name = f"test-{secrets.token_hex(4)}"
    cluster.kubectl("create", "namespace", name)
    cluster.kubectl("wait", "--for=create", "serviceaccount/default", "-n", name, "--timeout=120s")
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")
