"""The decision, one sentence a rule: what is recorded first, what is created, what is deleted, what is asked."""

from dataclasses import replace
from typing import Any

import pytest

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
    a_refusal_of_the_trainer,
    a_run,
    a_train_result,
    a_waiting_pod,
    an_observed,
    seconds_after_noon,
)
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.status import CurrentRun, TrackingStatus
from tweetbot_operator.decisions.plan import Plan, plan
from tweetbot_operator.decisions.run import compute_retry_delay
from tweetbot_operator.types.actions import CreateJob, DeleteJob, ListEvents, ListPods
from tweetbot_operator.types.objects import CreateFailure, Diagnostics, Observed


def planned(observed: Observed) -> Plan:
    return plan(observed)


def run_in(made: Plan) -> CurrentRun:
    assert made.status.current_run is not None
    return made.status.current_run


def created(made: Plan) -> list[str]:
    return [action.manifest["metadata"]["name"] for action in made.actions if isinstance(action, CreateJob)]


def deleted(made: Plan) -> list[tuple[str, str]]:
    return [(action.job.uid, action.why) for action in made.actions if isinstance(action, DeleteJob)]


# ---- the beginning


def test_a_new_run_is_recorded_before_anything_is_done_for_it() -> None:
    made = planned(an_observed(a_bot()))
    assert (made.status_first, made.actions) == (True, ())
    assert (run_in(made).number, run_in(made).stage, run_in(made).outcome) == (1, "Prepare", None)


def test_a_recorded_run_gets_its_prepare_job() -> None:
    bot = a_bot_in("Prepare")
    assert created(planned(an_observed(bot))) == [a_run(bot).job_name]


def test_a_run_whose_job_is_there_needs_nothing() -> None:
    bot = a_bot_in("Prepare")
    assert planned(an_observed(bot, jobs=(a_job(bot),), pods=(a_pod(a_job(bot)),))).actions == ()


def test_a_suspended_bot_is_recorded_and_gets_no_job() -> None:
    assert planned(an_observed(a_bot_in("Prepare", suspend=True))).actions == ()


# ---- prepare to train


def test_a_dataset_is_recorded_before_the_train_job_is_made() -> None:
    bot = a_bot_in("Prepare")
    job = a_complete_job(bot)
    made = planned(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, a_prepare_result()),)))
    assert (made.status_first, created(made)) == (True, [])
    assert (run_in(made).stage, run_in(made).dataset) == ("Train", DIGEST)
    assert (run_in(made).job_name or "").endswith("-train")


def test_a_recorded_dataset_gets_its_train_job() -> None:
    bot = a_bot_in("Train")
    assert created(planned(an_observed(bot))) == [a_run(bot, stage="Train").job_name]


def test_an_adopted_model_ends_the_run_without_a_train_job() -> None:
    bot = a_bot_in("Prepare")
    job = a_complete_job(bot)
    result = a_prepare_result(adopted=a_train_result())
    made = planned(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, result),)))
    assert (run_in(made).outcome, run_in(made).reason) == ("Succeeded", "Adopted")
    assert made.status.model is not None
    assert created(planned(an_observed(replace(bot, status=made.status), jobs=(job,)))) == []


def test_a_train_result_becomes_the_served_model() -> None:
    bot = a_bot_in("Train")
    job = a_complete_job(bot)
    made = planned(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, a_train_result(wandb_url="https://w/1")),)))
    assert run_in(made).outcome == "Succeeded"
    assert made.status.model is not None
    assert made.status.model.run_id == run_in(made).id
    assert made.status.metrics == a_train_result().metrics
    assert made.status.samples == a_train_result().samples
    assert made.status.tracking is not None
    assert made.status.tracking.wandb_url == "https://w/1"


def test_the_result_of_one_stage_does_not_count_for_the_other() -> None:
    bot = a_bot_in("Train")
    job = a_complete_job(bot)
    found = Diagnostics(searched=frozenset({job.uid}))
    made = planned(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, a_prepare_result()),), diagnostics=found))
    assert (run_in(made).outcome, run_in(made).reason) == ("Failed", "TrainerBug")


