"""The decision: what was observed of one TweetBot → what to do for it and what its status says.

Two rules order everything. A run is recorded as it stands before anything is done for it, so nothing is created or
deleted that the status does not explain. And where the run stays as it is, actions come first and the status after
them, so that one write says what came of them.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from tweetbot_contract.handover import ERASE_FINALIZER
from tweetbot_contract.manifest import BaseTweetBot, TweetBot
from tweetbot_contract.status import CurrentRun, TweetBotStatus
from tweetbot_operator.decisions.actions import (
    blame_mutations,
    compute_requeue_at,
    decide_actions,
    find_jobs_to_follow,
    note_creation,
)
from tweetbot_operator.decisions.conditions import summarize_run
from tweetbot_operator.decisions.platform.class_choice import find_kept_run, resolve_class
from tweetbot_operator.decisions.platform.costs import note_costs
from tweetbot_operator.decisions.platform.usage import charge_usage, settle_usage
from tweetbot_operator.decisions.progress import add_progress, get_next_write_time
from tweetbot_operator.decisions.run import add_usage, advance_run, decide_run
from tweetbot_operator.decisions.stage import Stage, observe_stage
from tweetbot_operator.decisions.status import build_invalid_spec_status, build_status, note_trouble
from tweetbot_operator.decisions.tasks.forget import compute_forget_requeue_at, decide_forget_actions, settle_forgetting
from tweetbot_operator.decisions.tasks.pin import compute_pin_requeue_at, decide_pin_actions, describe_pin, settle_pin
from tweetbot_operator.types.actions import Action, ResetStatus, SetFinalizers
from tweetbot_operator.types.objects import InvalidTweetBot, Observed
from tweetbot_operator.types.stage_state import PinUpdate, RunUpdate, Summary
from tweetbot_operator.types.times import compute_schedule_times, get_earliest


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, then what to say, and when to look again although nothing happens."""

    status: TweetBotStatus
    actions: tuple[Action, ...] = ()
    requeue_at: datetime | None = None
    status_first: bool = False
    """Whether the status must be written before anything else is planned: the run is not recorded as it stands."""


def plan(observed: Observed) -> Plan:
    """Plan a TweetBot's next step. The same state gives the same plan, and its execution leaves nothing to plan."""
    bot, now = observed.bot, observed.now
    if bot.status.uid not in (None, bot.uid):
        return Plan(bot.status, (ResetStatus(),))  # from a backup, or copied: written for another object
    kept = None
    if observed.classes or bot.class_name or (isinstance(bot, TweetBot) and bot.run_class):
        kept = find_kept_run(bot, now)
        bot = bot if kept else resolve_class(observed)
    if isinstance(bot, InvalidTweetBot):
        return Plan(build_invalid_spec_status(bot, now))
    if finalizers := _ensure_finalizer(bot):
        return Plan(bot.status, (finalizers,))
    if unwatched := find_jobs_to_follow(observed):
        return Plan(bot.status, unwatched)
    return _plan_run(bot, observed, kept)


