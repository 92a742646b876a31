"""A Job whose Pods the namespace does not admit: reported from the Job's Events, and healed unaided."""

from dataclasses import replace
from typing import Any

from builders.operator import (
    NOON,
    a_bot_in,
    a_failed_pod,
    a_job,
    a_prepare_result,
    an_observed,
    seconds_after_noon,
)
from harness.stage_operator import Stage
from tweetbot_operator.client.cluster import KubernetesCluster
from tweetbot_operator.client.requests import ApiRequests
from tweetbot_operator.decisions.plan import plan
from tweetbot_operator.decisions.pod_problems import get_creation_failure
from tweetbot_operator.types.actions import ListEvents
from tweetbot_operator.types.objects import Diagnosis, Diagnostics, Observed

QUOTA = "exceeded quota: gpus, requested: requests.nvidia.com/gpu=1, used: 4, limited: 4"
SAID = f'Error creating: pods "gull-1a2b3c4d-train-x7k2p" is forbidden: {QUOTA}'


def waiting(at: float, message: str | None = None) -> Observed:
    """Return a observed whose Job waits for a Pod since noon; its Events were read where `message` is one."""
    bot = a_bot_in("Train")
    job = a_job(bot)
    check = {} if message is None else {job.uid: Diagnosis(message, 1, seconds_after_noon(at + 30))}
    return an_observed(bot, jobs=(job,), diagnostics=Diagnostics(mounts=check), at=at)


def reasons(observed: Observed) -> dict[str, tuple[str, str]]:
    conditions = plan(observed).status.conditions
    return {each.type: (each.status, each.reason) for each in conditions}


def test_the_events_of_a_job_without_a_pod_are_listed_only_after_a_while() -> None:
    early = plan(waiting(19))
    assert (early.actions, early.requeue_at) == ((), seconds_after_noon(20))
    assert plan(waiting(20)).actions == (ListEvents(waiting(20).jobs[0]),)


def test_a_pod_refused_by_the_namespace_is_reported_and_later_stalled() -> None:
    early, late = reasons(waiting(60, QUOTA)), reasons(waiting(120, QUOTA))
    assert (early["Progressing"], "Stalled" in early) == (("True", "PodRefused"), False)
    assert late["Stalled"] == ("True", "PodRefused")


def test_no_event_is_no_refusal() -> None:
    assert reasons(waiting(120, ""))["Progressing"] == ("True", "Training")


def test_the_start_deadline_names_the_quota() -> None:
    run = plan(waiting(600, QUOTA)).status.current_run
    assert run is not None
    assert (run.reason, "exceeded quota" in (run.message or "")) == ("StartDeadlineExceeded", True)


def test_an_old_event_says_nothing_about_the_gap_after_a_later_pod() -> None:
    observed = waiting(100, QUOTA)
    ended = a_failed_pod(observed.jobs[0], 1, finished_at=seconds_after_noon(90))
    assert reasons(replace(observed, pods=(ended,)))["Progressing"] == ("True", "Training")


def test_the_pod_name_that_differs_at_each_try_is_left_out() -> None:
    assert get_creation_failure(("older", SAID)) == QUOTA
    assert get_creation_failure(("Error creating: Internal error occurred: webhook x",)) == (
        "Internal error occurred: webhook x"
    )
    assert get_creation_failure(()) == ""


async def test_only_events_since_the_last_pod_count() -> None:
    class Events(ApiRequests):
        def __init__(self) -> None:
            self.asked: list[tuple[str, Any]] = []

        async def get(self, path: str, query: Any = None, accept: str = "application/json") -> dict[str, Any]:
            self.asked.append((path, query))
            times = {"old": "2026-01-01T11:59:59Z", "newest": "2026-01-01T12:00:09Z", "new": "2026-01-01T12:00:00Z"}
            about = {"regarding": {"uid": job.uid}}
            items = [about | {"note": note, "deprecatedLastTimestamp": time} for note, time in times.items()]
            others = [
                about | {"note": "of no time", "eventTime": None},
                {"regarding": {"uid": "another"}, "note": "no"},
            ]
            return {"items": [*items, *others], "metadata": {}}

    events, job = Events(), a_job(a_bot_in("Train"))
    assert await KubernetesCluster(events).list_creation_failures(job, NOON) == ("new", "newest")
    query = {"fieldSelector": "reason=FailedCreate", "limit": "200"}
    assert events.asked == [("/apis/events.k8s.io/v1/namespaces/team-a/events", query)]


async def test_a_quota_that_is_raised_lets_the_run_go_on() -> None:
    stage = Stage()
    await stage.apply()
    stage.cluster.creation_failures[stage.job_name] = (SAID,)
    await stage.wait(30)
    assert (stage.reason(), stage.reason("Stalled")) == ("PodRefused", "")
    await stage.wait(90)
    assert stage.reason("Stalled") == "PodRefused"
    stage.cluster.run_pod(stage.job_name, "team-a")
    await stage.settle()
    assert (stage.reason(), stage.reason("Stalled")) == ("Preparing", "")
    await stage.end_stage(a_prepare_result())
    assert stage.run.stage == "Train"
