"""The condition table of the design, row by row, as kstatus, Argo CD and kubectl would read it."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from builders.manifests import A_HUB, a_manifest
from builders.operator import (
    NOON,
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
    an_invalid_bot,
    an_observed,
    seconds_after_noon,
)
from builders.progress import a_report
from harness.kstatus import kstatus as kstatus_of
from harness.lua_checks import health_of
from harness.stage_operator import NAME, NAMESPACE, Stage
from tweetbot_contract.data_table import DataWarning
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.result import HubCopy, HubResult
from tweetbot_contract.status import Condition, ModelStatus, TweetBotStatus
from tweetbot_operator.client.events import build_events
from tweetbot_operator.decisions.plan import plan
from tweetbot_operator.types.objects import Diagnosis, Diagnostics, Observed

SERVED = ModelStatus(**a_train_result().model.model_dump(), run_id="0" * 16, identity="1" * 16)
ADVISORY = "Look at its samples before you rely on it: how much it repeats was not measured."
MISSING_SECRET = 'MountVolume.SetUp failed for volume "secrets" : secret "s3" not found'


def resource_with(generation: int, status: TweetBotStatus) -> dict[str, Any]:
    """Return what a health check reads: a resource of this generation with this status."""
    return a_manifest() | {"metadata": {"name": "gull", "generation": generation}, "status": status.to_dict()}


def kstatus(generation: int, status: TweetBotStatus) -> str:
    """Tell what cli-utils' kstatus computes."""
    return kstatus_of(resource_with(generation, status))


def argo_health(row: "Row") -> str:
    """Return the table's last column, which follows from the others."""
    if row.stalled == "True":
        return "Degraded"
    return {"Suspended": "Suspended", "Succeeded": "Healthy"}.get(row.phase, "Progressing")


@dataclass(frozen=True)
class Row:
    """What a row of the table says; `absent` stands for a condition that must not be there."""

    ready: str
    stalled: str
    progressing: str
    phase: str
    kstatus: str


def a_blocked(**waiting: Any) -> Observed:
    bot = a_bot_in("Prepare")
    pod = a_waiting_pod(a_job(bot), **waiting)
    return an_observed(bot, jobs=(a_job(bot),), pods=(pod,), at=121)


def with_missing_secret() -> Observed:
    observed = a_blocked()
    check = Diagnosis(MISSING_SECRET, 1, seconds_after_noon(300))
    return replace(observed, diagnostics=Diagnostics(mounts={observed.pods[0].uid: check}))


def a_failed_run() -> Observed:
    bot = a_bot_in("Prepare", run_fields={"outcome": "Failed", "reason": "TooFewPosts", "message": "too few posts"})
    return an_observed(bot)


def a_succeeded_run() -> Observed:
    bot = a_bot_in("Train", run_fields={"outcome": "Succeeded", "reason": "Succeeded"})
    return an_observed(replace(bot, status=bot.status.model_copy(update={"model": SERVED})))


def published_with_an_advisory() -> Observed:
    bot = a_bot_in("Train")
    job = a_complete_job(bot)
    result = a_train_result().model_copy(update={"gate_advisory": ADVISORY})
    return an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, result),))


def missed_a_gate_beside_a_served_model() -> Observed:
    bot = a_bot_in("Train", status_fields={"model": SERVED})
    job = a_failed_job(bot)
    return an_observed(bot, jobs=(job,), pods=(a_failed_pod(job, 14, said=a_refusal_of_the_trainer("GateFailed")),))


def waiting_for_the_previous_pod() -> Observed:
    bot = a_bot_in("Prepare")
    return an_observed(bot, jobs=(a_job(bot, name="gull-00000000-train", uid="old", run_id="0" * 16, deleted_at=NOON),))


def evicted() -> Observed:
    bot = a_bot_in("Train")
    job = a_job(bot)
    first = a_failed_pod(job, 137, disrupted=True, uid="first", name="a", created_at=seconds_after_noon(-60))
    return an_observed(bot, jobs=(job,), pods=(first, a_waiting_pod(job)))


def backing_off() -> Observed:
    fields = {"retries": 1, "retry_at": "2026-01-01T12:05:00Z", "reason": "StorageUnavailable", "message": "S3 is away"}
    return an_observed(a_bot_in("Train", run_fields=fields))


def running(stage: Any) -> Observed:
    bot = a_bot_in(stage)
    return an_observed(bot, jobs=(a_job(bot),), pods=(a_pod(a_job(bot)),))