# ---- the end


def test_a_run_that_has_ended_is_never_run_again_because_its_job_is_gone() -> None:
    for outcome in ("Succeeded", "Failed"):
        made = planned(an_observed(a_bot_in("Train", run_fields={"outcome": outcome, "reason": "X"})))
        assert (made.status_first, made.actions) == (False, ())


def test_a_job_is_deleted_an_hour_after_success_and_requeued_for_it() -> None:
    bot = a_bot_in("Train", run_fields={"outcome": "Succeeded", "reason": "Succeeded"})
    job = a_complete_job(bot)
    before = planned(an_observed(bot, jobs=(job,), at=3599))
    assert (before.actions, before.requeue_at) == ((), seconds_after_noon(3600))
    assert deleted(planned(an_observed(bot, jobs=(job,), at=3600))) == [(job.uid, "expired")]


def test_a_job_is_deleted_a_day_after_failure() -> None:
    bot = a_bot_in("Train", run_fields={"outcome": "Failed", "reason": "Diverged"})
    job = a_failed_job(bot)
    assert planned(an_observed(bot, jobs=(job,), at=86399)).actions == ()
    assert deleted(planned(an_observed(bot, jobs=(job,), at=86400))) == [(job.uid, "expired")]


def test_a_job_whose_result_was_not_read_never_expires() -> None:
    bot = a_bot_in("Train")
    made = planned(an_observed(bot, jobs=(a_complete_job(bot),), at=10**7))
    assert deleted(made) == []
    assert [type(action) for action in made.actions] == [ListPods]


# ---- results that are hard to come by


def test_a_complete_job_without_a_message_in_the_cache_has_its_pods_listed() -> None:
    bot = a_bot_in("Prepare")
    job = a_complete_job(bot)
    assert planned(an_observed(bot, jobs=(job,), pods=(a_pod(job),))).actions == (ListPods(job),)


def test_a_lost_result_runs_the_stage_again_and_costs_no_attempt() -> None:
    bot = a_bot_in("Prepare")
    job = a_complete_job(bot)
    made = planned(an_observed(bot, jobs=(job,), diagnostics=Diagnostics(searched=frozenset({job.uid}))))
    assert deleted(made) == [(job.uid, "outdated")]
    assert run_in(made) == bot.status.current_run


def test_a_failed_job_whose_last_pod_was_not_seen_to_end_has_its_pods_listed() -> None:
    bot = a_bot_in("Prepare")
    job = a_failed_job(bot, failed_pods=2)
    assert planned(an_observed(bot, jobs=(job,), pods=(a_failed_pod(job, 1),))).actions == (ListPods(job),)


# ---- edits


def test_an_edit_of_what_is_trained_starts_another_run_and_ends_the_old_job() -> None:
    old = a_bot_in("Train")
    job = a_job(old)
    bot = replace(old, spec=a_bot(filter={"minWords": 5}).spec, generation=2)
    made = planned(an_observed(bot, jobs=(job,), pods=(a_pod(job),)))
    assert (made.status_first, run_in(made).number, run_in(made).stage) == (True, 2, "Prepare")
    made = planned(an_observed(replace(bot, status=made.status), jobs=(job,), pods=(a_pod(job),)))
    assert (deleted(made), created(made)) == ([(job.uid, "superseded")], [])


def test_a_new_run_waits_until_no_pod_of_the_old_one_is_left() -> None:
    bot = a_bot_in("Prepare")
    leftover = a_pod(a_job(bot, uid="gone"), deleting_at=seconds_after_noon(60))
    assert created(planned(an_observed(bot, pods=(leftover,)))) == []
    assert created(planned(an_observed(bot, pods=(replace(leftover, phase="Failed"),)))) != []


