"""Build the whole next status, which the one write of a pass sends."""

from datetime import datetime

from tweetbot_contract.manifest import BaseTweetBot, TweetBot
from tweetbot_contract.reasons import SUPERSEDED
from tweetbot_contract.status import CurrentRun, DataStatus, ModelStatus, RunRecord, TrackingStatus, TweetBotStatus
from tweetbot_operator.decisions.conditions import (
    Summary,
    build_conditions,
    build_desired_conditions,
    build_invalid_spec_conditions,
    replace_summary,
)
from tweetbot_operator.decisions.run import RunUpdate
from tweetbot_operator.types.objects import InvalidTweetBot
from tweetbot_operator.types.times import ScheduleTimes, format_time


def build_run_history(
    before: TweetBotStatus, run: CurrentRun, model: ModelStatus | None, *, limit: int, now: datetime
) -> tuple[RunRecord, ...]:
    """Build the records, newest first and at most `limit`: one of each run that ended or was superseded.

    A run that an edit restarts keeps its number, and loses its record until it ends again.
    """
    former = before.current_run
    kept = tuple(record for record in before.runs if record.number != run.number)
    if former and former.number != run.number and former.outcome is None:
        kept = (_build_record(former, "Superseded", SUPERSEDED.name, format_time(now)), *kept)
    if run.outcome is not None and run.finished_at is not None:
        uri = model.uri if model and model.run_id == run.id and run.outcome == "Succeeded" else None
        ended = _build_record(run, run.outcome, run.reason or "", run.finished_at)
        kept = (ended.model_copy(update={"model_uri": uri}), *kept)
    return kept[:limit]


def _build_record(run: CurrentRun, outcome: str, reason: str, finished_at: str) -> RunRecord:
    kept = {name: getattr(run, name) for name in ("id", "number", "trigger", "dataset", "started_at")}
    end = {"outcome": outcome, "reason": reason, "attempts": run.pods, "finished_at": finished_at}
    return RunRecord.model_validate(kept | end)


def build_status(
    bot: TweetBot, update: RunUpdate, summary: Summary, *, schedule_times: ScheduleTimes, now: datetime
) -> TweetBotStatus:
    """Build the next status of a TweetBot."""
    former = bot.status
    model, retrain_at = former.model, former.last_handled_retrain_at
    if update.trained:
        model = ModelStatus(**update.trained.model.model_dump(), run_id=update.run.id, identity=update.run.identity)
    if bot.retrain_at and update.run.trigger == bot.retrain_at:
        retrain_at = bot.retrain_at
    begins = former.current_run is None or former.current_run.number != update.run.number
    due = schedule_times.due
    upcoming = schedule_times.next if begins or due is None else due
    return TweetBotStatus(
        uid=bot.uid,
        observed_generation=bot.generation,
        phase=summary.phase,
        conditions=build_conditions(build_desired_conditions(bot, update, model, summary), former, now),
        current_run=update.run,
        data=_build_data_status(update) or former.data,
        model=model,
        metrics=update.trained.metrics if update.trained else former.metrics,
        samples=update.trained.samples if update.trained else former.samples,
        tracking=_build_tracking_status(update, former.tracking),
        runs=build_run_history(former, update.run, model, limit=bot.spec.history.runs, now=now),
        last_handled_retrain_at=retrain_at,
        last_schedule_time=format_time(due) if begins and due else former.last_schedule_time,
        next_schedule_time=format_time(upcoming) if upcoming else None,
    )


def build_invalid_spec_status(bot: InvalidTweetBot, now: datetime) -> TweetBotStatus:
    """Build the next status of a TweetBot whose spec cannot be read: run, data and model stay as they are."""
    conditions = build_conditions(build_invalid_spec_conditions(bot), bot.status, now)
    seen = {"uid": bot.uid, "observed_generation": bot.generation}
    return bot.status.model_copy(update={**seen, "phase": "Failed", "conditions": conditions})


def set_summary(bot: BaseTweetBot, summary: Summary, now: datetime) -> TweetBotStatus:
    """Return the status with this summary in its conditions and all else as it was."""
    conditions = build_conditions(replace_summary(bot, summary), bot.status, now)
    return bot.status.model_copy(update={"uid": bot.uid, "conditions": conditions})


def semantically_equal(one: TweetBotStatus, other: TweetBotStatus) -> bool:
    """Whether two statuses differ in nothing but the order of their conditions."""
    return one == other or _sort_conditions(one) == _sort_conditions(other)


def _sort_conditions(status: TweetBotStatus) -> TweetBotStatus:
    by_type = tuple(sorted(status.conditions, key=lambda condition: condition.type))
    return status.model_copy(update={"conditions": by_type})


def _build_data_status(update: RunUpdate) -> DataStatus | None:
    if update.prepared is None:
        return None
    dataset = update.prepared.dataset
    more = {"digest": dataset.digest, "newest_post_at": dataset.newest_post_at, "billed": update.prepared.billed}
    return DataStatus(**dataset.table.model_dump(), **more)


def _build_tracking_status(update: RunUpdate, former: TrackingStatus | None) -> TrackingStatus | None:
    """Return the W&B page, of a new result if there is one; an adopted model keeps that of the run that trained it."""
    if update.prepared:
        url = update.prepared.tracking.wandb_url
        return TrackingStatus(wandb_url=url) if url else None
    if update.trained and update.trained.tracking.wandb_url:
        return TrackingStatus(wandb_url=update.trained.tracking.wandb_url)
    return former
