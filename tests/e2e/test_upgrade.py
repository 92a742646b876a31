"""`helm upgrade` in the middle of a training."""

from operator_process import until
from real_platform import NAMESPACE, Platform
from team import Team

OPERATORS = f"kubectl -n {NAMESPACE} get pods -o jsonpath='{{.items[*].metadata.uid}}'"


def test_an_upgrade_during_a_training_restarts_no_job(platform: Platform, team: Team) -> None:
    team.apply("upgraded", training={"epochs": 20, "earlyStopping": False})
    team.wait("upgraded", "reason=Training")
    before, jobs, pods = platform.type(OPERATORS).split(), uids(team, "jobs"), uids(team, "pods")
    chart = platform.package("0.1.1")
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
