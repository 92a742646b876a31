"""Status before and run now → the runs that are over, newest first."""

from datetime import datetime

from tweetbot_contract.reasons import SUPERSEDED
from tweetbot_contract.status import CurrentRun, ModelStatus, RunRecord, TweetBotStatus
from tweetbot_operator.times import stamp


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
