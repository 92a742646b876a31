"""One embedded cluster for all files of a worker, and a namespace of its own for each test."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from harness.operator_process import OperatorProcess, write_trainer
from harness.tenant import Tenant, make_namespace
from tweetbot_cluster.cluster import CONTROL_PLANE, EmbeddedCluster

ROOT = Path(__file__).parents[2]
Kubectl = Callable[..., CompletedProcess[str]]
Shell = Callable[[str, Path], str]
#: These take longest and so begin first: a worker that began one of them last would be waited for by all others.
LONGEST = (
    "test_main_job",
    "test_readme",
    "test_operator_runs",
    "test_operator_rights",
    "test_operator_lifecycle",
    "test_operator_faults",
    "test_chart",
    "test_other_containers",
    "test_operator_alone",
    "test_two_operators",
    "test_faults",
    "test_restore",
    "test_process_node",
    "test_embedded_cluster",
)
#: Off by default in this version of Kubernetes.
MUTATING_POLICIES = {
    "kube-apiserver": {
        "feature-gates": "MutatingAdmissionPolicy=true",
        "runtime-config": "admissionregistration.k8s.io/v1beta1=true",
    }
}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first, after chance has ordered all of them and what is in each; `last` is last there."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: (place.get(item.path.stem, len(place)), item.get_closest_marker("last") is not None))


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A trainer that answers at once, and a folder for one of a test's own."""
    folder = tmp_path_factory.mktemp("images")
    (folder / "own").mkdir()
    return {"tweetbot-trainer*": write_trainer(folder / "trainer"), "own-trainer*": folder / "own"}


@pytest.fixture(scope="session")
def home(images: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCluster]:
    """Control plane and process node with the CRD and the operator's rights; no operator.

    A worker's files share it, one after the other; an operator of theirs looks after namespaces of its own, or ends
    with its file.
    """
    folder, parts = tmp_path_factory.mktemp("home"), (*CONTROL_PLANE, "node")
    with EmbeddedCluster(folder, parts=parts, images=images, flags=MUTATING_POLICIES) as cluster:
        cluster.seed()
        yield cluster


@pytest.fixture(scope="session")
def shell() -> Shell:
    """Run a script as a reader would paste it, with a cluster folder of its own: `shell("make demo", folder)`."""
    env = {name: value for name, value in os.environ.items() if name not in {"KUBECONFIG", "MAKEFLAGS", "MAKELEVEL"}}

    def run(script: str, state: Path) -> str:
        command = ["bash", "-euo", "pipefail", "-c", script]
        own = {**env, "TWEETBOT_CLUSTER_STATE": str(state)}
        done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture
def kubectl(home: EmbeddedCluster) -> Kubectl:
    """Run kubectl on the cluster: `kubectl("get", "pods").stdout`; `check=False` lets it fail."""
    return home.kubectl


@pytest.fixture
def namespace(home: EmbeddedCluster) -> Iterator[str]:
    """A fresh namespace, ready for Pods, that goes after the test without being waited for."""
    name = make_namespace(home.api, "test")
    yield name
    home.api.delete(f"/api/v1/namespaces/{name}")


@pytest.fixture(scope="module")
def operator(home: EmbeddedCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """The operator at work on the whole of the cluster."""
    with OperatorProcess(home.operator_kubeconfig, tmp_path_factory.mktemp("operator") / "log") as process:
        yield process


@pytest.fixture
def tenant(home: EmbeddedCluster, operator: OperatorProcess) -> Iterator[Tenant]:
    """A namespace with the Secret that its TweetBots name, under Pod Security restricted."""
    tenant = Tenant(home)
    yield tenant
    tenant.delete()
