"""What the API server will not have of a TweetBot: told where people look, and tried again."""

import pytest
from prometheus_client import REGISTRY

from builders.operator import a_prepare_result
from harness.stage_operator import NAMESPACE, Stage
from tweetbot_contract.status import TweetBotStatus
from tweetbot_operator.client.errors import InternalError, Invalid, Rejected
from tweetbot_operator.types.objects import CachedTweetBot, Manifest

DENIED = "ValidatingAdmissionPolicy 'no-finalizers' denied request"


def said(stage: Stage) -> str:
    found = stage.status.find_condition("Progressing")
    return found.message if found else ""


def counted(phase: str, reason: str) -> float:
    return REGISTRY.get_sample_value("tweetbot_runs", {"phase": phase, "reason": reason}) or 0.0


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
    assert (told["type"], "Unsupported value" in told["note"]) == ("Warning", True)
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
    assert "User cannot patch" in stage.cluster.events[0]["note"]
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
    assert (told["reason"], "a policy keeps Jobs" in told["note"]) == ("JobRefused", True)
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
