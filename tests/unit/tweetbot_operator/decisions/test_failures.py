"""Why a Job failed: each row of the table, and nothing of a Pod's words that could harm a status."""

import pytest

from builders.operator import (
    a_bot_in,
    a_failed_job,
    a_failed_pod,
    a_job,
    a_pod,
    a_refusal_of_the_trainer,
    an_observed,
    seconds_after_noon,
)
from builders.plans import run_in
from tweetbot_contract.reasons import EVICTED, KILLED
from tweetbot_contract.result import StageFailed
from tweetbot_operator.decisions.failures import diagnose_failure
from tweetbot_operator.decisions.plan import Plan, plan
from tweetbot_operator.types.objects import PodView
from tweetbot_operator.types.stage_state import Failed, ResultLost, ResultPending, RetryableFailure

JOB = a_failed_job(a_bot_in("Train"))
SAID = a_refusal_of_the_trainer()


def pod(exit_code: int | None, said: StageFailed | None = None, **changes: object) -> PodView:
    return a_failed_pod(JOB, exit_code, said=said, **changes)


@pytest.mark.parametrize(
    ("pods", "reason"),
    [
        ((pod(10, SAID),), "BucketNotFound"),
        ((pod(11, SAID),), "BucketNotFound"),
        ((pod(12, a_refusal_of_the_trainer("TooFewPosts", "4,000 characters")),), "TooFewPosts"),
        ((pod(13, a_refusal_of_the_trainer("Diverged", "nan")),), "Diverged"),
        ((pod(10),), "TrainerBug"),
        ((pod(12, message="Traceback (most recent call last)"),), "TrainerBug"),
        ((pod(137, out_of_memory=True),), "OutOfMemory"),
        ((pod(137),), "AttemptsExhausted"),
        ((pod(None),), "AttemptsExhausted"),
        ((pod(1),), "AttemptsExhausted"),
        ((pod(1, a_refusal_of_the_trainer("TrainerBug", "KeyError")),), "TrainerBug"),
        ((pod(143, a_refusal_of_the_trainer("Stopped", "SIGTERM")),), "AttemptsExhausted"),
        ((pod(1), pod(10, SAID)), "BucketNotFound"),
        ((pod(137, out_of_memory=True), pod(1)), "AttemptsExhausted"),
        ((pod(75, out_of_memory=True),), "OutOfMemory"),  # whatever the trainer said as it fell
        ((pod(1, SAID, out_of_memory=True),), "OutOfMemory"),
    ],
)
def test_a_failure_for_good_has_its_own_reason(pods: tuple[PodView, ...], reason: str) -> None:
    outcome = diagnose_failure(JOB, pods, searched=False)
    assert isinstance(outcome, Failed)
    assert outcome.reason == reason
    assert "Traceback" not in outcome.message
    assert ".." not in outcome.message
    assert len(outcome.message) <= 1024


@pytest.mark.parametrize("code", [10, 11])
def test_a_cause_outside_the_manifest_comes_with_a_hint_how_to_retry(code: int) -> None:
    outcome = diagnose_failure(JOB, (pod(code, SAID),), searched=False)
    assert isinstance(outcome, Failed)
    assert outcome.message.startswith("the bucket is not there. ")
    assert outcome.message.endswith("set the annotation tweetbot.dev/retrain-at.")


@pytest.mark.parametrize("code", [12, 13])
def test_a_cause_in_the_manifest_comes_without_that_hint(code: int) -> None:
    assert diagnose_failure(JOB, (pod(code, SAID),), searched=False) == Failed(SAID.reason, SAID.message)


def test_a_message_with_the_hint_is_left_as_it_is() -> None:
    said = a_refusal_of_the_trainer(message="Create it and set the annotation tweetbot.dev/retrain-at.")
    outcome = diagnose_failure(JOB, (pod(10, said),), searched=False)
    assert outcome == Failed("BucketNotFound", said.message)


def test_the_longest_message_keeps_the_hint_and_the_limit() -> None:
    outcome = diagnose_failure(JOB, (pod(10, a_refusal_of_the_trainer(message="m" * 1024)),), searched=False)
    assert isinstance(outcome, Failed)
    assert len(outcome.message) <= 1024
    assert "retrain-at" in outcome.message