def node_lost() -> Observed:
    bot = a_bot_in("Train")
    job = a_job(bot)
    return an_observed(bot, jobs=(job,), pods=(a_pod(job, deleting_at=seconds_after_noon(0)),), at=61)


ROWS: dict[str, tuple[Observed, Row]] = {
    "prepare runs": (running("Prepare"), Row("True", "absent", "Preparing", "Preparing", "Current")),
    "train runs": (running("Train"), Row("True", "absent", "Training", "Training", "Current")),
    "waiting for an earlier Pod": (
        waiting_for_the_previous_pod(),
        Row("True", "absent", "WaitingForPreviousPod", "Queued", "Current"),
    ),
    "evicted": (evicted(), Row("True", "absent", "Evicted", "Queued", "Current")),
    "a temporary fault used up the attempts": (
        backing_off(),
        Row("True", "absent", "RetryBackoff", "Training", "Current"),
    ),
    "a Secret is missing": (
        with_missing_secret(),
        Row("False", "True", "SecretNotFound", "Preparing", "Failed"),
    ),
    "no node takes the Pod": (
        a_blocked(scheduled_at=None, unschedulable="0/3 nodes are available"),
        Row("False", "True", "Unschedulable", "Preparing", "Failed"),
    ),
    "the image cannot be pulled": (
        a_blocked(waiting="ImagePullBackOff", waiting_message="no such image"),
        Row("False", "True", "ImagePullFailed", "Preparing", "Failed"),
    ),
    "the node is lost": (node_lost(), Row("False", "True", "NodeLost", "Training", "Failed")),
    "the run failed for good": (a_failed_run(), Row("False", "True", "TooFewPosts", "Failed", "Failed")),
    "suspended": (
        an_observed(a_bot_in("Prepare", suspend=True)),
        Row("True", "absent", "Suspended", "Suspended", "Current"),
    ),
    "a gate is missed, an earlier model is served": (
        missed_a_gate_beside_a_served_model(),
        Row("False", "True", "GateFailed", "Failed", "Failed"),
    ),
    "published with an advisory": (
        published_with_an_advisory(),
        Row("True", "absent", "Succeeded", "Succeeded", "Current"),
    ),
    "published": (a_succeeded_run(), Row("True", "absent", "Succeeded", "Succeeded", "Current")),
}


@pytest.mark.parametrize("state", ROWS)
def test_every_state_has_the_conditions_of_the_table(state: str) -> None:
    observed, row = ROWS[state]
    status = plan(observed).status
    seen = Row(
        status_of(status, "Ready"),
        status_of(status, "Stalled"),
        condition(status, "Progressing").reason,
        status.phase,
        kstatus(1, status),
    )
    assert seen == row


@pytest.mark.parametrize("state", ROWS)
def test_argo_cd_shows_every_state_as_the_table_says(state: str) -> None:
    observed, row = ROWS[state]
    health, message = health_of(resource_with(1, plan(observed).status))
    assert (health, message.split(":")[0]) == (argo_health(row), row.progressing)


@pytest.mark.parametrize("state", ROWS)
def test_every_condition_names_its_generation(state: str) -> None:
    status = plan(ROWS[state][0]).status
    assert {each.observed_generation for each in status.conditions} == {1}
    assert status.observed_generation == 1


def test_a_new_resource_is_in_progress_before_it_has_a_status() -> None:
    assert kstatus(1, TweetBotStatus()) == "InProgress"


def test_an_edited_resource_is_in_progress_until_the_edit_is_acted_on() -> None:
    assert kstatus(2, plan(ROWS["published"][0]).status) == "InProgress"


def test_stalled_is_present_only_while_it_holds() -> None:
    types = {each.type for each in plan(running("Train")).status.conditions}
    assert types == {
        "Accepted",
        "DataReady",
        "ModelReady",
        "Progressing",
        "Ready",
        "Suspended",
        "TrackingDegraded",
    }


def test_a_transition_time_changes_only_when_the_status_flips() -> None:
    bot = a_bot_in("Train")
    first = plan(an_observed(bot, jobs=(a_job(bot),), pods=(a_pod(a_job(bot)),))).status
    bot = replace(bot, status=first)
    failed = a_failed_job(bot)
    pods = (a_failed_pod(failed, 10, said=a_refusal_of_the_trainer()),)
    later = plan(an_observed(bot, jobs=(failed,), pods=pods, at=3600)).status
    times = {each.type: each.last_transition_time for each in later.conditions}
    assert times["Ready"] == times["Progressing"] == times["Stalled"] == "2026-01-01T13:00:00Z"
    assert times["Accepted"] == times["ModelReady"] == times["DataReady"] == "2026-01-01T12:00:00Z"


