"""What a run has used up: its containers' seconds over all Pods and Jobs, and how often its Pods had to leave."""

from dataclasses import replace
from typing import Any

from builders.operator import (
    NOON,
    SETTINGS,
    a_bot_in,
    a_complete_job,
    a_failed_job,
    a_failed_pod,
    a_finished_pod,
    a_job,
    a_pod,
    a_prepare_result,
    a_refusal_of_the_trainer,
    a_train_result,
    an_observed,
    seconds_after_noon,
)
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.status import CurrentRun
from tweetbot_operator.decisions.plan import Plan, plan
from tweetbot_operator.jobs.job import build_job
from tweetbot_operator.types.actions import DeleteJob
from tweetbot_operator.types.objects import JobView, PodView

LIMIT = {"run": {"activeDeadlineSeconds": 100}}


def run_in(made: Plan) -> CurrentRun:
    assert made.status.current_run is not None
    return made.status.current_run


def after(bot: TweetBot, job: JobView, *pods: PodView, at: float = 0) -> TweetBot:
    """Return the bot with the status that a pass writes."""
    return replace(bot, status=plan(an_observed(bot, jobs=(job,), pods=pods, at=at)).status)


def a_preempted_pod(job: JobView, **changes: Any) -> PodView:
    """Return a Pod that ran for a minute and is about to be gone."""
    fields: dict[str, Any] = {
        "disrupted": True,
        "finished_at": seconds_after_noon(60),
        "deleting_at": seconds_after_noon(120),
    }
    return a_failed_pod(job, 143, **(fields | changes))


def test_counting_seconds_costs_an_undisturbed_run_no_write() -> None:
    bot = a_bot_in("Train")
    pod = a_finished_pod(a_job(bot), a_train_result())
    assert not plan(an_observed(bot, jobs=(a_job(bot),), pods=(pod,))).status_first


def test_the_end_records_the_seconds_and_pods_of_the_whole_stage() -> None:
    bot = a_bot_in("Train", run_fields={"pods": 1})
    job = a_complete_job(bot)
    first = a_failed_pod(job, 1, uid="first", finished_at=seconds_after_noon(60))
    last = a_finished_pod(job, a_train_result(), started_at=seconds_after_noon(70), finished_at=seconds_after_noon(100))
    run = run_in(plan(an_observed(bot, jobs=(job,), pods=(first, last), at=101)))
    assert (run.ran_seconds, run.pods) == (90, 3)


def test_the_train_stage_begins_with_no_seconds_and_the_pods_of_the_first() -> None:
    bot = a_bot_in("Prepare")
    job = a_complete_job(bot)
    pod = a_finished_pod(job, a_prepare_result(), finished_at=seconds_after_noon(50))
    run = run_in(plan(an_observed(bot, jobs=(job,), pods=(pod,))))
    assert (run.stage, run.ran_seconds, run.pods, run.counted_pods) == ("Train", 0, 1, ())


def test_a_pod_about_to_be_deleted_is_counted_once() -> None:
    bot = a_bot_in("Train", **LIMIT)
    job = a_job(bot)
    gone = a_preempted_pod(job)
    counted = after(bot, job, gone, at=61)
    assert run_in(plan(an_observed(counted, jobs=(job,), pods=(gone,), at=62))).ran_seconds == 60
    second = a_pod(job, uid="second", created_at=seconds_after_noon(70), started_at=seconds_after_noon(70))
    observed = an_observed(counted, jobs=(job,), pods=(second,), at=109)
    assert plan(observed).requeue_at == seconds_after_noon(110)
    run = run_in(plan(replace(observed, now=seconds_after_noon(110))))
    assert (run.reason, run.ran_seconds) == ("DeadlineExceeded", 100)


def test_a_terminating_pod_is_counted_once_it_has_ended() -> None:
    bot = a_bot_in("Train")
    ending = a_pod(a_job(bot), deleting_at=seconds_after_noon(120))
    assert run_in(plan(an_observed(bot, jobs=(a_job(bot),), pods=(ending,), at=30))).counted_pods == ()


def test_seconds_before_a_suspension_count_after_it() -> None:
    bot = a_bot_in("Train", suspend=True)
    job = a_job(bot, deleted_at=NOON)
    suspended = after(bot, job, a_failed_pod(job, 143, finished_at=seconds_after_noon(40)), at=41)
    assert suspended.status.current_run is not None
    assert suspended.status.current_run.ran_seconds == 40


def test_seconds_of_a_retry_count_in_the_next_and_shorten_its_jobs_deadline() -> None:
    bot = a_bot_in("Train", **LIMIT)
    job = a_failed_job(bot)
    said = a_refusal_of_the_trainer("StorageUnavailable", "S3 does not answer")
    paused = after(bot, job, a_failed_pod(job, 75, said=said, finished_at=seconds_after_noon(30)), at=31)
    run = paused.status.current_run
    assert run is not None
    assert (run.retries, run.ran_seconds) == (1, 30)
    limits = [build_job(bot, of, SETTINGS)["spec"]["activeDeadlineSeconds"] for of in (run, run_of(bot))]
    assert limits[1] - limits[0] == 30


