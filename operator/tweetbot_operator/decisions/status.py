"""Build the whole next status, which the one write of a pass sends, and decide whether it says anything new.

Schedulers, kubelets and Kueue put numbers, addresses and ids into their sentences, which change with every node and
every try. A status is written for what they mean.
"""

from datetime import datetime

from tweetbot_contract.manifest import BaseTweetBot, TweetBot
from tweetbot_contract.reasons import SUPERSEDED
from tweetbot_contract.result import TrackingResult
from tweetbot_contract.status import (
    Columns,
    Condition,
    CurrentRun,
    DataStatus,
    ModelStatus,
    RunRecord,
    TrackingStatus,
    Trouble,
    TweetBotStatus,
)
from tweetbot_operator.decisions.actions import find_start_problem
from tweetbot_operator.decisions.conditions import (
    CONDITION_TYPES,
    build_desired_conditions,
    build_invalid_spec_conditions,
    replace_summary,
)
from tweetbot_operator.decisions.failures import describe_trouble, explain_end
from tweetbot_operator.decisions.run import get_hub, get_served
from tweetbot_operator.decisions.stage import Stage
from tweetbot_operator.types.objects import InvalidTweetBot
from tweetbot_operator.types.stage_state import Desired, DesiredCondition, RunUpdate, Summary
from tweetbot_operator.types.times import (
    ScheduleTimes,
    add_seconds,
    extract_meaning,
    format_time,
    make_printable,
    parse_time,
    shorten,
)

#: Seconds after a write for other words before the next, and after the last change before one for other numbers.
_REWORDING_SECONDS, _RENUMBERING_SECONDS = 60, 3600
#: Characters of a message that `kubectl get -o wide` shows: usual lines stay below 200.
_COLUMN = 52


def note_trouble(stage: Stage) -> CurrentRun:
    """Return the run with the latest trouble of its present stage.

    A Pod that counts against the attempts is noted with the Job's own count of it, so that an attempt costs one write.
    A wait is noted once it is Stalled.
    """
    run, known = stage.run, stage.run.last_trouble
    if run.outcome == "Succeeded":
        return run
    found = [trouble for trouble in (_find_attempt_trouble(stage), _find_wait_trouble(stage)) if trouble]
    latest = max(found, key=lambda trouble: trouble.at, default=None)
    if latest is None or (known and latest.at < known.at):
        return run
    return run.model_copy(update={"last_trouble": latest})


def _find_attempt_trouble(stage: Stage) -> Trouble | None:
    """Return how the latest Pod of the stage's Job ended that left no result."""
    job = stage.job
    if job is None or job.execution != stage.run.execution:
        return None
    broken = [pod for pod in stage.pods if (pod.phase == "Failed" or pod.held_by) and pod.exit_code != 0]
    counted = [pod for pod in broken if not pod.disrupted]
    known = counted if job.finished else counted[: job.failed_pods]
    latest = [pod for pod in broken if pod.disrupted or pod.held_by or pod in known][-1:]
    if not latest:
        return None
    pod, cause = latest[0], explain_end(latest[0], stage.run.stage)
    before = max(job.failed_pods - 1, counted.index(pod)) if pod in counted else job.failed_pods
    return Trouble(
        reason=cause.reason,
        message=make_printable(cause.message, 512),
        stage=stage.run.stage,
        attempt=job.first_attempt + before,
        exit_code=pod.exit_code,
        pod=pod.name,
        at=format_time(pod.finished_at or pod.scheduled_at or pod.created_at),
    )


def _find_wait_trouble(stage: Stage) -> Trouble | None:
    """Return what keeps the present attempt from starting, unless that is known."""
    problem, run = find_start_problem(stage), stage.run
    known = run.last_trouble
    if problem is None or not problem.stalled:
        return None
    if known and (known.reason, known.stage, known.attempt) == (problem.reason, run.stage, run.attempt):
        return None
    message = make_printable(problem.message, 512)
    at = format_time(stage.now)
    return Trouble(reason=problem.reason, message=message, stage=run.stage, attempt=run.attempt, at=at)