def test_a_served_model_keeps_its_generation_while_an_edit_of_the_data_trains() -> None:
    status = edited({"minWords": 5}, generation=2)
    assert condition(status, "ModelReady").observed_generation == 1
    assert condition(status, "ModelReady").status == "True"


def test_a_served_model_takes_the_generation_of_an_edit_that_changes_no_identity() -> None:
    before = trained()
    status = plan(an_observed(replace(before, generation=2, spec=a_bot(suspend=True).spec))).status
    assert condition(status, "ModelReady").observed_generation == 2


def test_a_failed_run_leaves_the_older_model_served() -> None:
    bot = a_bot_in("Train", status_fields={"model": SERVED})
    job = a_failed_job(bot)
    status = plan(an_observed(bot, jobs=(job,), pods=(a_failed_pod(job, 13),))).status
    assert status.model == SERVED
    assert condition(status, "ModelReady").status == "True"


def test_a_spec_that_no_longer_parses_is_reported_and_nothing_else_changes() -> None:
    before = plan(ROWS["published"][0]).status
    bot = an_invalid_bot("spec.sources: write a list", generation=2, status=before)
    status = plan(an_observed(bot)).status
    assert (condition(status, "Accepted").status, condition(status, "Accepted").reason) == ("False", "InvalidSpec")
    assert (status.phase, kstatus(2, status)) == ("Failed", "Failed")
    assert (status.current_run, status.model) == (before.current_run, before.model)
    assert "spec.sources" in condition(status, "Stalled").message


def test_what_a_training_did_less_is_told_until_another_one_has_ended() -> None:
    bot = a_bot_in("Train")
    job = a_complete_job(bot)
    result = a_train_result().model_copy(update={"advisory": "Versions beyond spec.history were not erased."})
    status = plan(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, result),))).status
    assert condition(status, "TrainingAdvisory").message == "Versions beyond spec.history were not erased."
    heard = [(each.type, each.reason) for each in build_events(bot.status, status)]
    assert heard == [("Normal", "Succeeded"), ("Warning", "TrainingAdvisory")]
    later = plan(an_observed(replace(bot, status=status))).status
    assert condition(later, "TrainingAdvisory") == condition(status, "TrainingAdvisory")


def test_degraded_tracking_is_reported_while_a_stage_runs_and_stays_when_its_report_is_gone() -> None:
    bot = a_bot_in("Prepare")
    job = a_job(bot)
    said = {"stage": "Prepare", "run_id": job.run_id, "pod_uid": a_pod(job).uid}
    report = a_report(None, **said, tracking_degraded="the Secret wandb has no key key: create it")
    seen = replace(an_observed(bot, jobs=(job,), pods=(a_pod(job),)), latest_report=report)
    status = plan(seen).status
    assert condition(status, "TrackingDegraded").status == "True"
    assert condition(status, "TrackingDegraded").message == "the Secret wandb has no key key: create it"
    later = plan(replace(seen, bot=replace(bot, status=status), latest_report=None)).status
    assert condition(later, "TrackingDegraded") == condition(status, "TrackingDegraded")


def test_degraded_tracking_is_reported_and_fails_nothing() -> None:
    bot = a_bot_in("Train")
    job = a_complete_job(bot)
    pods = (a_finished_pod(job, a_train_result(degraded="the W&B server does not answer")),)
    status = plan(an_observed(bot, jobs=(job,), pods=pods)).status
    assert condition(status, "TrackingDegraded").status == "True"
    assert condition(status, "TrackingDegraded").message == "the W&B server does not answer"
    assert status.phase == "Succeeded"


def with_hub(result: HubResult, before: TweetBot | None = None) -> TweetBotStatus:
    """Return the status after a training that sent its version to the Hub, or could not."""
    s3 = {"uri": "s3://team-a/models", "endpoint": "https://s3.example.com"}
    bot = before or a_bot_in("Train", output={"s3": s3, "huggingFace": A_HUB})
    job = a_complete_job(bot)
    trained = a_train_result().model_copy(update={"hub": result})
    return plan(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, trained),))).status


ON_HUB = HubCopy(url="https://huggingface.co/harbour/gull/tree/v1", commit="c" * 40, at="2026-01-01T12:00:00.000Z")


