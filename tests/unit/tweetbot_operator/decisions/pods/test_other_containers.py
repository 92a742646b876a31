"""Containers that others add to the Pods, as meshes and injectors do: the trainer's container is the attempt."""

from dataclasses import replace
from typing import Any

import pytest

from builders.operator import (
    NOON,
    a_bot_in,
    a_failed_job,
    a_failed_pod,
    a_finished_pod,
    a_job,
    a_pod,
    a_prepare_result,
    a_refusal_of_the_trainer,
    a_train_result,
    a_waiting_pod,
    an_observed,
    seconds_after_noon,
)
from builders.plans import created, deleted, reason_in, run_in
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.result import StageFailed
from tweetbot_contract.status import Stage
from tweetbot_operator.decisions.plan import Plan, plan
from tweetbot_operator.types.actions import CreateJob
from tweetbot_operator.types.containers import ContainerView
from tweetbot_operator.types.objects import JobView, PodView

HELD: dict[str, Any] = {"phase": "Running", "held_by": ("istio-proxy",), "finished_at": seconds_after_noon(300)}
VAULT = ContainerView("vault-agent-init", "hashicorp/vault:9", init=True)
UNAVAILABLE = a_refusal_of_the_trainer("StorageUnavailable", "S3 does not answer")


def a_held_pod(job: JobView, **changes: Any) -> PodView:
    """Return a Pod whose trainer ended well after five minutes, while its proxy runs on."""
    result = a_prepare_result() if job.stage == "prepare" else a_train_result()
    return a_finished_pod(job, result, **(HELD | changes))


def a_held_failure(job: JobView, code: int, *, said: StageFailed | None = None, **changes: Any) -> PodView:
    return a_failed_pod(job, code, said=said, **(HELD | changes))


def after(bot: TweetBot, made: Plan) -> TweetBot:
    """Return the bot with the status that a pass writes."""
    return replace(bot, status=made.status)


def message_in(made: Plan) -> str:
    found = made.status.find_condition("Progressing")
    return found.message if found else ""


# ---- the trainer ends and others run on


@pytest.mark.parametrize("at", [301, 3600, 7300, 100_000])
def test_a_result_is_acted_on_while_a_sidecar_runs_on(at: float) -> None:
    bot = a_bot_in("Train")
    job = a_job(bot)
    observed = an_observed(bot, jobs=(job,), pods=(a_held_pod(job),), at=at)
    made = plan(observed)
    run = run_in(made)
    assert (made.status_first, run.outcome, run.ran_seconds, run.pods) == (True, "Succeeded", 300, 1)
    assert deleted(plan(replace(observed, bot=after(bot, made)))) == [(job.uid, "overtaken")]


def test_a_prepared_dataset_leads_to_the_training_once_the_kept_pod_is_gone() -> None:
    bot = a_bot_in("Prepare")
    job = a_job(bot)
    pod = a_held_pod(job)
    made = plan(an_observed(bot, jobs=(job,), pods=(pod,), at=301))
    assert (run_in(made).stage, run_in(made).ran_seconds, run_in(made).pods) == ("Train", 0, 1)
    bot = after(bot, made)
    assert deleted(plan(an_observed(bot, jobs=(job,), pods=(pod,), at=301))) == [(job.uid, "left_behind")]
    ending = an_observed(bot, jobs=(replace(job, deleted_at=NOON),), pods=(pod,), at=302)
    assert (plan(ending).actions, reason_in(plan(ending))) == ((), "WaitingForPreviousPod")
    assert len(created(plan(an_observed(bot, at=303)))) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"phase": "Failed", "held_by": ()},
        {"held_by": (), "deleting_at": seconds_after_noon(420)},
        {"phase": "Pending", "held_by": ("logger",)},
    ],
    ids=["the sidecar failed", "the Pod is being deleted", "the sidecar never started"],
)
@pytest.mark.parametrize("ended", [{}, {"finished_condition": "Failed", "reason": "DeadlineExceeded"}], ids=str)
def test_a_result_counts_whatever_becomes_of_its_pod_and_job(changes: dict[str, Any], ended: dict[str, Any]) -> None:
    bot = a_bot_in("Train")
    job = a_job(bot, failed_pods=1, **ended)
    made = plan(an_observed(bot, jobs=(job,), pods=(a_held_pod(job, **changes),), at=301))
    assert run_in(made).outcome == "Succeeded"