def test_an_edit_of_the_execution_replaces_the_job_under_the_same_run_id() -> None:
    old = a_bot_in("Train", run_fields={"attempt": 2})
    job = a_job(old)
    bot = replace(old, spec=a_bot(resources={"memory": "32Gi"}).spec, generation=2)
    made = planned(an_observed(bot, jobs=(job,), pods=(a_pod(job),)))
    assert (made.status_first, run_in(made).id, run_in(made).attempt) == (True, a_run(old).id, 1)
    made = planned(an_observed(replace(bot, status=made.status), jobs=(job,), pods=(a_pod(job),)))
    assert deleted(made) == [(job.uid, "outdated")]


def test_raising_the_memory_after_an_out_of_memory_restarts_the_run() -> None:
    old = a_bot_in("Train", run_fields={"outcome": "Failed", "reason": "OutOfMemory", "message": "raise it"})
    job = a_failed_job(old)
    bot = replace(old, spec=a_bot(resources={"memory": "32Gi"}).spec, generation=2)
    made = planned(an_observed(bot, jobs=(job,)))
    assert (run_in(made).outcome, run_in(made).stage, run_in(made).dataset) == (None, "Train", DIGEST)
    assert deleted(planned(an_observed(replace(bot, status=made.status), jobs=(job,)))) == [(job.uid, "outdated")]


def test_an_edit_of_the_execution_does_nothing_to_a_run_that_succeeded() -> None:
    old = a_bot_in("Train", run_fields={"outcome": "Succeeded", "reason": "Succeeded"})
    bot = replace(old, spec=a_bot(resources={"memory": "32Gi"}).spec, generation=2)
    made = planned(an_observed(bot))
    assert (made.status_first, made.actions) == (False, ())


def test_going_back_to_a_run_whose_job_failed_tries_it_again() -> None:
    bot = a_bot_in("Prepare", run_fields={"number": 3})
    job = a_failed_job(bot, creation_key="1-0")
    assert deleted(planned(an_observed(bot, jobs=(job,)))) == [(job.uid, "outdated")]


def test_going_back_to_a_run_whose_job_had_completed_runs_it_again() -> None:
    bot = a_bot_in("Prepare", run_fields={"number": 3, "started_at": "2026-01-01T12:00:01Z"})
    job = a_complete_job(bot, creation_key="1-0")
    made = planned(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, a_prepare_result()),)))
    assert (deleted(made), run_in(made).stage) == ([(job.uid, "outdated")], "Prepare")


def test_going_back_to_a_run_whose_job_completes_meanwhile_takes_its_result() -> None:
    bot = a_bot_in("Prepare", run_fields={"number": 3})
    job = a_complete_job(bot, creation_key="1-0")
    made = planned(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, a_prepare_result()),)))
    assert run_in(made).stage == "Train"


# ---- suspend and resume


def test_suspending_deletes_the_job() -> None:
    bot = a_bot_in("Train", suspend=True)
    job = a_job(bot)
    assert deleted(planned(an_observed(bot, jobs=(job,), pods=(a_pod(job),)))) == [(job.uid, "suspended")]


def test_a_result_that_came_before_the_suspension_is_kept() -> None:
    bot = a_bot_in("Train", suspend=True)
    job = a_complete_job(bot)
    made = planned(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, a_train_result()),)))
    assert (run_in(made).outcome, made.status.phase) == ("Succeeded", "Suspended")


def test_resuming_creates_the_job_again_under_its_name() -> None:
    bot = a_bot_in("Train")
    assert created(planned(an_observed(bot))) == [bot.status.current_run.job_name]  # type: ignore[union-attr]


# ---- retrain-at


def test_the_annotation_starts_another_run_and_is_recorded() -> None:
    bot = replace(a_bot_in("Train", run_fields={"outcome": "Succeeded", "reason": "Succeeded"}), retrain_at="now")
    made = planned(an_observed(bot))
    assert (run_in(made).number, run_in(made).trigger) == (2, "now")
    assert made.status.last_handled_retrain_at == "now"


