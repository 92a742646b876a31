"""What an edit, a suspension or the retrain annotation makes of a run."""

from dataclasses import replace
from typing import Any

import pytest

from builders.operator import (
    DIGEST,
    NOON,
    a_bot,
    a_bot_in,
    a_complete_job,
    a_failed_job,
    a_finished_pod,
    a_job,
    a_pod,
    a_prepare_result,
    a_run,
    a_train_result,
    a_waiting_pod,
    an_observed,
    seconds_after_noon,
)
from builders.plans import created, deleted, run_in
from tweetbot_operator.decisions.plan import plan


def test_an_edit_of_what_is_trained_starts_another_run_and_ends_the_old_job() -> None:
    old = a_bot_in("Train")
    job = a_job(old)
    bot = replace(old, spec=a_bot(filter={"minWords": 5}).spec, generation=2)
    made = plan(an_observed(bot, jobs=(job,), pods=(a_pod(job),)))
    assert (made.status_first, run_in(made).number, run_in(made).stage) == (True, 2, "Prepare")
    made = plan(an_observed(replace(bot, status=made.status), jobs=(job,), pods=(a_pod(job),)))
    assert (deleted(made), created(made)) == ([(job.uid, "superseded")], [])


def test_a_new_run_waits_until_no_pod_of_the_old_one_is_left() -> None:
    bot = a_bot_in("Prepare")
    leftover = a_pod(a_job(bot, uid="gone"), deleting_at=seconds_after_noon(60))
    assert created(plan(an_observed(bot, pods=(leftover,)))) == []
    assert created(plan(an_observed(bot, pods=(replace(leftover, phase="Failed"),)))) != []


@pytest.mark.parametrize("how", ["runs", "waits", "ends"])
def test_an_edit_of_the_execution_replaces_the_job_under_the_same_run_id(how: str) -> None:
    """It waits for nothing: not for a Pod that has not started, nor for one that runs well."""
    old = a_bot_in("Train", run_fields={"attempt": 2})
    job = a_job(old)
    pod = {"runs": a_pod(job), "waits": a_waiting_pod(job), "ends": a_pod(job, deleting_at=NOON)}[how]
    bot = replace(old, spec=a_bot(resources={"memory": "32Gi"}).spec, generation=2)
    made = plan(an_observed(bot, jobs=(job,), pods=(pod,)))
    assert (made.status_first, run_in(made).id, run_in(made).attempt) == (True, a_run(old).id, 1)
    made = plan(an_observed(replace(bot, status=made.status), jobs=(job,), pods=(pod,)))
    assert deleted(made) == [(job.uid, "outdated")]


def test_raising_the_memory_after_an_out_of_memory_restarts_the_run() -> None:
    old = a_bot_in("Train", run_fields={"outcome": "Failed", "reason": "OutOfMemory", "message": "raise it"})
    job = a_failed_job(old)
    bot = replace(old, spec=a_bot(resources={"memory": "32Gi"}).spec, generation=2)
    made = plan(an_observed(bot, jobs=(job,)))
    assert (run_in(made).outcome, run_in(made).stage, run_in(made).dataset) == (None, "Train", DIGEST)
    assert deleted(plan(an_observed(replace(bot, status=made.status), jobs=(job,)))) == [(job.uid, "outdated")]


def test_an_edit_of_the_execution_does_nothing_to_a_run_that_succeeded() -> None:
    old = a_bot_in("Train", run_fields={"outcome": "Succeeded", "reason": "Succeeded"})
    bot = replace(old, spec=a_bot(resources={"memory": "32Gi"}).spec, generation=2)
    made = plan(an_observed(bot))
    assert (made.status_first, made.actions) == (False, ())


def test_going_back_to_a_run_whose_job_failed_tries_it_again() -> None:
    bot = a_bot_in("Prepare", run_fields={"number": 3})
    job = a_failed_job(bot, creation_key="1-0")
    assert deleted(plan(an_observed(bot, jobs=(job,)))) == [(job.uid, "outdated")]


def test_going_back_to_a_run_whose_job_had_completed_runs_it_again() -> None:
    bot = a_bot_in("Prepare", run_fields={"number": 3, "started_at": "2026-01-01T12:00:01Z"})
    job = a_complete_job(bot, creation_key="1-0")
    made = plan(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, a_prepare_result()),)))
    assert (deleted(made), run_in(made).stage) == ([(job.uid, "outdated")], "Prepare")


