"""What goes wrong on nodes, by the kubelet's own hand: each fault is told, and the run goes on when it is mended."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from e2e.real_platform import NAMESPACE, VERSION, Platform
from e2e.team import LONG, Team
from harness.operator_process import until
from tweetbot_cluster.real_node.files import NAME

TRAIN = "tweetbot.dev/stage=train"
IMAGE = "docker.io/library/tweetbot-trainer"


def interruptible(team: Team, name: str) -> str:
    """Apply a TweetBot that trains for minutes and wait until it does; answers its Pod."""
    team.apply(name, training=LONG)
    until(lambda: steps(team, "progress") != [], 300)
    (pod,) = team.field("pods", ".metadata.name", TRAIN)
    return pod


def steps(team: Team, event: str) -> list[int]:
    """Return the steps of an event in the logs of the train Pods that are there."""
    lines = map(entry, team(f"logs -l {TRAIN} --tail=-1", check=False, keep=False).splitlines())
    return [line["step"] for line in lines if line.get("event") == event]


def entry(line: str) -> dict[str, Any]:
    """Return a line of a log as it was meant, and nothing where it is kubectl's own word."""
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        return {}
    return found


def test_a_training_that_is_told_to_end_goes_on_from_its_last_step_in_a_new_pod(team: Team) -> None:
    pod = interruptible(team, "interrupted")
    team(f"delete pod {pod} --wait=true")
    until(lambda: steps(team, "checkpoint.resumed") > [0], 300)
    team('patch tweetbot interrupted --type merge -p \'{"spec":{"suspend":true}}\'')
    team.wait("interrupted", "reason=Suspended")


def test_a_training_outlives_the_drain_of_its_node(platform: Platform, team: Team) -> None:
    interruptible(team, "drained")
    flags = "--ignore-daemonsets --delete-emptydir-data --pod-selector=tweetbot.dev/bot=drained"
    platform.type(f"kubectl drain {NAME} {flags} --timeout=120s")
    team.wait("drained", "reason=Evicted")
    platform.type(f"kubectl uncordon {NAME}")
    until(lambda: steps(team, "checkpoint.resumed") > [0], 300)
    team("delete tweetbot drained")


def test_a_trainer_that_the_kubelet_kills_for_its_memory_is_told_as_such_and_mended_by_more(team: Team) -> None:
    team.apply("hungry", resources={"cpu": "1", "memory": "200Mi"}, run={"attempts": 1})
    team.wait("hungry", "reason=OutOfMemory")
    assert team.field("pods", ".status.containerStatuses[0].state.terminated.reason", TRAIN) == ["OOMKilled"]
    team('patch tweetbot hungry --type merge -p \'{"spec":{"resources":{"memory":"2Gi"}}}\'')
    team.wait("hungry", "ModelReady")


def test_a_secret_that_comes_late_is_waited_for(team: Team) -> None:
    output = {"s3": {"uri": "s3://tweetbot/models", "credentialsSecret": {"name": "late"}}}
    team.apply("patient", output=output)
    team.wait("patient", "reason=SecretNotFound")
    team.put_secret("late")
    team.wait("patient", "ModelReady")


@pytest.fixture
def unknown_image(platform: Platform) -> Iterator[str]:
    """An operator whose trainer image is in no registry, and on no node."""
    chart = f"build/e2e/tweetbot-operator-{VERSION}.tgz"
    upgrade = f"helm upgrade tweetbot-operator {chart} -n {NAMESPACE} --reset-values"
    platform.type(f"{upgrade} --set trainerImage.tag=next --wait --timeout 300s")
    yield f"{IMAGE}:next"
    platform.type(f"{upgrade} --wait --timeout 300s")


def test_an_image_that_comes_late_is_waited_for(platform: Platform, team: Team, unknown_image: str) -> None:
    team.apply("imageless")
    team.wait("imageless", "reason=ImagePullFailed")
    platform.node.ctr("images", "tag", f"{IMAGE}:{VERSION}", unknown_image)
    try:
        team.wait("imageless", "ModelReady")
    finally:
        platform.node.ctr("images", "rm", unknown_image)