def test_removing_the_annotation_once_it_was_handled_starts_nothing() -> None:
    bot = a_bot_in(
        "Train",
        run_fields={"outcome": "Succeeded", "reason": "Succeeded", "trigger": "now"},
        status_fields={"last_handled_retrain_at": "now"},
    )
    made = planned(an_observed(bot))
    assert (made.status_first, run_in(made).number) == (False, 1)


# ---- temporary faults


def interrupted(bot: TweetBot, at: float = 0) -> Plan:
    job = a_failed_job(bot)
    pod = a_failed_pod(job, 75, said=a_refusal_of_the_trainer("StorageUnavailable", "S3 does not answer"))
    return planned(an_observed(bot, jobs=(job,), pods=(pod,), at=at))


@pytest.mark.parametrize(("retries", "minutes"), [(0, 5), (1, 10), (2, 20), (3, 40), (4, 60), (10, 60)])
def test_pauses_double_up_to_an_hour(retries: int, minutes: int) -> None:
    made = interrupted(a_bot_in("Train", run_fields={"retries": retries}) if retries == 0 else at_round(retries))
    assert run_in(made).retries == retries + 1
    assert run_in(made).retry_at == seconds_after_noon(minutes * 60).strftime("%Y-%m-%dT%H:%M:%SZ")


def at_round(retries: int) -> TweetBot:
    return a_bot_in("Train", run_fields={"retries": retries})


def test_a_fault_that_lasts_a_day_fails_the_run_with_its_own_reason() -> None:
    made = interrupted(at_round(40))
    assert (run_in(made).outcome, run_in(made).reason) == ("Failed", "StorageUnavailable")


def test_the_former_retrys_job_is_deleted_and_the_next_waits_for_its_time() -> None:
    before = at_round(0)
    job = a_failed_job(before)
    bot = replace(before, status=interrupted(before).status)
    assert deleted(planned(an_observed(bot, jobs=(job,)))) == [(job.uid, "outdated")]
    early = planned(an_observed(bot, at=299))
    assert (early.actions, early.requeue_at) == ((), seconds_after_noon(300))
    assert len(created(planned(an_observed(bot, at=300)))) == 1


# ---- things in the way


def test_a_waiting_pods_events_are_listed_only_after_a_while() -> None:
    bot = a_bot_in("Prepare")
    pod = a_waiting_pod(a_job(bot))
    early = planned(an_observed(bot, jobs=(a_job(bot),), pods=(pod,), at=29))
    assert (early.actions, early.requeue_at) == ((), seconds_after_noon(30))
    assert planned(an_observed(bot, jobs=(a_job(bot),), pods=(pod,), at=30)).actions == (ListEvents(pod),)


def test_a_pod_that_never_starts_fails_the_run_and_its_job_is_deleted() -> None:
    bot = a_bot_in("Prepare")
    pod = a_waiting_pod(a_job(bot), scheduled_at=None, unschedulable="0/3 nodes are available")
    observed = an_observed(bot, jobs=(a_job(bot),), pods=(pod,), at=600)
    made = planned(observed)
    assert (run_in(made).outcome, run_in(made).reason) == ("Failed", "StartDeadlineExceeded")
    assert "0/3 nodes are available" in (run_in(made).message or "")
    assert deleted(planned(replace(observed, bot=replace(bot, status=made.status)))) == [("uid-prepare", "overtaken")]


def test_a_stage_that_runs_too_long_fails_the_run_counting_all_its_pods() -> None:
    bot = a_bot_in("Train", run={"activeDeadlineSeconds": 100}, run_fields={"attempt": 2})
    job = a_job(bot, failed_pods=1)
    first = a_failed_pod(job, 1, uid="first", name="a", finished_at=seconds_after_noon(60))
    second = a_pod(job, created_at=seconds_after_noon(70), started_at=seconds_after_noon(70))
    observed = an_observed(bot, jobs=(job,), pods=(first, second), at=109)
    assert planned(observed).requeue_at == seconds_after_noon(110)
    made = planned(replace(observed, now=seconds_after_noon(110)))
    assert (run_in(made).outcome, run_in(made).reason) == ("Failed", "DeadlineExceeded")