def test_a_model_is_reported_at_both_places() -> None:
    status = with_hub(HubResult(published=ON_HUB))
    assert status.model
    assert status.model.hugging_face == ON_HUB
    said = condition(status, "ModelReady").message
    assert f"is published at {status.model.uri} and {ON_HUB.url}" in said
    assert status.find_condition("HubDegraded") is None


def test_a_model_that_the_hub_did_not_take_is_served_and_says_how_to_send_it() -> None:
    status = with_hub(HubResult(degraded="the Hugging Face Hub answered 403 for harbour/gull: Forbidden"))
    said = condition(status, "HubDegraded")
    command = (
        "tweetbot-trainer publish --model s3://team-a/models/team-a/gull/models/v1/model --repo harbour/gull "
        "--endpoint https://s3.example.com"
    )
    assert (said.status, said.reason, status.phase) == ("True", "HubDegraded", "Succeeded")
    assert said.message.startswith("The Hugging Face Hub answered 403")
    assert said.message.endswith(f"set HF_TOKEN and run: {command}")
    assert said.message in condition(status, "ModelReady").message
    assert status.model
    assert status.model.hugging_face is None
    events = build_events(a_bot_in("Train").status, status)
    assert ("Warning", "HubDegraded") in [(each.type, each.reason) for each in events]


def test_a_repository_that_is_not_as_asked_is_reported_beside_the_copy() -> None:
    status = with_hub(HubResult(published=ON_HUB, degraded="https://… is private"))
    assert condition(status, "HubDegraded").message == "https://… is private"
    assert status.model
    assert status.model.hugging_face == ON_HUB


def test_what_the_hub_said_stays_until_it_takes_the_version_or_is_not_asked_any_more() -> None:
    s3 = {"uri": "s3://team-a/models"}
    bot = a_bot_in("Train", output={"s3": s3, "huggingFace": A_HUB})
    status = with_hub(HubResult(degraded="away"), bot)
    later = plan(an_observed(replace(bot, status=status))).status
    assert condition(later, "HubDegraded") == condition(status, "HubDegraded")
    without = replace(bot, status=status, spec=a_bot_in("Train", output={"s3": s3}).spec)
    assert plan(an_observed(without)).status.find_condition("HubDegraded") is None


def test_a_run_with_nothing_new_reports_the_copy_of_the_served_version() -> None:
    bot = a_bot_in("Prepare", output={"s3": {"uri": "s3://team-a/models"}, "huggingFace": A_HUB})
    bot = replace(bot, status=bot.status.model_copy(update={"model": SERVED}))
    job = a_complete_job(bot)
    quiet = a_prepare_result().model_copy(update={"new_posts": 0, "hub": HubResult(published=ON_HUB)})
    status = plan(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, quiet),))).status
    assert status.model == SERVED.model_copy(update={"hugging_face": ON_HUB})


def test_a_run_that_is_not_at_wandb_says_how_to_send_it() -> None:
    wandb = {"project": "two gulls", "entity": "harbour"}
    output = {"s3": {"uri": "s3://team-a/models", "endpoint": "https://s3.example.com", "region": "eu-1"}}
    bot = a_bot_in("Train", tracking={"wandb": wandb}, output=output)
    job = a_complete_job(bot)
    results = {
        "offline": a_train_result(mode="Offline"),
        "lost": a_train_result(mode="Online", degraded="the server did not take the run"),
        "online": a_train_result(mode="Online"),
    }
    messages = {
        name: condition(
            plan(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, result),))).status, "TrackingDegraded"
        ).message
        for name, result in results.items()
    }
    command = (
        "tweetbot-trainer sync --model s3://team-a/models/team-a/gull/models/v1/model --project 'two gulls' "
        "--entity harbour --endpoint https://s3.example.com --region eu-1"
    )
    assert messages["offline"].endswith(f"set WANDB_API_KEY and run: {command}")
    assert messages["lost"].startswith("the server did not take the run. To send")
    assert "sync" not in messages["online"]


def test_data_is_ready_once_the_run_has_its_dataset() -> None:
    bot = a_bot_in("Prepare")
    job = a_complete_job(bot)
    status = plan(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, a_prepare_result()),))).status
    assert condition(status, "DataReady").status == "True"
    assert status.data is not None
    assert status.data.kept == 1500


def test_the_phase_is_never_blank() -> None:
    assert {plan(observed).status.phase for observed, _ in ROWS.values()} <= {
        "Pending",
        "Preparing",
        "Queued",
        "Training",
        "Succeeded",
        "Failed",
        "Suspended",
    }
    assert TweetBotStatus().phase == "Pending"