def test_control_characters_never_reach_a_status() -> None:
    said = a_refusal_of_the_trainer(message="first\nsecond\x1b[31m\u202e end")
    outcome = diagnose_failure(JOB, (pod(12, said),), searched=False)
    assert isinstance(outcome, Failed)
    assert outcome.message.isprintable()


def test_attempts_that_exit_with_75_are_a_temporary_fault() -> None:
    said = a_refusal_of_the_trainer("RateLimited", "X asks to wait.")
    assert diagnose_failure(JOB, (pod(75, said),), searched=False) == RetryableFailure("RateLimited", "X asks to wait.")


def test_75_without_a_message_is_temporary_too() -> None:
    outcome = diagnose_failure(JOB, (pod(75),), searched=False)
    assert isinstance(outcome, RetryableFailure)


def test_pods_missing_from_the_cache_are_listed() -> None:
    assert diagnose_failure(JOB, (), searched=False) == ResultPending(JOB)


def test_a_pod_not_seen_to_end_is_listed() -> None:
    running = a_failed_pod(JOB, None, phase="Running", uid="second")
    assert diagnose_failure(JOB, (pod(1), running), searched=False) == ResultPending(JOB)


def test_the_result_is_lost_when_the_pods_are_gone() -> None:
    assert diagnose_failure(JOB, (), searched=True) == ResultLost()


def test_a_start_error_is_reported_as_there_is_no_log() -> None:
    outcome = diagnose_failure(JOB, (pod(128, start_error="exec: not found in $PATH"),), searched=True)
    assert isinstance(outcome, Failed)
    assert outcome.message.startswith("The node could not start the trainer: exec: not found in $PATH. ")


def test_disrupted_pods_are_not_counted_as_attempts() -> None:
    outcome = diagnose_failure(JOB, (pod(137, disrupted=True), pod(1)), searched=False)
    assert isinstance(outcome, Failed)
    assert outcome.message.startswith("All 1 attempts")


def test_the_last_eviction_is_described_and_leaves_advice_to_the_attempts() -> None:
    evicted = pod(None, end_reason="Evicted", end_message="The node was low on resource: memory")
    outcome = diagnose_failure(JOB, (evicted,), searched=False)
    assert isinstance(outcome, Failed)
    assert EVICTED.advice not in outcome.message
    assert outcome.message.startswith(
        "All 1 attempts ended without a result. The last one: Evicted: The node was low on resource: memory. "
    )


def test_the_last_crash_is_described_with_its_advice() -> None:
    outcome = diagnose_failure(JOB, (pod(137),), searched=False)
    assert isinstance(outcome, Failed)
    assert KILLED.advice.rstrip(".") in outcome.message


# ---- a policy gives the Job other rules, so that the Job controller goes on


def try_again(*former: PodView, failed: int) -> Plan:
    """Plan where the Job controller has made another Pod after these."""
    bot = a_bot_in("Train")
    job = a_job(bot, failed_pods=failed)
    another = a_pod(job, uid="another", name="z", created_at=seconds_after_noon(60))
    return plan(an_observed(bot, jobs=(job,), pods=(*former, another), at=90))


def test_no_more_attempts_are_made_than_the_spec_allows() -> None:
    made = try_again(pod(137, uid="a"), pod(137, uid="b"), pod(137, uid="c"), failed=3)
    assert (run_in(made).outcome, run_in(made).reason) == ("Failed", "AttemptsExhausted")
    assert "All 3 attempts" in (run_in(made).message or "")


def test_a_refusal_ends_the_run_though_another_pod_was_made() -> None:
    made = try_again(pod(10, SAID), failed=1)
    assert (run_in(made).outcome, run_in(made).reason) == ("Failed", "BucketNotFound")


def test_another_attempt_within_the_limit_goes_on() -> None:
    made = try_again(pod(137, uid="a"), pod(137, uid="b"), failed=2)
    assert (run_in(made).outcome, run_in(made).attempt) == (None, 3)


def test_attempts_whose_pods_are_gone_end_no_run_without_a_cause() -> None:
    assert run_in(try_again(failed=3)).outcome is None


def test_a_refusal_of_a_pod_that_had_to_leave_is_not_the_runs() -> None:
    """The Job controller replaces it by the first of the Job's rules, whatever its exit code."""
    assert run_in(try_again(pod(10, SAID, disrupted=True), failed=0)).outcome is None
