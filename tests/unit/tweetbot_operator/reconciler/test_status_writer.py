"""What the API server will not have of a TweetBot: told where people look, and tried again."""

from typing import Any

import pytest
from prometheus_client import REGISTRY

from builders.manifests import a_manifest
from builders.operator import a_prepare_result, a_train_result
from harness.stage_operator import NAME, NAMESPACE, Stage
from tweetbot_contract.result import encode
from tweetbot_contract.status import TweetBotStatus
from tweetbot_operator.client.errors import InternalError, Invalid, Rejected
from tweetbot_operator.client.parse import parse_tweetbot
from tweetbot_operator.types.objects import CachedTweetBot, Manifest

DENIED = "ValidatingAdmissionPolicy 'no-finalizers' denied request"


def said(stage: Stage) -> str:
    found = stage.status.find_condition("Progressing")
    return found.message if found else ""


def counted(phase: str, reason: str) -> float:
    return (
        REGISTRY.get_sample_value("tweetbot_runs", {"bot_namespace": NAMESPACE, "phase": phase, "reason": reason})
        or 0.0
    )


def reword(status: dict[str, Any]) -> dict[str, Any]:
    """Change what people read, as a policy may."""
    return {**status, "conditions": [{**each, "message": "see the wiki"} for each in status["conditions"]]}


async def wait_for_other_words(stage: Stage) -> None:
    """Let the scheduler say two things of the TweetBot's Pod, so that a status is reworded."""
    stage.cluster.run_pod(stage.job_name, NAMESPACE, phase="Pending")
    (pod,) = stage.cluster.names("pods")
    for cause in ("cpu", "memory"):
        said = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": f"Insufficient {cause}.",
        }
        found = stage.cluster.objects["pods", NAMESPACE, pod]
        stage.cluster.put("pods", {**found, "status": {"phase": "Pending", "conditions": [said]}})
        await stage.wait(130)


def warnings(stage: Stage) -> list[str]:
    return [event["reason"] for event in stage.cluster.events if event["type"] == "Warning"]


async def test_three_server_errors_at_a_status_are_reported_by_a_smaller_one(stage: Stage) -> None:
    await stage.apply()
    stage.cluster.faults["apply_status"] = [
        InternalError(f"json: unsupported value: NaN (request id: {number}af3)") for number in range(3)
    ]
    await stage.end_stage(a_prepare_result())
    for _ in range(3):
        await stage.wait(5)
    assert any(event["reason"] == "StatusRefused" for event in stage.cluster.events)
    for _ in range(5):
        await stage.wait(60)
    assert (stage.reason("Stalled"), stage.run.stage) == ("", "Train")


async def test_a_refused_status_is_reported_by_one_that_is_accepted(stage: Stage) -> None:
    await stage.apply()
    stage.cluster.faults["apply_status"] = [Invalid("status.currentRun.stage: Unsupported value")]
    await stage.end_stage(a_prepare_result())
    (told,) = (event for event in stage.cluster.events if event["reason"] == "StatusRefused")
    assert (told["type"], "Unsupported value" in told["message"]) == ("Warning", True)
    assert "status gull Preparing" in stage.cluster.writes[-3:]  # as it was, but for the condition
    await stage.wait(1)
    assert (stage.reason("Stalled"), stage.run.stage) == ("", "Train")


async def test_where_no_status_is_accepted_one_event_reports_it_and_metrics_count_it(stage: Stage) -> None:
    before = counted("Pending", "StatusRefused")
    stage.cluster.faults["apply_status"] = [Rejected("User cannot patch tweetbots/status") for _ in range(6)]
    await stage.apply()
    await stage.wait(1)
    await stage.wait(2)
    assert (stage.status, warnings(stage)) == (TweetBotStatus(), ["StatusRefused"])
    assert "User cannot patch" in stage.cluster.events[0]["message"]
    assert counted("Pending", "StatusRefused") - before == 1
    await stage.wait(4)
    assert stage.reason() == "Preparing"
    assert counted("Pending", "StatusRefused") - before == 0


