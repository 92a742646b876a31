"""Turn and standing → the whole next status. The one write of a pass sends exactly this."""

from datetime import datetime

from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.reasons import SUPERSEDED
from tweetbot_contract.result import TrainSucceeded
from tweetbot_contract.status import CurrentRun, DataStatus, ModelStatus, RunRecord, TrackingStatus, TweetBotStatus
from tweetbot_operator.decisions.conditions import claims_of, claims_saying, conditions_after, invalid_spec_claims
from tweetbot_operator.decisions.run import Turn
from tweetbot_operator.types.schedule import Timetable
from tweetbot_operator.types.summary import Standing
from tweetbot_operator.types.times import stamp
from tweetbot_operator.types.tweetbot import UnreadableBot


def runs_after(
    before: TweetBotStatus, run: CurrentRun, model: ModelStatus | None, *, limit: int, now: datetime
) -> tuple[RunRecord, ...]:
    """Return the records, at most `limit`: one for each run that ended or gave way, none for the one that goes on.

    A run that an edit revived keeps its number; its record goes until it has ended again.
    """
    former = before.current_run
    kept = tuple(record for record in before.runs if record.number != run.number)
    if former and former.number != run.number and former.outcome is None:
        kept = (_record(former, "Superseded", SUPERSEDED.name, stamp(now)), *kept)
    if run.outcome is not None and run.finished_at is not None:
        uri = model.uri if model and model.run_id == run.id and run.outcome == "Succeeded" else None
        ended = _record(run, run.outcome, run.reason or "", run.finished_at)
        kept = (ended.model_copy(update={"model_uri": uri}), *kept)
    return kept[:limit]


def _record(run: CurrentRun, outcome: str, reason: str, finished_at: str) -> RunRecord:
    return RunRecord.model_validate(
        {
            "id": run.id,
            "number": run.number,
            "trigger": run.trigger,
            "outcome": outcome,
            "reason": reason,
            "dataset": run.dataset,
            "attempts": run.pods,
            "started_at": run.started_at,
            "finished_at": finished_at,
        }
    )


def status_after(
    bot: TweetBot, turn: Turn, standing: Standing, *, timetable: Timetable, now: datetime
) -> TweetBotStatus:
    """Return the next status of a TweetBot."""
    former = bot.status
    model = _model(turn.trained, turn.run) if turn.trained else former.model
    begins = former.current_run is None or former.current_run.number != turn.run.number
    due = timetable.due
    upcoming = timetable.coming if begins or due is None else due
    return TweetBotStatus(
        uid=bot.uid,
        observed_generation=bot.generation,
        phase=standing.phase,
        conditions=conditions_after(claims_of(bot, turn, model, standing), former, now),
        current_run=turn.run,
        data=_data(turn) or former.data,
        model=model,
        metrics=turn.trained.metrics if turn.trained else former.metrics,
        samples=turn.trained.samples if turn.trained else former.samples,
        tracking=_tracking(turn, former.tracking),
        runs=runs_after(former, turn.run, model, limit=bot.spec.history.runs, now=now),
        last_handled_retrain_at=_handled(bot, turn.run),
        last_schedule_time=stamp(due) if begins and due else former.last_schedule_time,
        next_schedule_time=stamp(upcoming) if upcoming else None,
    )


def invalid_spec_status(bot: UnreadableBot, now: datetime) -> TweetBotStatus:
    """Return the next status of a TweetBot whose spec cannot be read: run, data and model stay as they are."""
    claims = invalid_spec_claims(bot.complaint, bot.status, bot.generation)
    update = {
        "uid": bot.uid,
        "observed_generation": bot.generation,
        "phase": "Failed",
        "conditions": conditions_after(claims, bot.status, now),
    }
    return bot.status.model_copy(update=update)


def status_saying(bot: TweetBot | UnreadableBot, standing: Standing, now: datetime) -> TweetBotStatus:
    """Return the status with this standing in its conditions and all else as it was: of a deletion, of a fault."""
    claims = claims_saying(standing, bot.status, bot.generation)
    return bot.status.model_copy(update={"uid": bot.uid, "conditions": conditions_after(claims, bot.status, now)})


def same(one: TweetBotStatus, other: TweetBotStatus) -> bool:
    """Whether the two say the same; the API server may list conditions in an order of its own."""
    return one == other or _ordered(one) == _ordered(other)


def _ordered(status: TweetBotStatus) -> TweetBotStatus:
    by_type = tuple(sorted(status.conditions, key=lambda condition: condition.type))
    return status.model_copy(update={"conditions": by_type})


def _model(result: TrainSucceeded, run: CurrentRun) -> ModelStatus:
    return ModelStatus(**result.model.model_dump(), run_id=run.id, identity=run.identity)


def _handled(bot: TweetBot, run: CurrentRun) -> str | None:
    return bot.retrain_at if bot.retrain_at and run.trigger == bot.retrain_at else bot.status.last_handled_retrain_at


def _data(turn: Turn) -> DataStatus | None:
    if turn.prepared is None:
        return None
    dataset = turn.prepared.dataset
    more = {"digest": dataset.digest, "newest_post_at": dataset.newest_post_at, "billed": turn.prepared.billed}
    return DataStatus(**dataset.table.model_dump(), **more)


def _tracking(turn: Turn, former: TrackingStatus | None) -> TrackingStatus | None:
    """Return the run's page as far as this turn knows it; an adopted model's page is that of the run that made it."""
    if turn.prepared:
        url = turn.prepared.tracking.wandb_url
        return TrackingStatus(wandb_url=url) if url else None
    if turn.trained and turn.trained.tracking.wandb_url:
        return TrackingStatus(wandb_url=turn.trained.tracking.wandb_url)
    return former