def _plan_run(bot: TweetBot, observed: Observed, kept: CurrentRun | None) -> Plan:
    now = observed.now
    # The run that spec, annotation and schedule ask for, and what has become of the Job of its present stage.
    schedule = compute_schedule_times(bot, now)
    run = kept or decide_run(bot, schedule.due, now)
    if bot.status.current_run and bot.status.current_run.usage:
        bot, run = settle_usage(bot, run, observed)
    stage = blame_mutations(observe_stage(bot, run, observed))

    # The run after that: as it was, retried, ended or in its next stage, for which no Job has been observed yet.
    used = add_usage(run, stage.job, stage.pods, stage.state, now)
    used = charge_usage(used, stage) if used.usage else used
    update = add_progress(advance_run(used, stage.state, observed), observed)
    if update.prepared or bot.status.data or update.run.outcome:
        update = note_costs(update, used, bot, observed)
    same_stage = update.run.stage == run.stage
    stage = replace(stage, run=update.run) if same_stage else Stage(observed, bot, update.run)
    stage = replace(stage, run=note_creation(stage))
    update = replace(update, run=note_trouble(stage))
    stage = stage if update.run is stage.run else replace(stage, run=update.run)  # which would build its Job again
    if _has_pin(update, bot, observed):
        update = settle_pin(update, bot, observed)
    summary = _add_pin(summarize_run(stage), update.pin)
    if bot.forget_at or bot.status.forget:
        update = replace(update, forget=settle_forgetting(update.run, summary, bot, observed))

    status = build_status(bot, update, summary, schedule_times=schedule, now=now)
    if not _is_recorded(status, bot.status):
        return Plan(status, status_first=True)
    due = get_earliest(compute_requeue_at(stage), get_next_write_time(update.run, observed), schedule.next)
    plan = Plan(status, decide_actions(stage), due)
    return _add_tasks(plan, update, bot, observed) if update.pin or update.forget else plan


def _add_tasks(plan: Plan, update: RunUpdate, bot: TweetBot, observed: Observed) -> Plan:
    """Return the plan with what is to be done beside the run."""
    actions, due = plan.actions, plan.requeue_at
    if update.forget:
        actions = (*decide_forget_actions(update.pin, bot, observed), *actions)
        due = get_earliest(due, compute_forget_requeue_at(bot, observed))
    if update.pin:
        actions = (*decide_pin_actions(bot, observed), *actions)
        due = get_earliest(due, compute_pin_requeue_at(bot, observed))
    return replace(plan, actions=actions, requeue_at=due)


def _has_pin(update: RunUpdate, bot: TweetBot, observed: Observed) -> bool:
    """Tell whether there is anything to do or to say about spec.pin; for most TweetBots there is not."""
    beside = update.trained is not None and update.trained.pinned is not None
    return bool(bot.spec.pin or bot.status.pin or any(job.stage == "pin" for job in observed.tasks)) or beside


def _add_pin(summary: Summary, pin: PinUpdate | None) -> Summary:
    """Return the run's summary, or spec.pin's where that needs a person, or goes on when the run has ended well.

    Progressing stays that of a run that goes on: its place in the queue is read from there.
    """
    said = describe_pin(pin) if pin else None
    if said is None or summary.stalled:
        return summary
    if said.stalled and summary.progressing:
        return replace(summary, stalled=True, alarm=said)
    if said.stalled or summary.phase == "Succeeded":
        moving = not said.stalled
        return replace(summary, reason=said.reason, message=said.message, progressing=moving, stalled=said.stalled)
    return summary


def _is_recorded(status: TweetBotStatus, before: TweetBotStatus) -> bool:
    """Tell whether run and requests stand in the status as they are now, apart from what nothing is decided by."""
    run, recorded = status.current_run, before.current_run
    if run is None or recorded is None or (status.pin, status.forget) != (before.pin, before.forget):
        return False
    reported = {name: getattr(run, name) for name in ("last_trouble", "estimate", "actual")}
    return run == recorded.model_copy(update=reported)


def _ensure_finalizer(bot: TweetBot) -> SetFinalizers | None:
    """Return what brings our finalizer in line with deletionPolicy; it is set before anything is written to S3."""
    guarded = ERASE_FINALIZER in bot.finalizers
    if bot.spec.deletion_policy == "Delete":
        return None if guarded else SetFinalizers((*bot.finalizers, ERASE_FINALIZER), "deletionPolicy is Delete")
    return remove_finalizer(bot, "deletionPolicy is Retain") if guarded else None


def remove_finalizer(bot: BaseTweetBot, why: str) -> SetFinalizers:
    """Return the finalizers without ours."""
    return SetFinalizers(tuple(name for name in bot.finalizers if name != ERASE_FINALIZER), why)
