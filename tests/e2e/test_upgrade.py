"""`helm upgrade` in the middle of a training."""

import pytest

from e2e.real_platform import NAMESPACE, VERSION, Platform
from e2e.team import Team
from harness.operator_process import until

OPERATORS = f"kubectl -n {NAMESPACE} get pods -o jsonpath='{{.items[*].metadata.uid}}'"


@pytest.fixture
def bumped() -> str:
    """The patch version after this one."""
    minor, _, patch = VERSION.rpartition(".")
    return f"{minor}.{int(patch) + 1}"


def test_an_upgrade_during_a_training_restarts_no_job(platform: Platform, team: Team, bumped: str) -> None:
    team.apply("upgraded", training={"epochs": 20, "earlyStopping": False})
    until(lambda: len(team("get pods -o name", keep=False).split()) == 2, 300)  # the second one trains
    before, jobs, pods = platform.type(OPERATORS).split(), uids(team, "jobs"), uids(team, "pods")
    chart = platform.package(bumped)
    platform.type(
        f"helm upgrade tweetbot-operator {chart} -n {NAMESPACE} --wait --timeout 300s --set commonLabels.release=second"
    )
    platform.type(f"kubectl -n {NAMESPACE} rollout status deployment/tweetbot-operator --timeout=300s")
    until(lambda: set(platform.type(OPERATORS, keep=False).split()).isdisjoint(before), 120)
    team.wait("upgraded", "ModelReady")
    assert (uids(team, "jobs"), uids(team, "pods")) == (jobs, pods)
    assert len(jobs) == 2


def uids(team: Team, kind: str) -> list[str]:
    return team.field(kind, ".metadata.uid", "tweetbot.dev/bot=upgraded")
