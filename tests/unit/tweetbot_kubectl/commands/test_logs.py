"""`kubectl tweetbot logs`."""

from collections.abc import Callable

import pytest

from tweetbot_fakes.kubernetes.api_requests import FakeApi
from tweetbot_fakes.plugin import RUN, a_run, a_stored_bot, a_stored_pod, a_training_status, run_plugin

PREPARE, FIRST, SECOND = (f"gull-1a2b3c4d-{end}" for end in ("prepare-x", "train-a", "train-b"))
LINE = '{"time": "2026-01-01T11:59:00.000Z", "level": "info", "event": "train.started", "trainPosts": 7}'


@pytest.fixture
def api() -> FakeApi:
    api = FakeApi(
        a_stored_bot(status=a_training_status()),
        a_stored_pod("prepare", terminated={"exitCode": 0}, ago=390),
        a_stored_pod("train", "a", terminated={"exitCode": 137}),
        a_stored_pod("train", "b", running={}, ago=100),
        a_stored_pod("train", "a", run="0" * 16, terminated={"exitCode": 0}, ago=9000),
    )
    api.logs = {PREPARE: ["read"], FIRST: ["killed"], SECOND: [LINE, "odd"], "gull-00000000-train-a": ["older"]}
    return api


def test_logs_show_the_last_attempt_of_both_stages(api: FakeApi) -> None:
    done = run_plugin(api, "logs", "gull")
    assert done.output == f"read\n{LINE}\nodd\n"
    assert done.notes == f"==> prepare, Pod {PREPARE} <==\n==> train, Pod {SECOND} <==\n"


def test_one_stage_is_shown_alone(api: FakeApi) -> None:
    assert run_plugin(api, "logs", "gull", "--stage", "prepare").output == "read\n"


def test_previous_shows_the_attempt_before(api: FakeApi) -> None:
    assert run_plugin(api, "logs", "gull", "--previous").output == "killed\n"


def test_without_an_earlier_attempt_previous_is_not_found(api: FakeApi) -> None:
    assert run_plugin(api, "logs", "gull", "--previous", "--stage", "prepare").code == 3


@pytest.mark.parametrize("asked", ["2", "0000"])
def test_another_run_is_named_by_its_number_or_its_id(api: FakeApi, asked: str) -> None:
    record = {"id": "0" * 16, "number": 2, "outcome": "Succeeded", "reason": "Succeeded", "attempts": 2,
              "startedAt": "2026-01-01T09:00:00Z", "finishedAt": "2026-01-01T09:30:00Z"}  # fmt: skip
    api.add(a_stored_bot(status=a_training_status(runs=[record])))
    assert run_plugin(api, "logs", "gull", "--run", asked).output == "older\n"


def test_an_unknown_run_is_told_with_those_that_there_are(api: FakeApi) -> None:
    done = run_plugin(api, "logs", "gull", "--run", "9")
    assert (done.code, f"it has 3 ({RUN})" in done.notes) == (3, True)


def test_a_pod_that_waits_says_why(api: FakeApi) -> None:
    api.add(a_stored_pod("train", "c", waiting={"reason": "ImagePullBackOff"}, ago=10))
    assert "It has not started: ImagePullBackOff." in run_plugin(api, "logs", "gull").notes


def test_a_terminal_shows_time_event_and_fields(api: FakeApi) -> None:
    output = run_plugin(api, "logs", "gull", "--stage", "train", terminal=True).output
    assert "11:59:00 train.started trainPosts=7" in output


def test_a_run_whose_pods_are_gone_says_what_the_status_keeps() -> None:
    trouble = {
        "reason": "Killed",
        "message": "the node went",
        "stage": "Train",
        "attempt": 2,
        "at": "2026-01-01T11:00:00Z",
    }
    done = run_plugin(
        FakeApi(a_stored_bot(status=a_training_status(currentRun=a_run(lastTrouble=trouble)))), "logs", "gull"
    )
    assert (done.code, "the node went" in done.notes) == (3, True)


def test_following_goes_on_with_the_next_pod_until_the_run_has_ended(api: FakeApi) -> None:
    def steps() -> Callable[[float], None]:
        changes = iter((start_third, end_run))
        return lambda seconds: next(changes)()

    def start_third() -> None:
        api.add(a_stored_pod("train", "c", running={}, ago=5))
        api.logs["gull-1a2b3c4d-train-c"] = ["third"]

    def end_run() -> None:
        api.add(a_stored_bot(status=a_training_status(currentRun=a_run(outcome="Succeeded"))))

    done = run_plugin(api, "logs", "gull", "-f", sleep=steps())
    assert done.output == f"read\n{LINE}\nodd\nthird\n"
    assert done.notes.count("No further Pod has started. Fine-tuning the model (attempt 1 of 3).") == 1


def test_logs_that_the_caller_may_not_read_are_named(api: FakeApi) -> None:
    api.forbid("get", "pods/log")
    done = run_plugin(api, "logs", "gull")
    assert (done.code, "You may not get pods/log in namespace team-a." in done.notes) == (4, True)