def run_of(bot: TweetBot) -> CurrentRun:
    assert bot.status.current_run is not None
    return bot.status.current_run


def test_another_execution_has_the_whole_time_again() -> None:
    old = a_bot_in("Train", run_fields={"outcome": "Failed", "reason": "DeadlineExceeded", "ran_seconds": 7200})
    bot = replace(old, spec=a_bot_in("Train", resources={"memory": "32Gi"}).spec)
    assert run_in(plan(an_observed(bot))).ran_seconds == 0


def test_the_old_executions_pod_is_not_counted_against_the_new_one() -> None:
    old = a_bot_in("Train")
    job = a_job(old, deleted_at=NOON)
    bot = after(replace(old, spec=a_bot_in("Train", resources={"memory": "32Gi"}).spec), job)
    pod = a_failed_pod(job, 143, finished_at=seconds_after_noon(40))
    assert run_in(plan(an_observed(bot, jobs=(job,), pods=(pod,), at=41))).ran_seconds == 0


def test_a_pod_that_succeeds_at_the_last_moment_counts() -> None:
    bot = a_bot_in("Train", **LIMIT)
    pod = a_finished_pod(a_job(bot), a_train_result(), finished_at=seconds_after_noon(101))
    assert run_in(plan(an_observed(bot, jobs=(a_job(bot),), pods=(pod,), at=102))).outcome is None


# ---- disruptions


def test_the_twentieth_disruption_ends_the_retry_and_the_next_counts_from_zero() -> None:
    bot = a_bot_in("Train", run_fields={"disruptions": 19, "ran_seconds": 900})
    job = a_job(bot)
    paused = after(bot, job, a_preempted_pod(job))
    run = run_of(paused)
    assert (run.reason, run.retries, run.disruptions, run.ran_seconds) == ("PreemptedTooOften", 1, 0, 960)
    assert paused.status.find_condition("Progressing").reason == "RetryBackoff"  # type: ignore[union-attr]
    made = plan(an_observed(paused, jobs=(job,)))
    assert made.actions == (DeleteJob(job, "outdated"),)
    assert run_in(made).retries == 1


def test_nineteen_disruptions_do_not_end_the_retry() -> None:
    bot = a_bot_in("Train", run_fields={"disruptions": 18})
    job = a_job(bot)
    run = run_of(after(bot, job, a_preempted_pod(job)))
    assert (run.reason, run.disruptions, run.pods) == (None, 19, 0)


def test_a_second_eviction_for_memory_fails_the_run() -> None:
    bot = a_bot_in("Train")
    job = a_job(bot)
    words = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 81816Ki."
    first = a_failed_pod(job, 137, uid="first", disrupted=True, eviction=words)
    assert run_in(plan(an_observed(bot, jobs=(job,), pods=(first,)))).outcome is None
    run = run_in(plan(an_observed(bot, jobs=(job,), pods=(first, replace(first, uid="second")))))
    assert run.reason == "OutOfMemory"
    assert "Threshold quantity" in (run.message or "")


def test_evictions_for_disk_do_not_count_as_memory() -> None:
    bot = a_bot_in("Train")
    job = a_job(bot)
    pods = [
        a_failed_pod(job, 137, uid=uid, disrupted=True, eviction="The node was low on resource: ephemeral-storage.")
        for uid in ("first", "second")
    ]
    assert run_of(after(bot, job, *pods)).outcome is None


def test_a_jobs_deadline_used_up_by_disruptions_costs_a_pause_and_not_the_run() -> None:
    bot = a_bot_in("Train", run_fields={"disruptions": 3})
    job = a_failed_job(bot, reason="DeadlineExceeded", message="Job was active longer than specified deadline")
    run = run_of(after(bot, job))
    assert (run.outcome, run.reason, run.retries) == (None, "PreemptedTooOften", 1)


def test_a_jobs_deadline_without_disruptions_fails_the_run() -> None:
    bot = a_bot_in("Train")
    job = a_failed_job(bot, reason="DeadlineExceeded", message="Job was active longer than specified deadline")
    run = run_of(after(bot, job))
    assert (run.outcome, run.reason) == ("Failed", "DeadlineExceeded")
    assert "active longer" in (run.message or "")


def test_no_more_pods_are_remembered_than_fit_the_status() -> None:
    bot = a_bot_in("Train", run_fields={"counted_pods": tuple(f"pod-{number}" for number in range(64))})
    job = a_job(bot)
    known = tuple(a_preempted_pod(job, uid=f"pod-{number}", created_at=NOON) for number in range(65))
    assert len(run_of(after(bot, job, *known)).counted_pods) == 64