def build_run_history(
    before: TweetBotStatus,
    run: CurrentRun,
    model: ModelStatus | None,
    *,
    limit: int,
    now: datetime,
    published: str | None = None,
) -> tuple[RunRecord, ...]:
    """Build the records, newest first and at most `limit`: one of each run that ended or was superseded.

    A run that an edit restarts keeps its number, and loses its record until it ends again. `published` is the address
    of the model of a run that has just ended: served, or beside a pin.
    """
    former = before.current_run
    known = next((record.model_uri for record in before.runs if record.number == run.number), None)
    kept = tuple(record for record in before.runs if record.number != run.number)
    if former and former.number != run.number and former.outcome is None:
        kept = (_build_record(former, "Superseded", SUPERSEDED.name, format_time(now)), *kept)
    if run.outcome is not None and run.finished_at is not None:
        served = model.uri if model and model.run_id == run.id else None
        uri = (published or known or served) if run.outcome == "Succeeded" else None
        ended = _build_record(run, run.outcome, run.reason or "", run.finished_at)
        kept = (ended.model_copy(update={"model_uri": uri}), *kept)
    return kept[:limit]


def _build_record(run: CurrentRun, outcome: str, reason: str, finished_at: str) -> RunRecord:
    names = ("id", "number", "trigger", "dataset", "figures", "usage", "estimate", "actual", "started_at")
    kept = {name: getattr(run, name) for name in names}
    trouble = make_printable(describe_trouble(run.last_trouble), 256) if run.last_trouble else None
    end = {"outcome": outcome, "reason": reason, "attempts": run.pods, "finished_at": finished_at}
    end["last_trouble"] = trouble
    return RunRecord.model_validate(kept | end)


def build_status(
    bot: TweetBot, update: RunUpdate, summary: Summary, *, schedule_times: ScheduleTimes, now: datetime
) -> TweetBotStatus:
    """Build the next status of a TweetBot."""
    former = bot.status
    model, retrain_at = former.model, former.last_handled_retrain_at
    pin, served = update.pin.pin if update.pin else None, get_served(update)
    if served:
        made_by = ModelStatus(**served.model.model_dump(), run_id=update.run.id, identity=update.run.identity)
        model = update.pin.model if update.pin else made_by
    if model and (hub := get_hub(update)):
        known = former.model.hugging_face if former.model and former.model.uri == model.uri else None
        model = model.model_copy(update={"hugging_face": hub.published or known})
    if bot.retrain_at and update.run.trigger == bot.retrain_trigger:
        retrain_at = bot.retrain_at
    begins = former.current_run is None or former.current_run.number != update.run.number
    due = schedule_times.due
    upcoming = schedule_times.next if begins or due is None else due
    published = update.trained.model.uri if update.trained else None
    status = TweetBotStatus(
        uid=bot.uid,
        observed_generation=bot.generation,
        phase=summary.phase,
        conditions=build_conditions(build_desired_conditions(bot, update, model, summary), former, now),
        current_run=update.run,
        data=_build_data_status(update) or former.data,
        model=model,
        metrics=served.metrics if served else former.metrics,
        samples=served.samples if served else former.samples,
        pin=pin,
        forget=update.forget.request if update.forget else None,
        tracking=_build_tracking_status(update, former.tracking),
        runs=build_run_history(former, update.run, model, limit=bot.spec.history.runs, now=now, published=published),
        last_handled_retrain_at=retrain_at,
        last_handled_take_over=(bot.take_over or None) if begins else former.last_handled_take_over,
        last_schedule_time=format_time(due) if begins and due else former.last_schedule_time,
        next_schedule_time=format_time(upcoming) if upcoming else None,
    )
    return _fill_columns(status, former, now)


def build_invalid_spec_status(bot: InvalidTweetBot, now: datetime) -> TweetBotStatus:
    """Build the next status of a TweetBot whose spec cannot be read: run, data and model stay as they are."""
    conditions = build_conditions(build_invalid_spec_conditions(bot), bot.status, now)
    seen = {"uid": bot.uid, "observed_generation": bot.generation}
    status = bot.status.model_copy(update={**seen, "phase": "Failed", "conditions": conditions})
    return _fill_columns(status, bot.status, now)


def set_summary(bot: BaseTweetBot, summary: Summary, now: datetime) -> TweetBotStatus:
    """Return the status with this summary in its conditions and all else as it was."""
    conditions = build_conditions(replace_summary(bot, summary), bot.status, now)
    status = bot.status.model_copy(update={"uid": bot.uid, "conditions": conditions})
    return _fill_columns(status, bot.status, now)


