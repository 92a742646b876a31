"""Requests to forget posts, on a cluster in memory: a run without the posts first, then a Job that erases the rest."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from builders.operator import (
    a_bot_in,
    a_pin_result,
    a_prepare_result,
    a_published_version,
    a_refusal_of_the_trainer,
    an_observed,
)
from harness.stage_operator import NAME, NAMESPACE, Stage
from tweetbot_contract.handover import RUN_ENV, RunDocument
from tweetbot_contract.result import PinSucceeded, StageFailed, encode
from tweetbot_contract.result.erasure import ErasedCounts, ForgetSucceeded, LeftOver
from tweetbot_contract.status import Condition, ModelStatus
from tweetbot_contract.status.tasks import ForgetStatus
from tweetbot_operator.client.errors import Rejected, Unavailable
from tweetbot_operator.decisions.plan import plan

FIRST, SECOND = "1" * 16, "2" * 16
IDS: dict[str, Any] = {"filter": {"excludeIds": ["7"]}}
DAY = 86400


class ForgetStage(Stage):
    """A stage whose trainers publish versions and forget posts."""

    @property
    def request(self) -> ForgetStatus:
        found = self.status.forget
        assert found
        return found

    @property
    def stale(self) -> Condition:
        found = self.status.find_condition("DataStale")
        assert found
        return found

    def jobs(self) -> list[str]:
        return [name for name in self.cluster.names("jobs") if name.endswith("-forget")]

    def document(self) -> RunDocument:
        """Return what the last Job was given."""
        pod = self.cluster.objects["jobs", NAMESPACE, self.jobs()[-1]]["spec"]["template"]["spec"]
        env = {each["name"]: each.get("value") for each in pod["containers"][0]["env"]}
        return RunDocument.model_validate_json(env[RUN_ENV] or "")

    async def ask(self, value: str = "now", **spec: Any) -> None:
        """Set the annotation, and fields of the spec, in one edit."""
        self.cluster.annotate(NAMESPACE, NAME, {"tweetbot.dev/forget-at": value})
        if spec:
            self.cluster.edit(NAMESPACE, NAME, **spec)
        await self.settle()

    async def publish(self, version: str, **changes: Any) -> None:
        """Let the present run end with this version."""
        if self.run.stage == "Prepare":
            await self.end_stage(a_prepare_result())
        await self.end_stage(a_published_version(version, **changes))

    async def end(self, result: ForgetSucceeded | PinSucceeded, job: str = "") -> None:
        """Let the last Job beside the stages end well."""
        job = job or self.jobs()[-1]
        self.cluster.end_pod(job, NAMESPACE, 0, encode(result).decode())
        self.cluster.end_job(job, NAMESPACE, "Complete")
        await self.settle()

    async def fail(self, exit_code: int, said: StageFailed) -> None:
        job = self.jobs()[-1]
        self.cluster.end_pod(job, NAMESPACE, exit_code, encode(said).decode())
        self.cluster.end_job(job, NAMESPACE, "Failed", failed=1)
        await self.settle()


@pytest.fixture
async def stage() -> ForgetStage:
    """A TweetBot that serves a version of all posts."""
    stage = ForgetStage()
    await stage.apply()
    await stage.publish(FIRST)
    return stage


def erased(**counts: int) -> ForgetSucceeded:
    return ForgetSucceeded(erased=ErasedCounts(**counts))


def left(*, retry: bool) -> ForgetSucceeded:
    what = LeftOver(what="https://hub/gull", reason="HubDegraded", message="The Hub is away.", retry=retry)
    return ForgetSucceeded(erased=ErasedCounts(datasets=1), left=(what,), left_total=1)


async def test_a_request_waits_for_a_version_without_the_posts_and_then_has_the_rest_erased(stage: ForgetStage) -> None:
    await stage.ask(**IDS)
    assert (stage.stale.reason, stage.jobs(), stage.request.requested_at) == (
        "ForgetPending",
        [],
        "2026-01-01T12:00:00Z",
    )
    assert "until run 2 has published one without them" in stage.stale.message
    assert "until 2026-01-02T12:00:00Z" in stage.stale.message
    await stage.wait(60)
    await stage.publish(SECOND)
    assert (stage.stale.reason, len(stage.jobs())) == ("Forgetting", 1)
    document = stage.document()
    assert (document.stage, document.spec.filter.exclude_ids) == ("Forget", ("7",))
    assert document.forget == stage.request.asked
    await stage.end(erased(datasets=1, versions=2))
    assert (stage.stale.status, stage.stale.reason, stage.request.outcome) == ("False", "Forgotten", "Succeeded")
    assert "1 dataset, 2 versions" in stage.stale.message


async def test_the_request_is_recorded_before_its_job_is_created(stage: ForgetStage) -> None:
    await stage.ask(**IDS)
    before = len(stage.cluster.writes)
    await stage.publish(SECOND)
    (job,) = stage.jobs()
    writes = stage.cluster.writes[before:]
    assert writes[writes.index(f"create job {job}") - 1].startswith("status")
    assert stage.request.started_at


async def test_the_annotation_alone_erases_at_once_what_earlier_versions_hold(stage: ForgetStage) -> None:
    stage.cluster.edit(NAMESPACE, NAME, **IDS)
    await stage.settle()
    await stage.publish(SECOND)
    await stage.ask()
    assert (stage.stale.reason, len(stage.jobs()), stage.run.number) == ("Forgetting", 1, 2)


async def test_a_tweetbot_that_never_published_forgets_once_its_run_has_ended() -> None:
    stage = ForgetStage()
    await stage.apply(**IDS)
    await stage.ask()
    assert (stage.stale.reason, stage.jobs()) == ("ForgetPending", [])
    said = a_refusal_of_the_trainer()
    await stage.fail_stage(10, encode(said).decode())
    assert (stage.stale.reason, len(stage.jobs())) == ("Forgetting", 1)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"suspend": True, **IDS}, "Set spec.suspend to false"),
        ({"pin": FIRST, **IDS}, "Remove spec.pin"),
        ({}, "spec.filter.excludeIds lists no post"),
    ],
)
async def test_what_holds_up_the_erasure_is_told_with_what_to_do(
    stage: ForgetStage, spec: dict[str, Any], said: str
) -> None:
    await stage.ask(**spec)
    assert (stage.stale.reason, stage.jobs()) == ("ForgetPending", [])
    assert said in stage.stale.message


def test_a_version_of_unknown_origin_is_replaced_by_a_run_that_somebody_asks_for() -> None:
    """As one that was pinned, and whose run the status no longer knows."""
    ended = {"outcome": "Succeeded", "reason": "Succeeded", "finished_at": "2026-01-01T12:00:00Z"}
    model = ModelStatus(**a_published_version(FIRST).model.model_dump(), run_id="", identity="")
    bot = a_bot_in("Train", run_fields=ended, status_fields={"model": model}, **IDS)
    decided = plan(an_observed(replace(bot, forget_at="now")))
    said = decided.status.find_condition("DataStale")
    assert said
    assert "set the annotation tweetbot.dev/retrain-at" in said.message


async def test_a_pod_of_an_earlier_run_ends_before_the_erasure(stage: ForgetStage) -> None:
    """It may be writing what is to be erased: an edit that was taken back."""
    stage.cluster.edit(NAMESPACE, NAME, **IDS)
    await stage.settle()
    await stage.publish(SECOND)
    stage.cluster.edit(NAMESPACE, NAME, filter={"minWords": 7})
    await stage.settle()
    former = stage.job_name
    stage.cluster.run_pod(former, NAMESPACE)
    await stage.ask(**IDS)
    assert (stage.stale.reason, stage.jobs()) == ("ForgetPending", [])
    assert f"Job {former}" in stage.stale.message
    assert "of an earlier run has to end first" in stage.stale.message
    await stage.collect_garbage()
    assert len(stage.jobs()) == 1


async def test_a_failed_run_keeps_the_old_version_and_says_why_nothing_is_erased(stage: ForgetStage) -> None:
    await stage.ask(**IDS)
    await stage.end_stage(a_prepare_result())
    said = StageFailed(reason="GateFailed", message="40 % of its samples are verbatim. Lower epochs")
    await stage.fail_stage(14, encode(said).decode())
    assert (stage.stale.reason, stage.jobs()) == ("ForgetPending", [])
    assert "40 % of its samples are verbatim" in stage.stale.message


async def test_the_pin_goes_first_and_then_what_it_kept_is_erased(stage: ForgetStage) -> None:
    await stage.ask(pin=FIRST, **IDS)
    await stage.publish(SECOND, pinned=FIRST)
    assert stage.jobs() == []
    stage.cluster.edit(NAMESPACE, NAME, pin=None)
    await stage.settle()
    pin = next(name for name in stage.cluster.names("jobs") if name.endswith("-pin"))
    await stage.end(a_pin_result(SECOND, newest=SECOND), pin)
    assert (stage.stale.reason, len(stage.jobs())) == ("Forgetting", 1)


async def test_after_24_hours_it_is_overdue_whatever_operator_looks(stage: ForgetStage) -> None:
    await stage.ask(**IDS)
    stage.start_operator()
    await stage.wait(DAY - 1)
    assert stage.stale.reason == "ForgetPending"
    await stage.wait(1)
    assert (stage.stale.status, stage.stale.reason) == ("True", "ForgetOverdue")
    assert "ended at 2026-01-02T12:00:00Z" in stage.stale.message
    assert [event["type"] for event in stage.cluster.events if event["reason"] == "ForgetOverdue"] == ["Warning"]


async def test_what_is_left_is_told_and_tried_again_and_counts_add_up(stage: ForgetStage) -> None:
    await stage.ask(**IDS)
    await stage.publish(SECOND)
    await stage.end(left(retry=True))
    assert (stage.stale.reason, stage.request.outcome, len(stage.jobs())) == ("ForgetIncomplete", "Incomplete", 1)
    assert "https://hub/gull: The Hub is away. It is tried again at 2026-01-01T12:05:00Z." in stage.stale.message
    (first,) = stage.jobs()
    await stage.wait(300)
    await stage.end(erased(hub_copies=1), next(name for name in stage.jobs() if name != first))
    assert stage.request.outcome == "Succeeded"
    assert stage.request.erased == ErasedCounts(datasets=1, hub_copies=1)


async def test_a_refusal_is_told_and_tried_again_after_longer_pauses(stage: ForgetStage) -> None:
    await stage.ask(**IDS)
    await stage.publish(SECOND)
    await stage.fail(10, a_refusal_of_the_trainer("NotAuthorized", "The key may not delete"))
    assert (stage.stale.reason, stage.request.outcome, stage.request.retries) == ("NotAuthorized", "Failed", 1)
    assert "The key may not delete" in stage.stale.message


async def test_a_new_value_while_a_job_runs_waits_for_it_and_keeps_the_clock(stage: ForgetStage) -> None:
    await stage.ask(**IDS)
    await stage.publish(SECOND)
    (job,) = stage.jobs()
    await stage.wait(60)
    await stage.ask("again")
    await stage.ask("and again")
    assert (stage.jobs(), stage.request.request) == ([job], "and again")
    assert stage.request.requested_at == "2026-01-01T12:00:00Z"
    assert f"delete job {job}" not in stage.cluster.writes
    await stage.end(erased(datasets=1), job)
    assert (len(stage.jobs()), stage.request.outcome) == (2, None)


async def test_another_list_before_the_erasure_waits_for_the_next_version(stage: ForgetStage) -> None:
    await stage.ask(**IDS)
    await stage.ask("again", filter={"excludeIds": ["7", "8"]})
    await stage.collect_garbage()
    await stage.publish(SECOND)
    assert (stage.document().spec.filter.exclude_ids, len(stage.jobs())) == (("7", "8"), 1)


async def test_a_restarted_operator_creates_no_second_job(stage: ForgetStage) -> None:
    await stage.ask(**IDS)
    await stage.publish(SECOND)
    stage.start_operator()
    await stage.settle()
    assert len(stage.jobs()) == 1
    await stage.end(erased())
    stage.start_operator()
    await stage.settle()
    assert (len(stage.jobs()), stage.request.outcome) == (1, "Succeeded")


async def test_a_request_ends_without_an_erasure_only_if_annotation_and_list_are_gone(stage: ForgetStage) -> None:
    await stage.ask()
    stage.cluster.annotate(NAMESPACE, NAME, {"tweetbot.dev/forget-at": ""})
    await stage.settle()
    assert (stage.status.forget, stage.status.find_condition("DataStale")) == (None, None)


async def test_a_job_that_is_refused_is_told_and_created_later(stage: ForgetStage) -> None:
    stage.cluster.edit(NAMESPACE, NAME, **IDS)
    await stage.settle()
    await stage.publish(SECOND)
    stage.cluster.faults["create_job"] = [Rejected("exceeded quota")]
    await stage.ask()
    assert (stage.stale.reason, stage.jobs()) == ("JobRefused", [])
    await stage.wait(10)
    assert len(stage.jobs()) == 1


async def test_the_pod_has_the_keys_of_all_places_that_hold_posts() -> None:
    stage = ForgetStage()
    key = {"apiKeySecret": {"name": "wandb", "key": "key"}}
    await stage.apply(tracking={"wandb": key}, **IDS)
    await stage.publish(SECOND)
    await stage.ask()
    manifest = stage.cluster.objects["jobs", NAMESPACE, stage.jobs()[-1]]
    volumes = manifest["spec"]["template"]["spec"]["volumes"]
    secrets = {each["secret"]["name"] for volume in volumes for each in volume.get("projected", {}).get("sources", ())}
    assert secrets == {"s3", "wandb"}
    assert manifest["metadata"]["ownerReferences"][0]["uid"] == "uid-gull"


async def test_a_deletion_ends_the_job_before_it_erases(stage: ForgetStage) -> None:
    stage.cluster.edit(NAMESPACE, NAME, deletionPolicy="Delete", **IDS)
    await stage.settle()
    await stage.publish(SECOND)
    await stage.ask()
    (job,) = stage.jobs()
    stage.cluster.run_pod(job, NAMESPACE)
    stage.cluster.delete_bot(NAMESPACE, NAME)
    await stage.settle()
    assert f"delete job {job}" in stage.cluster.writes
    assert not any(name.endswith("-cleanup") for name in stage.cluster.names("jobs"))


@pytest.mark.parametrize("at", range(1, 6))
async def test_an_operator_that_dies_at_any_write_leaves_a_request_that_the_next_brings_to_its_end(
    stage: ForgetStage, at: int
) -> None:
    class Died(BaseException):
        pass

    stage.cluster.edit(NAMESPACE, NAME, **IDS)
    await stage.settle()
    await stage.publish(SECOND)
    count = 0

    def die(write: str) -> None:
        nonlocal count
        count += 1
        if count == at:
            raise Died(write)

    stage.cluster.after_write = die
    with suppress(Died):
        await stage.ask()
        await stage.end(erased(datasets=1))
    stage.cluster.after_write = lambda write: None
    stage.start_operator()
    stage.queue.add((NAMESPACE, NAME))
    await stage.settle()
    if stage.request.outcome is None:
        await stage.end(erased(datasets=1))
    assert (len(stage.jobs()), stage.request.outcome) == (1, "Succeeded")
    assert (stage.request.requested_at, stage.request.erased) == ("2026-01-01T12:00:00Z", ErasedCounts(datasets=1))


async def test_a_creation_without_an_answer_is_made_again_under_the_recorded_name(stage: ForgetStage) -> None:
    stage.cluster.edit(NAMESPACE, NAME, **IDS)
    await stage.settle()
    await stage.publish(SECOND)
    stage.cluster.faults["create_job"] = [Unavailable("no answer")]
    await stage.ask()
    assert (stage.jobs(), stage.request.outcome) == ([], None)
    recorded = stage.request.started_at
    stage.start_operator()
    stage.queue.add((NAMESPACE, NAME))
    await stage.settle()
    assert (len(stage.jobs()), stage.request.started_at) == (1, recorded)