def test_a_pod_that_ends_by_itself_is_waited_for() -> None:
    """Without others, or with native sidecars, which the kubelet ends."""
    bot = a_bot_in("Train", run={"activeDeadlineSeconds": 60})
    job = a_job(bot)
    made = plan(an_observed(bot, jobs=(job,), pods=(a_held_pod(job, held_by=()),), at=301))
    assert (run_in(made).outcome, made.actions, made.requeue_at) == (None, (), None)


def test_a_trainer_that_ended_well_and_said_nothing_is_a_bug() -> None:
    bot = a_bot_in("Train")
    job = a_job(bot)
    made = plan(an_observed(bot, jobs=(job,), pods=(a_held_pod(job, message=""),), at=301))
    assert run_in(made).reason == "TrainerBug"


@pytest.mark.parametrize("code", [10, 11, 12, 13, 14])
def test_a_refusal_ends_the_run_at_once(code: int) -> None:
    bot = a_bot_in("Train")
    job = a_job(bot)
    pod = a_held_failure(job, code, said=a_refusal_of_the_trainer("TooFewPosts", "4,000 characters"))
    observed = an_observed(bot, jobs=(job,), pods=(pod,), at=301)
    made = plan(observed)
    assert (run_in(made).outcome, run_in(made).reason, run_in(made).ran_seconds) == ("Failed", "TooFewPosts", 300)
    assert deleted(plan(replace(observed, bot=after(bot, made)))) == [(job.uid, "overtaken")]


@pytest.mark.parametrize(
    ("code", "changes", "cause"),
    [
        (1, {}, "Attempt 1 failed: the trainer left no message, exit code 1. "),
        (
            137,
            {"out_of_memory": True},
            "OutOfMemory: Attempt 1 failed: the trainer exceeded its memory limit (OOMKilled, exit code 137). ",
        ),
        (75, {"said": UNAVAILABLE}, "StorageUnavailable: Attempt 1 failed: S3 does not answer. "),
    ],
)
def test_a_failed_attempt_is_counted_once_and_the_next_has_a_job_of_its_own(
    code: int, changes: dict[str, Any], cause: str
) -> None:
    bot = a_bot_in("Train")
    job = a_job(bot)
    pod = a_held_failure(job, code, **changes)
    made = plan(an_observed(bot, jobs=(job,), pods=(pod,), at=300))
    run = run_in(made)
    assert (made.status_first, run.outcome, run.attempt, run.retries) == (True, None, 2, 0)
    assert (run.ran_seconds, run.pods, run.retry_at) == (300, 1, "2026-01-01T12:05:10Z")
    assert message_in(made) == f"{cause}Attempt 2 begins at 2026-01-01T12:05:10Z."
    bot = after(bot, made)
    again = plan(an_observed(bot, jobs=(job,), pods=(pod,), at=301))
    assert (deleted(again), run_in(again)) == ([(job.uid, "outdated")], run)
    assert created(plan(an_observed(bot, at=309))) == []
    (action,) = plan(an_observed(bot, at=310)).actions
    assert isinstance(action, CreateJob)
    assert action.manifest["spec"]["backoffLimit"] == 1
    assert action.manifest["metadata"]["annotations"]["tweetbot.dev/round"] == "1-0-2"


def test_an_attempt_whose_sidecar_ends_after_all_is_not_counted_twice() -> None:
    bot = a_bot_in("Train")
    job = a_job(bot)
    pod = a_held_failure(job, 1)
    bot = after(bot, plan(an_observed(bot, jobs=(job,), pods=(pod,), at=300)))
    gone = replace(pod, phase="Failed", held_by=())
    run = run_in(plan(an_observed(bot, jobs=(replace(job, failed_pods=1),), pods=(gone,), at=301)))
    assert (run.attempt, run.ran_seconds, run.pods) == (2, 300, 1)


@pytest.mark.parametrize(
    ("code", "changes", "reason"),
    [
        (1, {}, "AttemptsExhausted"),
        (137, {"out_of_memory": True}, "OutOfMemory"),
        (1, {"said": a_refusal_of_the_trainer("TrainerBug", "KeyError")}, "TrainerBug"),
    ],
)
def test_the_last_attempt_ends_the_run_as_without_a_sidecar(code: int, changes: dict[str, Any], reason: str) -> None:
    bot = a_bot_in("Train", run_fields={"attempt": 3})
    job = a_job(bot, first_attempt=3)
    made = plan(an_observed(bot, jobs=(job,), pods=(a_held_failure(job, code, **changes),), at=301))
    assert (run_in(made).outcome, run_in(made).reason) == ("Failed", reason)
    assert reason != "AttemptsExhausted" or "All 3 attempts" in (run_in(made).message or "")