def condition(status: TweetBotStatus, type_: str) -> Condition:
    found = status.find_condition(type_)
    assert found is not None, f"no condition {type_}"
    return found


def status_of(status: TweetBotStatus, type_: str) -> str:
    found = status.find_condition(type_)
    return found.status if found else "absent"


def trained() -> TweetBot:
    """Return a bot whose train Job has just been read."""
    bot = a_bot_in("Train")
    job = a_complete_job(bot)
    status = plan(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, a_train_result()),))).status
    return replace(bot, status=status)


def edited(filter_: dict[str, Any], generation: int) -> TweetBotStatus:
    """Return the status right after an edit of the filter of a bot whose model is served."""
    before = trained()
    after = replace(before, spec=a_bot(filter=filter_).spec, generation=generation)
    assert a_run(after).identity != a_run(before).identity
    return plan(an_observed(after)).status


def test_without_a_model_the_failed_runs_reason_says_why() -> None:
    bot = a_bot_in("Train")
    failed = a_failed_job(bot)
    said = a_refusal_of_the_trainer("GateFailed", "34.5 % of its samples are verbatim, and maxVerbatimPercent is 20.")
    observed = an_observed(bot, jobs=(failed,), pods=(a_failed_pod(failed, 14, said=said),))
    ready = condition(plan(observed).status, "ModelReady")
    assert (ready.status, ready.reason) == ("False", "GateFailed")
    assert "34.5 %" in ready.message


# ---- what the author should know of the data


async def test_warnings_about_the_data_are_told_until_another_dataset_is_ready() -> None:
    stage = Stage()
    await stage.apply()
    missing = DataWarning(reason="PostsMissing", message="14 of 320 posts are missing.")
    odd = DataWarning(reason="SourceIrregular", message="Its list lacks a file.")
    await stage.end_stage(a_prepare_result().model_copy(update={"warnings": (missing, odd)}))
    told = condition(stage.status, "DataAdvisory")
    assert (told.status, told.reason) == ("True", "PostsMissing")
    assert told.message == "14 of 320 posts are missing. Its list lacks a file."
    await stage.end_stage(a_train_result())
    assert condition(stage.status, "DataAdvisory") == told
    assert kstatus(1, stage.status) == "Current"
    stage.cluster.edit(NAMESPACE, NAME, training={"epochs": 2})
    await stage.settle()
    assert condition(stage.status, "DataAdvisory").message == told.message
    await stage.end_stage(a_prepare_result())
    assert status_of(stage.status, "DataAdvisory") == "absent"


async def test_a_newer_trainers_reason_is_told_under_one_that_the_operator_knows() -> None:
    stage = Stage()
    await stage.apply()
    unknown = DataWarning(reason="FromTheFuture", message="Something is odd.")
    await stage.end_stage(a_prepare_result().model_copy(update={"warnings": (unknown,)}))
    told = condition(stage.status, "DataAdvisory")
    assert (told.reason, told.message) == ("SourceIrregular", "Something is odd.")


# ---- a model that misses a default gate on little evidence


async def test_an_advisory_is_told_with_the_model_while_that_is_served() -> None:
    stage = Stage()
    await stage.apply()
    await stage.end_stage(a_prepare_result())
    await stage.end_stage(a_train_result().model_copy(update={"gate_advisory": ADVISORY}))
    told = condition(stage.status, "GateAdvisory")
    assert (told.status, told.reason, told.message) == ("True", "GateAdvisory", ADVISORY)
    ready = condition(stage.status, "ModelReady")
    assert (ready.status, ready.reason) == ("True", "Succeeded")
    assert ready.message.endswith(f"/models/v1/model. {ADVISORY}")
    assert kstatus(1, stage.status) == "Current"
    stage.cluster.edit(NAMESPACE, NAME, training={"epochs": 2})
    await stage.settle()
    await stage.end_stage(a_prepare_result())
    assert condition(stage.status, "GateAdvisory").message == ADVISORY
    assert condition(stage.status, "ModelReady").message.endswith(ADVISORY)
    await stage.end_stage(a_train_result())
    assert status_of(stage.status, "GateAdvisory") == "absent"
    assert ADVISORY not in condition(stage.status, "ModelReady").message


async def test_an_adopted_model_brings_its_advisory() -> None:
    stage = Stage()
    await stage.apply()
    adopted = a_train_result().model_copy(update={"gate_advisory": ADVISORY})
    await stage.end_stage(a_prepare_result(adopted=adopted))
    assert condition(stage.status, "GateAdvisory").message == ADVISORY
