"""Temporary faults, deadlines and refused Jobs: when a run tries again, and when it fails."""

from dataclasses import replace

import pytest

from builders.operator import (
    a_bot_in,
    a_failed_job,
    a_failed_pod,
    a_job,
    a_pod,
    a_refusal_of_the_trainer,
    a_run,
    a_waiting_pod,
    an_observed,
    seconds_after_noon,
)
from builders.plans import created, deleted, reason_in, run_in
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.spec.scheduling import Resources
from tweetbot_operator.decisions.plan import Plan, plan
from tweetbot_operator.decisions.run import compute_retry_delay
from tweetbot_operator.types.actions import CreateJob, ListEvents
from tweetbot_operator.types.creations import CreateFailure
from tweetbot_operator.types.objects import Diagnostics, JobView, PodView


def interrupted(bot: TweetBot, at: float = 0) -> Plan:
    job = a_failed_job(bot)
    pod = a_failed_pod(job, 75, said=a_refusal_of_the_trainer("StorageUnavailable", "S3 does not answer"))
    return plan(an_observed(bot, jobs=(job,), pods=(pod,), at=at))


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
    assert deleted(plan(an_observed(bot, jobs=(job,)))) == [(job.uid, "outdated")]
    early = plan(an_observed(bot, at=299))
    assert (early.actions, early.requeue_at) == ((), seconds_after_noon(300))
    assert len(created(plan(an_observed(bot, at=300)))) == 1


def unusable(job: JobView, node: str, reason: str = "AcceleratorUnusable") -> PodView:
    pod = a_failed_pod(job, 75, said=a_refusal_of_the_trainer(reason, "torch finds no GPU"))
    return replace(pod, name=f"{job.name}-{node}", uid=f"pod-on-{node}", node=node)