def test_temporary_faults_in_every_attempt_pause_the_run_as_without_a_sidecar() -> None:
    bot = a_bot_in("Train", run_fields={"attempt": 3})
    job = a_job(bot, first_attempt=2, failed_pods=1)
    made = plan(an_observed(bot, jobs=(job,), pods=(a_held_failure(job, 75, said=UNAVAILABLE),), at=301))
    assert (run_in(made).retries, run_in(made).attempt, run_in(made).reason) == (1, 1, "StorageUnavailable")


def test_attempts_of_earlier_jobs_count_in_the_jobs_own_end() -> None:
    bot = a_bot_in("Train", run_fields={"attempt": 2})
    job = a_failed_job(bot, first_attempt=2)
    run = run_in(plan(an_observed(bot, jobs=(job,), pods=(a_failed_pod(job, 1),), at=301)))
    assert (run.message or "").startswith("All 2 attempts")


@pytest.mark.parametrize("changes", [{"deleting_at": seconds_after_noon(420)}, {"disrupted": True}], ids=str)
def test_a_trainer_that_was_told_to_stop_is_no_failed_attempt_while_its_sidecar_ends(changes: dict[str, Any]) -> None:
    bot = a_bot_in("Train")
    job = a_job(bot)
    made = plan(an_observed(bot, jobs=(job,), pods=(a_held_failure(job, 143, **changes),), at=301))
    assert (run_in(made).attempt, made.actions) == (1, ())


@pytest.mark.parametrize("stage", ["Prepare", "Train"])
def test_a_sidecars_time_counts_in_no_limit(stage: Stage) -> None:
    bot = a_bot_in(stage, run={"activeDeadlineSeconds": 310})
    job = a_job(bot)
    started: dict[str, Any] = {"created_at": seconds_after_noon(-600), "started_at": NOON}
    runs = an_observed(bot, jobs=(job,), pods=(a_pod(job, **started),), at=309)
    assert (run_in(plan(runs)).outcome, plan(runs).requeue_at) == (None, seconds_after_noon(310))
    made = plan(replace(runs, pods=(a_held_failure(job, 1, **started),), now=seconds_after_noon(9000)))
    assert (run_in(made).outcome, run_in(made).ran_seconds, run_in(made).attempt) == (None, 300, 2)


# ---- what others put before the trainer


def waiting(**container: Any) -> PodView:
    bot = a_bot_in("Prepare")
    return a_waiting_pod(a_job(bot), waiting="PodInitializing", unready=replace(VAULT, **container))


RUNS_ON = {"started_at": seconds_after_noon(2)}
STATES: dict[str, tuple[dict[str, Any], str, str]] = {
    "hangs": (RUNS_ON, "WaitingForInitContainer", "vault-agent-init has run since 12:00:02 UTC and has not ended"),
    "a sidecar that does not get ready": (
        {**RUNS_ON, "sidecar": True},
        "WaitingForInitContainer",
        "vault-agent-init has run since 12:00:02 UTC and has not started as a sidecar must",
    ),
    "its image is not there": (
        {"waiting": "ErrImagePull", "waiting_message": "not found"},
        "ImagePullFailed",
        "Init:ImagePullBackOff of container vault-agent-init, image hashicorp/vault:9: not found",
    ),
    "its image is not there, between two tries": (
        {"waiting": "ImagePullBackOff", "waiting_message": 'Back-off pulling image "hashicorp/vault:9": not found'},
        "ImagePullFailed",
        "Init:ImagePullBackOff of container vault-agent-init, image hashicorp/vault:9: not found",
    ),
    "an image that nobody names": (
        {"image": "", "waiting": "ImagePullBackOff", "waiting_message": 'Back-off pulling image "vault:9": not found'},
        "ImagePullFailed",
        'Init:ImagePullBackOff of container vault-agent-init: Back-off pulling image "vault:9": not found',
    ),
    "a sidecar that fails again and again": (
        {"sidecar": True, "waiting": "CrashLoopBackOff", "waiting_message": "back-off 10s", "exit_code": 2},
        "InitContainerFailed",
        "Init:CrashLoopBackOff of container vault-agent-init: exit code 2",
    ),
    "it cannot be set up": (
        {"waiting": "CreateContainerConfigError", "waiting_message": 'configmap "vault" not found'},
        "InitContainerFailed",
        'Init:CreateContainerConfigError of container vault-agent-init: configmap "vault" not found',
    ),
    "a container beside the trainer cannot be set up": (
        {"init": False, "waiting": "CreateContainerError", "waiting_message": "no room"},
        "ContainerNotStarted",
        "CreateContainerError of container vault-agent-init: no room",
    ),
}