def test_going_back_to_a_run_whose_job_completes_meanwhile_takes_its_result() -> None:
    bot = a_bot_in("Prepare", run_fields={"number": 3})
    job = a_complete_job(bot, creation_key="1-0")
    made = plan(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, a_prepare_result()),)))
    assert run_in(made).stage == "Train"


def test_suspending_deletes_the_job() -> None:
    bot = a_bot_in("Train", suspend=True)
    job = a_job(bot)
    assert deleted(plan(an_observed(bot, jobs=(job,), pods=(a_pod(job),)))) == [(job.uid, "suspended")]


def test_a_result_that_came_before_the_suspension_is_kept() -> None:
    bot = a_bot_in("Train", suspend=True)
    job = a_complete_job(bot)
    made = plan(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, a_train_result()),)))
    assert (run_in(made).outcome, made.status.phase) == ("Succeeded", "Suspended")


def test_resuming_creates_the_job_again_under_its_name() -> None:
    bot = a_bot_in("Train")
    assert created(plan(an_observed(bot))) == [bot.status.current_run.job_name]  # type: ignore[union-attr]


def test_the_annotation_starts_another_run_and_is_recorded() -> None:
    bot = replace(a_bot_in("Train", run_fields={"outcome": "Succeeded", "reason": "Succeeded"}), retrain_at="now")
    made = plan(an_observed(bot))
    assert (run_in(made).number, run_in(made).trigger) == (2, "now")
    assert made.status.last_handled_retrain_at == "now"


@pytest.mark.parametrize(
    ("retrain_at", "force_at", "trigger"),
    [
        ("now", "now", "force/now"),
        ("now", "before", "now"),
        ("now", "", "now"),
        ("", "now", ""),
        ("n" * 64, "n" * 64, "force/" + "n" * 58),
    ],
)
def test_a_training_is_forced_by_the_same_value_of_both_annotations(
    retrain_at: str, force_at: str, trigger: str
) -> None:
    ended = a_bot_in("Train", run_fields={"outcome": "Succeeded", "reason": "Succeeded"})
    made = plan(an_observed(replace(ended, retrain_at=retrain_at, force_at=force_at)))
    assert run_in(made).trigger == trigger
    assert (made.status.last_handled_retrain_at or "") == retrain_at


FORCED: dict[str, Any] = {"outcome": "Succeeded", "reason": "Succeeded", "trigger": "force/now"}


@pytest.mark.parametrize(("retrain_at", "force_at"), [("now", "now"), ("now", ""), ("", "")])
def test_a_forced_run_is_no_other_run_once_it_was_handled(retrain_at: str, force_at: str) -> None:
    bot = a_bot_in("Train", run_fields=FORCED, status_fields={"last_handled_retrain_at": "now"})
    made = plan(an_observed(replace(bot, retrain_at=retrain_at, force_at=force_at)))
    assert (run_in(made).number, run_in(made).trigger) == (1, "force/now")


@pytest.mark.parametrize(("outcome", "trigger"), [("Succeeded", "now"), ("Failed", "force/now"), (None, "force/now")])
def test_what_was_forced_forces_no_training_of_a_later_spec(outcome: str | None, trigger: str) -> None:
    """A revert adopts what is published. An edit that corrects the forced run leaves it forced."""
    bot = a_bot_in(
        "Prepare", run_fields=FORCED | {"outcome": outcome}, status_fields={"last_handled_retrain_at": "now"}
    )
    edited = replace(bot, spec=a_bot(training={"seed": 7}).spec, retrain_at="now", force_at="now")
    made = plan(an_observed(edited))
    assert (run_in(made).number, run_in(made).trigger) == (2, trigger)
    again = plan(an_observed(replace(edited, status=made.status)))
    assert (run_in(again).number, run_in(again).trigger) == (2, trigger)


def test_removing_the_annotation_once_it_was_handled_starts_nothing() -> None:
    bot = a_bot_in(
        "Train",
        run_fields={"outcome": "Succeeded", "reason": "Succeeded", "trigger": "now"},
        status_fields={"last_handled_retrain_at": "now"},
    )
    made = plan(an_observed(bot))
    assert (made.status_first, run_in(made).number) == (False, 1)
