"""status.runs: one record for each run that is over, newest first. status.columns: what kubectl prints."""

from dataclasses import replace
from typing import Any

from builders.operator import (
    DIGEST,
    NOON,
    a_bot,
    a_bot_in,
    a_complete_job,
    a_failed_job,
    a_failed_pod,
    a_finished_pod,
    a_prepare_result,
    a_run,
    a_train_result,
    an_invalid_bot,
    an_observed,
    seconds_after_noon,
)
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.result import StageFailed
from tweetbot_contract.status import Columns, CurrentRun, ProgressStatus, RunRecord, TweetBotStatus
from tweetbot_operator.decisions.plan import plan
from tweetbot_operator.decisions.status import build_run_history, is_rewording, set_summary
from tweetbot_operator.types.objects import InvalidTweetBot
from tweetbot_operator.types.stage_state import Summary

BOT = a_bot()
ENDED: dict[str, Any] = {"outcome": "Failed", "reason": "Diverged", "finished_at": "2026-01-01T12:30:00Z"}


def records(run: CurrentRun, *, before: TweetBotStatus | None = None, limit: int = 5) -> tuple[RunRecord, ...]:
    return build_run_history(before or TweetBotStatus(), run, None, limit=limit, now=NOON)


def after(bot: TweetBot, **spec: Any) -> TweetBot:
    """Return the bot after an edit and the pass that records it."""
    edited = replace(bot, spec=a_bot(**spec).spec, generation=bot.generation + 1)
    return replace(edited, status=plan(an_observed(edited, at=600)).status)


def test_an_active_run_has_no_record() -> None:
    assert records(a_run(BOT)) == ()


def test_a_model_is_recorded_with_dataset_and_pods() -> None:
    bot = a_bot_in("Train")
    job = a_complete_job(bot)
    made = plan(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, a_train_result()),), at=60))
    (record,) = made.status.runs
    assert (record.number, record.outcome, record.reason, record.attempts) == (1, "Succeeded", "Succeeded", 1)
    assert (record.dataset, record.model_uri) == (DIGEST, a_train_result().model.uri)
    assert (record.started_at, record.finished_at) == ("2026-01-01T12:00:00Z", "2026-01-01T12:01:00Z")


def test_a_run_keeps_the_figures_of_its_model_whether_that_was_published_trained_or_adopted() -> None:
    figures = a_train_result().metrics.figures
    assert figures.bits_per_byte == 1.1
    bot = a_bot_in("Train")
    job, refused = a_complete_job(bot), a_failed_job(bot)
    published = an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, a_train_result()),))
    said = StageFailed(reason="GateFailed", message="73.0 % of its samples are verbatim", figures=figures)
    missed = an_observed(bot, jobs=(refused,), pods=(a_failed_pod(refused, 14, said=said),))
    preparing = a_bot_in("Prepare")
    job = a_complete_job(preparing)
    ended = (a_finished_pod(job, a_prepare_result(adopted=a_train_result())),)
    adopted = an_observed(preparing, jobs=(job,), pods=ended)
    found = [plan(observed).status.runs[0] for observed in (published, missed, adopted)]
    assert [(one.reason, one.figures) for one in found] == [
        ("Succeeded", figures),
        ("GateFailed", figures),
        ("Adopted", figures),
    ]


def test_a_failure_is_recorded_with_its_reason_and_no_model() -> None:
    (record,) = records(a_run(BOT, **ENDED))
    assert (record.outcome, record.reason, record.model_uri) == ("Failed", "Diverged", None)


def test_an_edit_during_a_run_records_it_as_superseded() -> None:
    (record,) = after(a_bot_in("Train"), filter={"minWords": 5}).status.runs
    assert (record.number, record.outcome, record.reason) == (1, "Superseded", "Superseded")
    assert record.finished_at == seconds_after_noon(600).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_an_edit_after_the_end_leaves_the_record_as_it_is() -> None:
    bot = a_bot_in("Train", run_fields=ENDED)
    bot = replace(bot, status=plan(an_observed(bot)).status)
    assert after(bot, filter={"minWords": 5}).status.runs == bot.status.runs


def test_a_restarted_run_has_no_record_until_it_ends_again() -> None:
    bot = a_bot_in("Train", run_fields=ENDED)
    bot = replace(bot, status=plan(an_observed(bot)).status)
    assert [record.outcome for record in bot.status.runs] == ["Failed"]
    assert after(bot, resources={"memory": "32Gi"}).status.runs == ()


def test_the_newest_records_come_first_and_the_oldest_are_dropped() -> None:
    before = TweetBotStatus(runs=records(a_run(BOT, **ENDED)))
    before = TweetBotStatus(runs=records(a_run(BOT, number=2, **ENDED), before=before))
    assert [record.number for record in records(a_run(BOT, number=3, **ENDED), before=before, limit=2)] == [3, 2]


def test_a_shorter_history_takes_effect_at_once() -> None:
    bot = a_bot_in("Train", run_fields=ENDED)
    bot = replace(bot, status=plan(an_observed(bot)).status)
    assert after(bot, history={"runs": 0}).status.runs == ()


def test_the_same_run_always_gives_the_same_record() -> None:
    before = TweetBotStatus(current_run=a_run(BOT, **ENDED), runs=records(a_run(BOT, **ENDED)))
    later = build_run_history(before, a_run(BOT, **ENDED), None, limit=5, now=seconds_after_noon(9999))
    assert later == before.runs


def columns(bot: TweetBot | InvalidTweetBot, *, at: float = 0, **observed: Any) -> Columns:
    """Return what kubectl prints after a pass at these seconds after noon."""
    found = plan(an_observed(bot, at=at, **observed)).status.columns
    assert found is not None
    return found


def test_a_state_is_shown_with_since_when_it_holds() -> None:
    bot = a_bot()
    begun = plan(an_observed(bot)).status
    assert columns(bot).since == "2026-01-01T12:00:00Z"
    going_on = replace(bot, status=begun)
    assert columns(going_on, at=90).since == "2026-01-01T12:00:00Z"
    held = replace(going_on, spec=a_bot(suspend=True).spec)
    assert columns(held, at=90).since == "2026-01-01T12:01:30Z"
    assert columns(after(going_on, filter={"minWords": 7}), at=900).since == "2026-01-01T12:10:00Z"


def test_a_status_that_knew_no_columns_holds_since_its_run_ended() -> None:
    assert columns(a_bot_in("Train", run_fields=ENDED), at=7200).since == "2026-01-01T12:30:00Z"


def test_progress_is_shown_in_percent_and_a_model_by_its_version() -> None:
    progress = ProgressStatus(percent=43, updated_at="2026-01-01T12:00:00Z")
    assert columns(a_bot_in("Train", run_fields={"progress": progress})).progress == "43%"
    assert columns(a_bot()).progress is None
    bot = a_bot_in("Train")
    job = a_complete_job(bot)
    shown = columns(bot, jobs=(job,), pods=(a_finished_pod(job, a_train_result()),))
    assert (shown.model, shown.message) == (a_train_result().model.version, "The model is published.")


def test_a_message_in_other_words_alone_is_a_rewording_whatever_its_column_shows() -> None:
    one, other = (
        set_summary(BOT, Summary("Training", "Unschedulable", f"0/{nodes} nodes are available."), NOON)
        for nodes in (3, 4)
    )
    assert one.columns != other.columns
    assert is_rewording(one, other)


def test_a_status_of_an_invalid_spec_has_columns_too() -> None:
    assert columns(an_invalid_bot("spec.filter: no")).message == "spec.filter: no."