async def test_a_refused_finalizer_is_reported_and_nothing_begins_without_it(stage: Stage) -> None:
    stage.cluster.faults["set_finalizers"] = [Invalid(DENIED), Invalid(DENIED)]
    await stage.apply(deletionPolicy="Delete")
    await stage.wait(1)
    assert (stage.reason("Stalled"), DENIED in said(stage), stage.cluster.names("jobs")) == (
        "FinalizerRefused",
        True,
        [],
    )
    assert (warnings(stage), stage.cluster.writes) == (["FinalizerRefused"], ["status gull Pending"])
    await stage.wait(2)
    assert (stage.reason("Stalled"), stage.reason()) == ("", "Preparing")


async def test_a_finalizer_that_cannot_be_removed_is_reported_by_an_event(stage: Stage) -> None:
    await stage.apply(deletionPolicy="Delete")
    stage.cluster.edit(NAMESPACE, "gull", deletionPolicy="Retain")
    stage.cluster.faults["set_finalizers"] = [Invalid(DENIED)]
    stage.cluster.delete_bot(NAMESPACE, "gull")
    await stage.settle()
    assert (warnings(stage), stage.reason("Stalled")) == (["FinalizerRefused"], "")
    await stage.wait(1)
    assert stage.cluster.names("tweetbots") == []


async def test_a_foreign_status_that_cannot_be_reset_is_reported_by_an_event_and_not_adopted(stage: Stage) -> None:
    await stage.apply()
    found = stage.cluster.objects["tweetbots", NAMESPACE, "gull"]
    stage.cluster.faults["forget_status"] = [Rejected("User cannot patch tweetbots/status")]
    stage.cluster.put("tweetbots", {**found, "status": {**found["status"], "uid": "uid-of-another"}})
    await stage.settle()
    assert (warnings(stage), stage.status.uid) == (["StatusRefused"], "uid-of-another")
    await stage.wait(1)
    assert stage.status.uid == found["metadata"]["uid"]


async def test_a_job_that_may_not_be_deleted_is_reported_by_an_event_and_tried_again(stage: Stage) -> None:
    await stage.apply()
    stage.cluster.faults["delete_job"] = [Rejected("a policy keeps Jobs")]
    stage.cluster.edit(NAMESPACE, "gull", suspend=True)
    await stage.settle()
    (told,) = (event for event in stage.cluster.events if event["type"] == "Warning")
    assert (told["reason"], "a policy keeps Jobs" in told["message"]) == ("JobRefused", True)
    await stage.wait(1)
    await stage.collect_garbage()
    assert (stage.reason(), stage.cluster.names("jobs")) == ("Suspended", [])