@pytest.mark.parametrize("state", STATES)
def test_a_container_that_keeps_the_trainer_waiting_is_named_with_its_words(state: str) -> None:
    container, reason, words = STATES[state]
    bot = a_bot_in("Prepare")
    observed = an_observed(bot, jobs=(a_job(bot),), pods=(waiting(**container),), at=30)
    made = plan(observed)
    assert (reason_in(made), words in message_in(made)) == (reason, True)
    assert reason_in(made, "Stalled") is None
    assert reason_in(plan(replace(observed, now=seconds_after_noon(120))), "Stalled") == reason
    ended = run_in(plan(replace(observed, now=seconds_after_noon(600))))
    assert (ended.reason, words in (ended.message or "")) == ("StartDeadlineExceeded", True)


def test_the_words_stay_the_same_while_a_sidecar_fails_again_and_again() -> None:
    states: list[dict[str, Any]] = [
        {"waiting": "CrashLoopBackOff", "waiting_message": "back-off 10s restarting failed container"},
        {"started_at": seconds_after_noon(40)},
        {"waiting": "CrashLoopBackOff", "waiting_message": "back-off 20s restarting failed container"},
    ]
    bot = a_bot_in("Prepare")
    pods = [waiting(sidecar=True, exit_code=2, **state) for state in states]
    made = [plan(an_observed(bot, jobs=(a_job(bot),), pods=(pod,), at=60)).status for pod in pods]
    assert made[0] == made[1] == made[2]


FAILED: dict[str, Any] = {"exit_code": 2, "end_reason": "Error", "end_message": "permission denied: role tweetbot"}
WORDS = "Init:Error of container vault-agent-init: exit code 2: permission denied: role tweetbot"


def a_failed_start(job: JobView, **changes: Any) -> PodView:
    """Return a Pod whose init container failed, so that its trainer never began."""
    return a_failed_pod(job, None, started_at=None, unready=replace(VAULT, **FAILED), **changes)


def test_an_init_container_that_fails_is_named_between_attempts() -> None:
    bot = a_bot_in("Prepare")
    job = a_job(bot, failed_pods=1)
    first = a_failed_start(job, uid="first", name="a")
    for pods in ((first,), (first, a_waiting_pod(job))):
        made = plan(an_observed(bot, jobs=(job,), pods=pods, at=5))
        assert (reason_in(made), WORDS in message_in(made)) == ("InitContainerFailed", True)


def test_an_init_container_that_fails_every_attempt_ends_the_run_in_its_own_words() -> None:
    bot = a_bot_in("Prepare")
    job = a_failed_job(bot, failed_pods=3)
    pods = tuple(a_failed_start(job, uid=f"p{number}", name=f"p{number}") for number in range(3))
    run = run_in(plan(an_observed(bot, jobs=(job,), pods=pods, at=120)))
    assert (run.outcome, run.reason) == ("Failed", "InitContainerFailed")
    assert (run.message or "").startswith(f"{WORDS}. ")


def test_a_trainer_that_runs_without_a_container_that_cannot_start_is_told_and_goes_on() -> None:
    bot = a_bot_in("Train")
    pulls = ContainerView("logger", "no:1", waiting="ErrImagePull", waiting_message="not found")
    pod = a_pod(a_job(bot), phase="Pending", unready=pulls)
    early = plan(an_observed(bot, jobs=(a_job(bot),), pods=(pod,), at=19))
    assert (reason_in(early), early.requeue_at) == ("Training", seconds_after_noon(20))
    made = plan(an_observed(bot, jobs=(a_job(bot),), pods=(pod,), at=900))
    assert (reason_in(made), reason_in(made, "Stalled"), run_in(made).outcome) == ("ImagePullFailed", None, None)
    assert "ImagePullBackOff of container logger, image no:1: not found" in message_in(made)


def test_a_trainer_that_the_node_cannot_set_up_is_told() -> None:
    bot = a_bot_in("Prepare")
    pod = a_waiting_pod(a_job(bot), waiting="CreateContainerError", waiting_message="no room on the device")
    made = plan(an_observed(bot, jobs=(a_job(bot),), pods=(pod,), at=60))
    assert reason_in(made) == "ContainerNotStarted"
    assert "CreateContainerError of container trainer: no room on the device" in message_in(made)
