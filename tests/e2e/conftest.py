"""One real node for all tests here, the operator installed on it from the packaged chart without a value set."""

from collections.abc import Iterator

import pytest

from e2e.real_platform import LEFT, NAMESPACE, VERSION, Platform, import_images
from e2e.team import Team
from e2e.terminal import Terminal
from tweetbot_cluster.cluster import CONTROL_PLANE, EmbeddedCluster
from tweetbot_cluster.real_node.files import ADDRESS
from tweetbot_cluster.real_node.node import CONTROL_PLANE_FLAGS, RealNode
from tweetbot_cluster.seed import fill_bucket

#: As a person would go through it. What takes everything down again comes last.
ORDER = (
    "test_install",
    "test_quickstart",
    "test_platform_class",
    "test_faults",
    "test_other_containers",
    "test_upgrade",
    "test_restricted",
    "test_install_page",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: ORDER.index(item.path.stem) if item.path.stem in ORDER else len(ORDER))


@pytest.fixture(scope="session")
def bare() -> Iterator[Platform]:
    """The node with the images and the object store with the demo's posts; nothing is installed yet."""
    parts = (*CONTROL_PLANE, "versitygw")
    with (
        EmbeddedCluster(LEFT / "cluster", parts=parts, address=ADDRESS, flags=CONTROL_PLANE_FLAGS) as cluster,
        RealNode(cluster) as node,
    ):
        import_images(node)
        fill_bucket(cluster.s3())
        keys = {"ACCESS_KEY": cluster.s3_access_key, "SECRET_KEY": cluster.s3_secret_key}
        yield Platform(cluster, node, Terminal(cluster.kubeconfig, LEFT, LEFT / "transcript.txt", keys))


@pytest.fixture(scope="session")
def platform(bare: Platform) -> Platform:
    """The same with the operator, installed from the packaged chart with no value set."""
    bare.type(f"kubectl create namespace {NAMESPACE}")
    bare.type(f"kubectl label namespace {NAMESPACE} pod-security.kubernetes.io/enforce=restricted")
    chart = bare.package(VERSION)
    bare.type(f"helm install tweetbot-operator {chart} --namespace {NAMESPACE}")
    bare.type(f"kubectl -n {NAMESPACE} rollout status deployment/tweetbot-operator --timeout=300s")
    return bare


@pytest.fixture
def team(platform: Platform, request: pytest.FixtureRequest) -> Iterator[Team]:
    """A tenant's namespace that enforces Pod Security "restricted", gone after the test."""
    platform.type.say(request.node.name.removeprefix("test_").replace("_", " "))
    team = Team(platform.cluster, platform.type)
    yield team
    platform.type(f"kubectl delete namespace {team.namespace} --wait=false")
