"""One embedded cluster with Kueue for all tests here, with the queues that docs/queues.md offers."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.operator_process import OperatorProcess, write_trainer
from harness.tenant import Tenant
from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_cluster.kubernetes.kueue import Kueue

QUEUES = Path(__file__).parents[2] / "integrations" / "kueue" / "queues.yaml"
#: The operator asks Kueue why a run waits.
ASKING = {"TWEETBOT_KUEUE_VERSION": "v1beta2"}


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCluster]:
    """A cluster whose image `quick-trainer` answers at once; `tweetbot-trainer` is the real one."""
    folder = tmp_path_factory.mktemp("kueue")
    images = {"quick-trainer*": write_trainer(folder / "image")}
    with EmbeddedCluster(folder / "cluster", images=images) as cluster:
        cluster.seed()
        yield cluster


@pytest.fixture(scope="session")
def kueue(home: EmbeddedCluster) -> Iterator[Kueue]:
    """Kueue itself, with one place for a training: one GPU."""
    kueue = Kueue(home)
    kueue.install()
    kueue.start()
    home.kubectl("apply", "-f", str(QUEUES))
    grant = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "tweetbot-operator-workloads"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "tweetbot-operator-workloads",
        },
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "tweetbot-operator"}],
    }
    home.kubectl("apply", "-f", "-", input=json.dumps(grant))
    yield kueue
    kueue.stop()


@pytest.fixture
def operator(home: EmbeddedCluster, kueue: Kueue) -> Iterator[OperatorProcess]:
    """The operator, whose trainers answer at once."""
    env = {**ASKING, "TWEETBOT_TRAINER_IMAGE": "quick-trainer:1"}
    with OperatorProcess(home.operator_kubeconfig, home.logs / "operator-under-test.log", env) as process:
        yield process


@pytest.fixture
def tenant(home: EmbeddedCluster, kueue: Kueue) -> Iterator[Tenant]:
    """A namespace with a queue of its own, `gpus`, that has room for one Pod of the tests' size."""
    tenant = Tenant(home)
    tenant(
        "apply", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": queues_of(tenant.namespace)})
    )
    yield tenant
    home.kubectl("delete", "namespace", tenant.namespace, "--wait=false")
    home.kubectl("delete", "clusterqueue", tenant.namespace, "--wait=false")


def queues_of(namespace: str) -> list[dict[str, object]]:
    """Return a ClusterQueue for this namespace alone, with one processor core in it, and the LocalQueue to it."""
    kueue = {"apiVersion": "kueue.x-k8s.io/v1beta2"}
    quota = [{"name": "cpu", "nominalQuota": "1"}, {"name": "memory", "nominalQuota": "64Gi"}]
    spec = {
        "namespaceSelector": {},
        "preemption": {"withinClusterQueue": "LowerPriority"},
        "resourceGroups": [
            {"coveredResources": ["cpu", "memory"], "flavors": [{"name": "any-node", "resources": quota}]}
        ],
    }
    return [
        {**kueue, "kind": "ClusterQueue", "metadata": {"name": namespace}, "spec": spec},
        {**kueue, "kind": "LocalQueue", "metadata": {"name": "gpus"}, "spec": {"clusterQueue": namespace}},
    ]
