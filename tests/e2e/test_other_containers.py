"""What a mesh or an injector adds to Pods, on a real kubelet: the trainer's container counts."""

from builders.injector import INIT, PROXY, add_container, wait_for_container
from e2e.real_platform import VERSION, Platform
from e2e.team import Team
from harness.operator_process import until

#: An image that the node has, with a shell, whose user is not root.
IMAGE = {"image": f"'tweetbot-operator:{VERSION}'"}


def inject(platform: Platform, team: Team, bot: str, script: str, **fields: str) -> None:
    """Have a container added to the Pods of a TweetBot of this name."""
    add_container(platform.cluster.api, bot, script, **IMAGE, **fields)
    wait_for_container(platform.cluster.api, bot, namespace=team.namespace)


def test_a_run_ends_well_though_a_sidecar_runs_on(platform: Platform, team: Team) -> None:
    inject(platform, team, "meshed", PROXY)
    team.apply("meshed")
    team.wait("meshed", "ModelReady")
    until(lambda: team("get jobs,pods -o name", keep=False) == "", 150)
    assert team.field("tweetbots", ".status.currentRun.pods") == ["2"]


def test_a_native_sidecar_leaves_both_jobs_complete(platform: Platform, team: Team) -> None:
    inject(platform, team, "native", PROXY, at=INIT, restartPolicy="'Always'")
    team.apply("native")
    team.wait("native", "ModelReady")
    until(lambda: team.field("jobs", ".status.succeeded") == ["1", "1"], 150)
    assert team.field("tweetbots", ".status.currentRun.pods") == ["2"]


def test_an_init_container_that_fails_is_named_with_its_words(platform: Platform, team: Team) -> None:
    words = {"terminationMessagePolicy": "'FallbackToLogsOnError'"}
    inject(platform, team, "unsealed", "echo permission denied; exit 2", at=INIT, **words)
    team.apply("unsealed", run={"attempts": 1})
    team.wait("unsealed", "Stalled")
    assert team.field("tweetbots", ".status.currentRun.reason") == ["InitContainerFailed"]
    message = team("get tweetbot unsealed -o jsonpath='{.status.currentRun.message}'")
    assert message.startswith("Init:Error of container proxy: exit code 2: permission denied. ")