async def test_refusals_that_differ_in_an_id_are_told_by_one_status(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.apply()
    apply, before, tried = stage.cluster.apply_status, len(stage.cluster.writes), list[int]()

    async def refuse_trainings(bot: CachedTweetBot, status: Manifest) -> CachedTweetBot:
        if status["currentRun"]["stage"] == "Train":
            tried.append(len(tried))
            raise Invalid(f"policy denied request {len(tried)}a7f3c0de{len(tried)}")
        return await apply(bot, status)

    monkeypatch.setattr(stage.cluster, "apply_status", refuse_trainings)
    await stage.end_stage(a_prepare_result())
    for _ in range(10):
        await stage.wait(300)
    assert len(tried) > 10
    assert stage.cluster.writes[before:] == ["status gull Preparing"]


# ---- what is kept, and of whom


async def test_nothing_is_kept_of_a_tweetbot_that_is_gone(stage: Stage) -> None:
    stage.cluster.change_status = reword
    await stage.apply()
    await wait_for_other_words(stage)
    stage.cluster.delete_bot(NAMESPACE, NAME)
    await stage.settle()
    await stage.collect_garbage()
    kept = {
        f"{owner.__class__.__name__}.{name}"
        for owner in vars(stage.reconciler).values()
        for name, content in getattr(owner, "__dict__", {}).items()
        if isinstance(content, dict) and (NAMESPACE, NAME) in content
    }
    assert kept == set()


async def test_what_was_sent_stands_for_no_other_status_than_the_one_that_came_back(stage: Stage) -> None:
    stage.cluster.change_status = reword
    await stage.apply()
    found = stage.cluster.objects["tweetbots", NAMESPACE, NAME]
    stage.cluster.put("tweetbots", {**found, "status": {**found["status"], "phase": "Failed"}})  # by hand
    await stage.settle()
    assert stage.status.phase == "Preparing"


async def test_server_errors_with_successes_between_them_are_accidents(stage: Stage) -> None:
    await stage.apply()
    for runs in range(3, 7):
        stage.cluster.faults["apply_status"] = [InternalError("etcdserver: request timed out")]
        stage.cluster.edit(NAMESPACE, NAME, history={"runs": runs})
        await stage.settle()
        await stage.wait(60)
    assert warnings(stage) == []


async def test_a_status_is_known_before_a_watch_brings_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer to the write has it, so that the next plan of the pass needs no read."""
    reads = list[str]()
    monkeypatch.setattr(stage.cluster, "get_bot", lambda namespace, name: reads.append(name))
    stage.cluster.put("tweetbots", a_manifest())
    stage.cluster.event_handler = None
    await stage.settle()
    found = stage.cache.get_bot((NAMESPACE, NAME))
    assert found is not None
    assert (parse_tweetbot(found.document).status, reads) == (stage.status, [])


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("conditions", "A policy or a webhook changes status.conditions"),
        ("phase", "A policy or a webhook changes status.phase"),
        ("currentRun", "status.currentRun.id is not stored as it was sent"),
    ],
)
async def test_the_field_that_others_change_is_named(stage: Stage, field: str, says: str) -> None:
    def leave_out(status: dict[str, Any]) -> dict[str, Any]:
        return {"conditions": [], **{name: value for name, value in status.items() if name != field}}

    stage.cluster.change_status = leave_out
    await stage.apply()
    (told,) = (event for event in stage.cluster.events if event["reason"] == "StatusChanged")
    assert told["message"].startswith(f"{says}. ")


async def test_refusals_in_ever_other_words_are_told_once_a_minute(stage: Stage) -> None:
    await stage.apply()
    words = ("quota", "label", "owner", "image", "region", "budget", "team", "ticket")
    stage.cluster.faults["apply_status"] = []
    apply, before = stage.cluster.apply_status, len(stage.cluster.writes)
    refused = list[str]()

    async def refuse_trainings(bot: CachedTweetBot, status: Manifest) -> CachedTweetBot:
        if status["currentRun"]["stage"] == "Train":
            refused.append(words[len(refused) % len(words)])
            raise Invalid(f"no {refused[-1]} is given")
        return await apply(bot, status)

    stage.cluster.apply_status = refuse_trainings  # type: ignore[method-assign]
    await stage.end_stage(a_prepare_result())
    for _ in range(5):
        await stage.wait(10)
    assert len(refused) > 2
    assert len(stage.cluster.writes) - before <= 2


# ---- what is counted


async def test_every_status_that_is_written_is_counted(stage: Stage) -> None:
    before = REGISTRY.get_sample_value("tweetbot_status_writes_total") or 0.0
    await stage.apply()
    await stage.whole_run()
    written = sum(write.startswith("status") for write in stage.cluster.writes)
    assert (REGISTRY.get_sample_value("tweetbot_status_writes_total") or 0.0) - before == written


async def test_a_run_is_counted_with_its_gpu_and_its_paid_posts_when_its_statuses_are_written(stage: Stage) -> None:
    def read_counts() -> tuple[float, ...]:
        usage = {"bot_namespace": NAMESPACE}
        samples = (
            ("tweetbot_runs_finished_total", {**usage, "outcome": "Succeeded", "reason": "Succeeded"}),
            ("tweetbot_gpu_seconds_total", {**usage, "resource": "nvidia.com/gpu"}),
            ("tweetbot_posts_billed_total", {**usage, "source": "x"}),
        )
        return tuple(REGISTRY.get_sample_value(name, labels) or 0.0 for name, labels in samples)

    before, prepared = read_counts(), a_prepare_result()
    await stage.apply()
    await stage.end_stage(prepared.model_copy(update={"billed": {"x": 120}}))
    running = {"name": "trainer", "state": {"running": {"startedAt": "2026-01-01T12:00:00Z"}}}
    stage.cluster.run_pod(stage.job_name, NAMESPACE, containerStatuses=[running])
    await stage.wait(90)
    times = {"startedAt": "2026-01-01T12:00:00Z", "finishedAt": "2026-01-01T12:01:30Z"}
    stage.cluster.end_pod(stage.job_name, NAMESPACE, 0, encode(a_train_result()).decode(), **times)
    stage.cluster.end_job(stage.job_name, NAMESPACE, "Complete")
    await stage.settle()
    assert tuple(now - then for now, then in zip(read_counts(), before, strict=True)) == (1, 90, 120)
