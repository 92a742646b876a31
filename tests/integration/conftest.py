"""One embedded cluster for all integration tests, and a namespace of its own for each."""

import secrets
from collections.abc import Callable, Iterator
from subprocess import CompletedProcess

import pytest

from operator_process import OperatorProcess, write_trainer
from tenant import Tenant
from tweetbot_cluster.cluster import CONTROL_PLANE, EmbeddedCluster

Kubectl = Callable[..., CompletedProcess[str]]
#: These take longest and so begin first: a worker that began one of them last would be waited for by all others.
LONGEST = (
    "test_operator_rights",
    "test_main_job",
    "test_operator_lifecycle",
    "test_operator_faults",
    "test_readme",
    "test_operator_alone",
    "test_operator_runs",
    "test_two_operators",
    "test_operator_kills",
    "test_adoption",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first, after chance has ordered all of them and what is in each."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


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


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCluster]:
    """A cluster of a file's own, without S3, whose trainer image answers at once; no operator."""
    folder = tmp_path_factory.mktemp("home")
    images = {"tweetbot-trainer*": write_trainer(folder / "image")}
    with EmbeddedCluster(folder / "cluster", parts=(*CONTROL_PLANE, "node"), images=images) as cluster:
        cluster.seed()
        yield cluster


@pytest.fixture(scope="module")
def operator(home: EmbeddedCluster) -> Iterator[OperatorProcess]:
    """The operator at work on the whole of such a cluster."""
    with OperatorProcess(home.operator_kubeconfig, home.logs / "operator-under-test.log") as process:
        yield process


@pytest.fixture
def tenant(home: EmbeddedCluster, operator: OperatorProcess) -> Iterator[Tenant]:
    """A namespace with the Secret that its TweetBots name, under Pod Security restricted."""
    tenant = Tenant(home)
    yield tenant
    home.kubectl("delete", "namespace", tenant.namespace, "--wait=false")
