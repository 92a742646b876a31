"""A run from its record to its end: what is recorded first, what is created, deleted and listed."""

from dataclasses import replace

from builders.operator import (
    DIGEST,
    a_bot,
    a_bot_in,
    a_complete_job,
    a_failed_job,
    a_failed_pod,
    a_finished_pod,
    a_job,
    a_pod,
    a_prepare_result,
    a_run,
    a_train_result,
    an_observed,
    seconds_after_noon,
)
from builders.plans import created, deleted, run_in
from tweetbot_contract.status import TrackingStatus
from tweetbot_operator.decisions.plan import plan
from tweetbot_operator.types.actions import ListPods
from tweetbot_operator.types.objects import Diagnostics


def test_a_new_run_is_recorded_before_anything_is_done_for_it() -> None:
    made = plan(an_observed(a_bot()))
    assert (made.status_first, made.actions) == (True, ())
    assert (run_in(made).number, run_in(made).stage, run_in(made).outcome) == (1, "Prepare", None)


def test_a_recorded_run_gets_its_prepare_job() -> None:
    bot = a_bot_in("Prepare")
    assert created(plan(an_observed(bot))) == [a_run(bot).job_name]


def test_a_run_whose_job_is_there_needs_nothing() -> None:
    bot = a_bot_in("Prepare")
    assert plan(an_observed(bot, jobs=(a_job(bot),), pods=(a_pod(a_job(bot)),))).actions == ()


def test_a_suspended_bot_is_recorded_and_gets_no_job() -> None:
    assert plan(an_observed(a_bot_in("Prepare", suspend=True))).actions == ()


def test_a_dataset_is_recorded_before_the_train_job_is_made() -> None:
    bot = a_bot_in("Prepare")
    job = a_complete_job(bot)
    made = plan(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, a_prepare_result()),)))
    assert (made.status_first, created(made)) == (True, [])
    assert (run_in(made).stage, run_in(made).dataset) == ("Train", DIGEST)
    assert (run_in(made).job_name or "").endswith("-train")


def test_a_recorded_dataset_gets_its_train_job() -> None:
    bot = a_bot_in("Train")
    assert created(plan(an_observed(bot))) == [a_run(bot, stage="Train").job_name]


def test_an_adopted_model_ends_the_run_without_a_train_job() -> None:
    bot = a_bot_in("Prepare")
    job = a_complete_job(bot)
    result = a_prepare_result(adopted=a_train_result())
    made = plan(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, result),)))
    assert (run_in(made).outcome, run_in(made).reason) == ("Succeeded", "Adopted")
    assert made.status.model is not None
    assert created(plan(an_observed(replace(bot, status=made.status), jobs=(job,)))) == []


def test_a_train_result_becomes_the_served_model() -> None:
    bot = a_bot_in("Train")
    job = a_complete_job(bot)
    made = plan(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, a_train_result(wandb_url="https://w/1")),)))
    assert run_in(made).outcome == "Succeeded"
    assert made.status.model is not None
    assert made.status.model.run_id == run_in(made).id
    assert made.status.metrics == a_train_result().metrics
    assert made.status.samples == a_train_result().samples
    assert made.status.tracking is not None
    assert made.status.tracking.wandb_url == "https://w/1"


def test_the_report_of_a_bot_is_linked_from_its_status() -> None:
    bot = a_bot_in("Train", status_fields={"tracking": TrackingStatus(wandb_url="https://w/prepare")})
    job = a_complete_job(bot)
    result = a_train_result(wandb_url="https://w/1", report_url="https://w/reports/gull--1")
    tracking = plan(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, result),))).status.tracking
    assert tracking == TrackingStatus(wandb_url="https://w/1", report_url="https://w/reports/gull--1")


def test_the_result_of_one_stage_does_not_count_for_the_other() -> None:
    bot = a_bot_in("Train")
    job = a_complete_job(bot)
    found = Diagnostics(searched=frozenset({job.uid}))
    made = plan(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, a_prepare_result()),), diagnostics=found))
    assert (run_in(made).outcome, run_in(made).reason) == ("Failed", "TrainerBug")


