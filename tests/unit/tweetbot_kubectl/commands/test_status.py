"""`kubectl tweetbot status`."""

import json

import pytest

from tweetbot_fakes.kubernetes.api_requests import FakeApi
from tweetbot_fakes.plugin import (
    a_condition,
    a_model,
    a_run,
    a_stored_bot,
    a_stored_job,
    a_stored_pod,
    a_training_status,
    an_event,
    run_plugin,
    say_time,
)


def a_training(**status: object) -> FakeApi:
    return FakeApi(
        a_stored_bot(status=a_training_status(**status)),
        a_stored_job("prepare", state="Complete"),
        a_stored_job("train"),
        a_stored_pod("prepare", terminated={"exitCode": 0, "reason": "Completed"}, ago=390),
        a_stored_pod("train", "a", terminated={"exitCode": 137, "reason": "OOMKilled"}),
        a_stored_pod("train", "b", running={}, ago=100),
        a_stored_pod("train", "z", bot="heron", running={}),
        *(an_event("gull", f"Event{number}", "something", ago=number) for number in range(1, 6)),
        an_event("gull-1a2b3c4d-train-b", "Pulled", "the image is there", kind="Pod", ago=0, count=3),
    )


def test_a_status_says_why_since_when_and_what_next() -> None:
    done = run_plugin(a_training(), "status", "gull")
    assert done.code == 0
    assert "why        Training, for 5m" in done.output
    assert "Fine-tuning the model (attempt 1 of 3)." in done.output
    assert "next       Nothing to do: the run continues by itself." in done.output
    assert "progress   43%, 12m left, loss 2.500" in done.output


def test_a_status_shows_the_tree_of_its_run() -> None:
    lines = run_plugin(a_training(), "status", "gull").output.splitlines()
    start = lines.index("Run 3 (1a2b3c4d5e6f7a8b): Train, attempt 1")
    assert lines[start + 1 : start + 6] == [
        "├─ Job gull-1a2b3c4d-prepare: Complete, 6m old",
        "│  └─ Pod gull-1a2b3c4d-prepare-x: Succeeded on gpu-1, 6m old",
        "└─ Job gull-1a2b3c4d-train: Running, 5m old",
        "   ├─ Pod gull-1a2b3c4d-train-a: Failed (OOMKilled, exit code 137) on gpu-1, 4m old",
        "   └─ Pod gull-1a2b3c4d-train-b: Running on gpu-1, 100s old",
    ]


def test_a_status_shows_the_newest_five_events_of_the_bot_its_jobs_and_pods() -> None:
    lines = run_plugin(a_training(), "status", "gull").output.splitlines()
    shown = lines[lines.index("Events") + 2 :]
    assert [line.split()[2] for line in shown] == ["Pulled", "Event1", "Event2", "Event3", "Event4"]
    assert shown[0].endswith("the image is there (x3)")


def test_a_stalled_bot_ends_with_one_and_says_who_must_act() -> None:
    why = "There is no Secret s3."
    conditions = [a_condition("Progressing", "True", "Preparing"), a_condition("Stalled", "True", "InvalidSpec", why)]
    done = run_plugin(a_training(conditions=conditions), "status", "gull")
    assert done.code == 1
    assert why in done.output
    assert "next       For you: " in done.output


def test_a_failed_run_ends_with_one() -> None:
    assert run_plugin(a_training(phase="Failed"), "status", "gull").code == 1


def test_what_went_wrong_last_is_told() -> None:
    trouble = {"reason": "OutOfMemory", "message": "Raise spec.resources.memory.", "stage": "Train", "attempt": 1,
               "at": say_time(200)}  # fmt: skip
    output = run_plugin(a_training(currentRun=a_run(lastTrouble=trouble)), "status", "gull").output
    assert "OutOfMemory in attempt 1 of Train, 3m ago: Raise spec.resources.memory." in output


def test_what_the_message_says_is_not_said_twice() -> None:
    message = "Its loss is too high. If you loosen the gate, this model is published as it is."
    trouble = {"reason": "GateFailed", "message": message, "stage": "Train", "attempt": 1, "at": say_time(200)}
    conditions = [a_condition("Progressing", "False", "GateFailed", message)]
    failed = a_run(outcome="Failed", lastTrouble=trouble)
    output = run_plugin(a_training(phase="Failed", conditions=conditions, currentRun=failed), "status", "gull").output
    assert output.count("too high") == 1
    assert "next    For you: do what the message says." in output


def test_jobs_and_pods_of_earlier_runs_are_left_out() -> None:
    api = a_training()
    api.add(a_stored_job("train", run="0" * 16, state="Complete"))
    api.add(a_stored_pod("train", run="0" * 16, terminated={"exitCode": 0}))
    assert "gull-00000000" not in run_plugin(api, "status", "gull").output


def test_the_model_and_the_next_scheduled_run_are_told() -> None:
    output = run_plugin(a_training(model=a_model(), nextScheduleTime="2026-01-05T03:00:00Z"), "status", "gull").output
    assert "model      227ba5f2c6c9109f, published 2h ago" in output
    assert "The schedule starts the next run at 2026-01-05 03:00 UTC." in output


def test_a_model_that_is_ready_can_be_tried() -> None:
    conditions = [a_condition("Progressing", "False", "Succeeded", "The model is published.")]
    done = run_plugin(a_training(phase="Succeeded", conditions=conditions), "status", "gull")
    assert "the model is ready to serve. Try it: kubectl tweetbot try gull" in done.output


def test_a_bot_that_no_operator_has_seen_waits_for_it() -> None:
    output = run_plugin(FakeApi(a_stored_bot()), "status", "gull").output
    assert "WaitingForOperator" in output
    assert "have the platform team look whether the operator runs" in output


def test_an_unknown_name_is_told_with_the_names_that_there_are() -> None:
    done = run_plugin(FakeApi(a_stored_bot("gull"), a_stored_bot("heron")), "status", "gul")
    assert done.code == 3
    assert done.notes == 'kubectl tweetbot: TweetBot "gul" not found in namespace team-a. It has gull, heron.\n'


def test_an_empty_namespace_says_where_to_look() -> None:
    assert "`kubectl tweetbot list -A`" in run_plugin(FakeApi(), "status", "gull").notes


@pytest.mark.parametrize("resource", ["jobs", "pods", "events"])
def test_what_the_caller_may_not_see_is_left_out_and_named(resource: str) -> None:
    api = a_training()
    api.forbid("list", resource)
    done = run_plugin(api, "status", "gull")
    assert done.code == 0
    assert f"You may not list {resource} in namespace team-a. It is granted by the Role tweetbot-logs" in done.output


def test_the_document_has_run_jobs_pods_and_events() -> None:
    document = json.loads(run_plugin(a_training(), "status", "gull", "-o", "json").output)
    assert (document["well"], document["run"]["number"], document["actor"]) == (True, 3, "nobody")
    assert [job["state"] for job in document["jobs"]] == ["Complete", "Running"]
    assert document["pods"][1]["exitCode"] == 137
    assert len(document["events"]) == 5