def _fill_columns(status: TweetBotStatus, former: TweetBotStatus, now: datetime) -> TweetBotStatus:
    """Return the status with what kubectl prints of it."""
    run, said = status.current_run, status.find_condition("Progressing")
    since = former.columns.since if former.columns and _get_state(former) == _get_state(status) else None
    ended_at = run.finished_at if run and not former.columns else None  # of a status that knew no columns
    percent = run.progress.percent if run and run.progress else None
    columns = Columns(
        since=since or ended_at or format_time(now),
        progress=f"{percent}%" if percent is not None else None,
        model=status.model.version[:32] if status.model else None,
        message=shorten(said.message, _COLUMN) if said else "",
    )
    return status.model_copy(update={"columns": columns})


def _get_state(status: TweetBotStatus) -> tuple[object, ...]:
    said = status.find_condition("Progressing")
    return status.phase, said and said.reason, status.current_run and status.current_run.number


def semantically_equal(one: TweetBotStatus, other: TweetBotStatus) -> bool:
    """Whether two statuses differ in nothing but the order of their conditions and those of other controllers."""
    return one == other or _select_own_conditions(one) == _select_own_conditions(other)


def _select_own_conditions(status: TweetBotStatus) -> TweetBotStatus:
    own = (condition for condition in status.conditions if condition.type in CONDITION_TYPES)
    return status.model_copy(update={"conditions": tuple(sorted(own, key=lambda condition: condition.type))})


def compute_write_time(
    before: TweetBotStatus, after: TweetBotStatus, reworded_at: datetime | None, now: datetime
) -> datetime | None:
    """Return when a status is to be written; None if it says the same as the one before.

    `reworded_at` is the last write for other words alone that this operator knows of.
    """
    if semantically_equal(before, after):
        return None
    if not is_rewording(before, after):
        return now
    if any(extract_meaning(one) != extract_meaning(other) for one, other in _pair_messages(before, after)):
        return add_seconds(reworded_at, _REWORDING_SECONDS) if reworded_at else now
    changed_at = max(parse_time(condition.last_transition_time) for condition in after.conditions)
    return add_seconds(max(reworded_at or changed_at, changed_at), _RENUMBERING_SECONDS)


def is_rewording(before: TweetBotStatus, after: TweetBotStatus) -> bool:
    """Whether two statuses differ in nothing but their conditions' messages."""
    return semantically_equal(_drop_messages(before), _drop_messages(after))


def _drop_messages(status: TweetBotStatus) -> TweetBotStatus:
    silent = tuple(condition.model_copy(update={"message": ""}) for condition in status.conditions)
    columns = status.columns.model_copy(update={"message": ""}) if status.columns else None
    return status.model_copy(update={"conditions": silent, "columns": columns})


def _pair_messages(before: TweetBotStatus, after: TweetBotStatus) -> list[tuple[str, str]]:
    """Return the messages of conditions that differ, as they were and as they are."""
    former = {condition.type: condition.message for condition in before.conditions}
    pairs = [(former[each.type], each.message) for each in after.conditions if each.type in former]
    return [(one, other) for one, other in pairs if one != other]


def _build_data_status(update: RunUpdate) -> DataStatus | None:
    if update.prepared is None:
        return None
    dataset = update.prepared.dataset
    more = {"digest": dataset.digest, "newest_post_at": dataset.newest_post_at, "billed": update.prepared.billed}
    return DataStatus(**dataset.table.model_dump(), **more)


def _build_tracking_status(update: RunUpdate, former: TrackingStatus | None) -> TrackingStatus | None:
    """Return the W&B page, of a new result if there is one; an adopted model keeps that of the run that trained it."""
    result = update.prepared or update.trained
    tracking = result.tracking if result else TrackingResult()
    if tracking.wandb_url or tracking.report_url:
        return TrackingStatus(wandb_url=tracking.wandb_url, report_url=tracking.report_url)
    return None if update.prepared else former


def build_conditions(desired: Desired, before: TweetBotStatus, now: datetime) -> tuple[Condition, ...]:
    """Build the conditions, sorted by type; each keeps its transition time unless its status flips."""
    return tuple(_build_condition(each, before, now) for each in sorted(desired, key=lambda each: each.type))


def _build_condition(desired: DesiredCondition, before: TweetBotStatus, now: datetime) -> Condition:
    former, status = before.find_condition(desired.type), "True" if desired.holds else "False"
    content = {
        "status": status,
        "reason": desired.reason,
        "message": make_printable(desired.message, 2048),
        "observed_generation": desired.generation,
    }
    if former and all(getattr(former, name) == value for name, value in content.items()):
        return former
    kept = former.last_transition_time if former and former.status == status else format_time(now)
    return Condition.model_validate({"type": desired.type, "last_transition_time": kept, **content})