def test_a_run_that_has_ended_is_never_run_again_because_its_job_is_gone() -> None:
    for outcome in ("Succeeded", "Failed"):
        made = plan(an_observed(a_bot_in("Train", run_fields={"outcome": outcome, "reason": "X"})))
        assert (made.status_first, made.actions) == (False, ())


def test_a_job_is_deleted_an_hour_after_success_and_requeued_for_it() -> None:
    bot = a_bot_in("Train", run_fields={"outcome": "Succeeded", "reason": "Succeeded"})
    job = a_complete_job(bot)
    before = plan(an_observed(bot, jobs=(job,), at=3599))
    assert (before.actions, before.requeue_at) == ((), seconds_after_noon(3600))
    assert deleted(plan(an_observed(bot, jobs=(job,), at=3600))) == [(job.uid, "expired")]


def test_a_job_is_deleted_a_day_after_failure() -> None:
    bot = a_bot_in("Train", run_fields={"outcome": "Failed", "reason": "Diverged"})
    job = a_failed_job(bot)
    assert plan(an_observed(bot, jobs=(job,), at=86399)).actions == ()
    assert deleted(plan(an_observed(bot, jobs=(job,), at=86400))) == [(job.uid, "expired")]


def test_a_job_whose_result_was_not_read_never_expires() -> None:
    bot = a_bot_in("Train")
    made = plan(an_observed(bot, jobs=(a_complete_job(bot),), at=10**7))
    assert deleted(made) == []
    assert [type(action) for action in made.actions] == [ListPods]


def test_a_complete_job_without_a_message_in_the_cache_has_its_pods_listed() -> None:
    bot = a_bot_in("Prepare")
    job = a_complete_job(bot)
    assert plan(an_observed(bot, jobs=(job,), pods=(a_pod(job),))).actions == (ListPods(job),)


def test_a_lost_result_runs_the_stage_again_and_costs_no_attempt() -> None:
    bot = a_bot_in("Prepare")
    job = a_complete_job(bot)
    made = plan(an_observed(bot, jobs=(job,), diagnostics=Diagnostics(searched=frozenset({job.uid}))))
    assert deleted(made) == [(job.uid, "outdated")]
    assert run_in(made) == bot.status.current_run


def test_a_failed_job_whose_last_pod_was_not_seen_to_end_has_its_pods_listed() -> None:
    bot = a_bot_in("Prepare")
    job = a_failed_job(bot, failed_pods=2)
    assert plan(an_observed(bot, jobs=(job,), pods=(a_failed_pod(job, 1),))).actions == (ListPods(job),)


def test_the_same_state_gives_the_same_plan() -> None:
    observed = an_observed(a_bot_in("Train"))
    assert plan(observed) == plan(observed)


def test_an_unreadable_result_is_reported_as_a_bug() -> None:
    bot = a_bot_in("Prepare")
    job = a_complete_job(bot)
    pod = replace(a_finished_pod(job, a_prepare_result()), message="{half a message")
    assert plan(an_observed(bot, jobs=(job,), pods=(pod,))).actions == (ListPods(job),)
    found = Diagnostics(searched=frozenset({job.uid}))
    made = plan(an_observed(bot, jobs=(job,), pods=(pod,), diagnostics=found))
    assert (run_in(made).reason, "half a message" in (run_in(made).message or "")) == ("TrainerBug", False)


def test_a_new_run_forgets_the_former_runs_tracking_page() -> None:
    old = a_bot_in("Prepare", status_fields={"tracking": TrackingStatus(wandb_url="https://w/old")})
    job = a_complete_job(old)
    made = plan(an_observed(old, jobs=(job,), pods=(a_finished_pod(job, a_prepare_result()),)))
    assert made.status.tracking is None