def test_a_refused_job_is_tried_again_only_after_its_pause() -> None:
    bot = a_bot_in("Prepare")
    run = a_run(bot)
    refusal = CreateFailure(run.job_name or "", run.execution, "JobRefused", "quota", 1, seconds_after_noon(2))
    early = planned(an_observed(bot, diagnostics=Diagnostics(create_failure=refusal), at=1))
    assert (early.actions, early.requeue_at) == ((), seconds_after_noon(2))
    assert len(created(planned(an_observed(bot, diagnostics=Diagnostics(create_failure=refusal), at=2)))) == 1


def test_an_edit_tries_a_refused_job_at_once() -> None:
    bot = a_bot_in("Prepare")
    refusal = CreateFailure(a_run(bot).job_name or "", "another", "JobRefused", "quota", 9, seconds_after_noon(300))
    assert len(created(planned(an_observed(bot, diagnostics=Diagnostics(create_failure=refusal))))) == 1


def test_a_spec_too_long_for_an_env_variable_is_reported_and_creates_no_job() -> None:
    values = ["v" * 60 + str(number) for number in range(20)]
    expressions = [{"key": f"{'k' * 200}{n}", "operator": "In", "values": values} for n in range(10)]
    terms = [{"matchExpressions": expressions}] * 5
    affinity = {"required": terms, "preferred": [{"weight": 1, "preference": term} for term in terms]}
    made = planned(an_observed(a_bot_in("Prepare", scheduling={"affinity": affinity})))
    assert created(made) == []
    assert reason(made, "Stalled") == "JobRefused"


def reason(made: Plan, type_: str) -> Any:
    found = made.status.find_condition(type_)
    return found and found.reason


def test_the_same_state_gives_the_same_plan() -> None:
    observed = an_observed(a_bot_in("Train"))
    assert planned(observed) == planned(observed)


def test_attempts_are_counted_in_the_status() -> None:
    bot = a_bot_in("Train")
    job = a_job(bot, failed_pods=1)
    pods = (a_failed_pod(job, 1, uid="first", name="a"), a_pod(job))
    assert run_in(planned(an_observed(bot, jobs=(job,), pods=pods))).attempt == 2


def test_an_unreadable_result_is_reported_as_a_bug() -> None:
    bot = a_bot_in("Prepare")
    job = a_complete_job(bot)
    pod = replace(a_finished_pod(job, a_prepare_result()), message="{half a message")
    assert planned(an_observed(bot, jobs=(job,), pods=(pod,))).actions == (ListPods(job),)
    found = Diagnostics(searched=frozenset({job.uid}))
    made = planned(an_observed(bot, jobs=(job,), pods=(pod,), diagnostics=found))
    assert (run_in(made).reason, "half a message" in (run_in(made).message or "")) == ("TrainerBug", False)


def test_a_job_that_never_gets_a_pod_fails_the_run_at_its_start_deadline() -> None:
    bot = a_bot_in("Prepare")
    assert planned(an_observed(bot, jobs=(a_job(bot),), at=599)).requeue_at == seconds_after_noon(600)
    made = planned(an_observed(bot, jobs=(a_job(bot),), at=600))
    assert run_in(made).reason == "StartDeadlineExceeded"
    assert "no Pod was created" in (run_in(made).message or "")


def test_a_new_run_forgets_the_former_runs_tracking_page() -> None:
    old = a_bot_in("Prepare", status_fields={"tracking": TrackingStatus(wandb_url="https://w/old")})
    job = a_complete_job(old)
    made = planned(an_observed(old, jobs=(job,), pods=(a_finished_pod(job, a_prepare_result()),)))
    assert made.status.tracking is None


def test_pauses_between_retries_sum_to_a_day_and_no_more() -> None:
    last = next(number for number in range(1, 100) if compute_retry_delay(number + 1) is None)
    pauses = [compute_retry_delay(number) for number in range(1, last + 1)]
    assert 82800 < sum(pause for pause in pauses if pause) <= 86400