@pytest.mark.parametrize(
    ("reason", "avoided", "message"),
    [
        ("AcceleratorUnusable", ("one", "two"), "torch finds no GPU. Nodes: one, two."),
        ("StorageUnavailable", (), "torch finds no GPU"),
    ],
)
def test_the_next_job_prefers_nodes_whose_gpu_has_not_failed(
    reason: str, avoided: tuple[str, ...], message: str
) -> None:
    """A node with a broken driver is free at once after each failure, and took every attempt."""
    affinity = {"preferred": [{"weight": 1, "preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}]}
    before = a_bot_in("Train", scheduling={"affinity": affinity})
    job = a_failed_job(before)
    pods = tuple(unusable(job, node, reason) for node in ("one", "two"))
    made = plan(an_observed(before, jobs=(job,), pods=pods))
    assert (run_in(made).avoided_nodes, run_in(made).message) == (avoided, message)
    bot = replace(before, status=made.status)
    (action,) = [each for each in plan(an_observed(bot, at=300)).actions if isinstance(each, CreateJob)]
    node_affinity = action.manifest["spec"]["template"]["spec"]["affinity"]["nodeAffinity"]
    added = node_affinity["preferredDuringSchedulingIgnoredDuringExecution"][1:]
    fields = [{"key": "metadata.name", "operator": "NotIn", "values": [node]} for node in avoided]
    assert added == ([{"weight": 100, "preference": {"matchFields": fields}}] if fields else [])


def test_a_long_report_leaves_room_for_its_node_and_a_pod_without_a_report_is_passed_over() -> None:
    bot = a_bot_in("Train")
    job = a_failed_job(bot)
    told = a_failed_pod(job, 75, said=a_refusal_of_the_trainer("AcceleratorUnusable", "x" * 1024), node="two")
    silent = replace(a_failed_pod(job, 137, node="one"), uid="silent", name="a")
    message = run_in(plan(an_observed(bot, jobs=(job,), pods=(silent, told)))).message or ""
    assert (len(message), message.endswith("x. Nodes: two.") or message.endswith("…. Nodes: two.")) == (1024, True)


def test_an_edit_forgets_which_nodes_were_avoided() -> None:
    before = a_bot_in("Train", run_fields={"avoided_nodes": ("one",)})
    edited = replace(before, spec=before.spec.model_copy(update={"resources": Resources(memory="5Gi")}))
    assert run_in(plan(an_observed(edited))).avoided_nodes == ()


def test_a_waiting_pods_events_are_listed_only_after_a_while() -> None:
    bot = a_bot_in("Prepare")
    pod = a_waiting_pod(a_job(bot))
    early = plan(an_observed(bot, jobs=(a_job(bot),), pods=(pod,), at=19))
    assert (early.actions, early.requeue_at) == ((), seconds_after_noon(20))
    assert plan(an_observed(bot, jobs=(a_job(bot),), pods=(pod,), at=20)).actions == (ListEvents(pod),)


def test_a_pod_that_never_starts_fails_the_run_and_its_job_is_deleted() -> None:
    bot = a_bot_in("Prepare")
    pod = a_waiting_pod(a_job(bot), scheduled_at=None, unschedulable="0/3 nodes are available")
    observed = an_observed(bot, jobs=(a_job(bot),), pods=(pod,), at=600)
    made = plan(observed)
    assert (run_in(made).outcome, run_in(made).reason) == ("Failed", "StartDeadlineExceeded")
    assert "0/3 nodes are available" in (run_in(made).message or "")
    assert deleted(plan(replace(observed, bot=replace(bot, status=made.status)))) == [("uid-prepare", "overtaken")]


def test_a_stage_that_runs_too_long_fails_the_run_counting_all_its_pods() -> None:
    bot = a_bot_in("Train", run={"activeDeadlineSeconds": 100}, run_fields={"attempt": 2})
    job = a_job(bot, failed_pods=1)
    first = a_failed_pod(job, 1, uid="first", name="a", finished_at=seconds_after_noon(60))
    second = a_pod(job, created_at=seconds_after_noon(70), started_at=seconds_after_noon(70))
    observed = an_observed(bot, jobs=(job,), pods=(first, second), at=109)
    assert plan(observed).requeue_at == seconds_after_noon(110)
    made = plan(replace(observed, now=seconds_after_noon(110)))
    assert (run_in(made).outcome, run_in(made).reason) == ("Failed", "DeadlineExceeded")


def test_a_refused_job_is_tried_again_only_after_its_pause() -> None:
    bot = a_bot_in("Prepare")
    run = a_run(bot)
    refusal = CreateFailure(run.job_name or "", run.execution, "JobRefused", "quota", 1, seconds_after_noon(2))
    early = plan(an_observed(bot, diagnostics=Diagnostics(create_failure=refusal), at=1))
    assert (early.actions, early.requeue_at) == ((), seconds_after_noon(2))
    assert len(created(plan(an_observed(bot, diagnostics=Diagnostics(create_failure=refusal), at=2)))) == 1


def test_an_edit_tries_a_refused_job_at_once() -> None:
    bot = a_bot_in("Prepare")
    refusal = CreateFailure(a_run(bot).job_name or "", "another", "JobRefused", "quota", 9, seconds_after_noon(300))
    assert len(created(plan(an_observed(bot, diagnostics=Diagnostics(create_failure=refusal))))) == 1


def test_a_spec_too_long_for_an_env_variable_is_reported_and_creates_no_job() -> None:
    values = ["v" * 60 + str(number) for number in range(20)]
    expressions = [{"key": f"{'k' * 200}{n}", "operator": "In", "values": values} for n in range(10)]
    terms = [{"matchExpressions": expressions}] * 5
    affinity = {"required": terms, "preferred": [{"weight": 1, "preference": term} for term in terms]}
    made = plan(an_observed(a_bot_in("Prepare", scheduling={"affinity": affinity})))
    assert created(made) == []
    assert reason_in(made, "Stalled") == "JobRefused"


def test_attempts_are_counted_in_the_status() -> None:
    bot = a_bot_in("Train")
    job = a_job(bot, failed_pods=1)
    pods = (a_failed_pod(job, 1, uid="first", name="a"), a_pod(job))
    assert run_in(plan(an_observed(bot, jobs=(job,), pods=pods))).attempt == 2


def test_a_job_that_never_gets_a_pod_fails_the_run_at_its_start_deadline() -> None:
    bot = a_bot_in("Prepare")
    assert plan(an_observed(bot, jobs=(a_job(bot),), at=599)).requeue_at == seconds_after_noon(600)
    made = plan(an_observed(bot, jobs=(a_job(bot),), at=600))
    assert run_in(made).reason == "StartDeadlineExceeded"
    assert "no Pod was created" in (run_in(made).message or "")


def test_pauses_between_retries_sum_to_a_day_and_no_more() -> None:
    last = next(number for number in range(1, 100) if compute_retry_delay(number + 1) is None)
    pauses = [compute_retry_delay(number) for number in range(1, last + 1)]
    assert 82800 < sum(pause for pause in pauses if pause) <= 86400
