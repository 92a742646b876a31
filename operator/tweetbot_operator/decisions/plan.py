"""The decision: what was observed of one TweetBot → what to do for it and what its status says.

Two rules order everything. A run is recorded as it stands before anything is done for it, so nothing is created or
deleted that the status does not explain. And where the run stays as it is, actions come first and the status after
them, so that one write says what came of them.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from tweetbot_contract.handover import ERASE_FINALIZER
from tweetbot_contract.manifest import BaseTweetBot, TweetBot
from tweetbot_contract.status import TweetBotStatus
from tweetbot_operator.decisions.actions import (
    blame_mutations,
    compute_requeue_at,
    decide_actions,
    find_jobs_to_follow,
    note_creation,
)
from tweetbot_operator.decisions.conditions import summarize_run
from tweetbot_operator.decisions.progress import add_progress, get_next_write_time
from tweetbot_operator.decisions.run import add_usage, advance_run, decide_run
from tweetbot_operator.decisions.stage import Stage, observe_stage
from tweetbot_operator.decisions.status import build_invalid_spec_status, build_status, note_trouble
from tweetbot_operator.types.actions import Action, ResetStatus, SetFinalizers
from tweetbot_operator.types.objects import InvalidTweetBot, Observed
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
    if isinstance(bot, InvalidTweetBot):
        return Plan(build_invalid_spec_status(bot, now))
    if finalizers := _ensure_finalizer(bot):
        return Plan(bot.status, (finalizers,))
    if unwatched := find_jobs_to_follow(observed):
        return Plan(bot.status, unwatched)

    # The run that spec, annotation and schedule ask for, and what has become of the Job of its present stage.
    schedule = compute_schedule_times(bot, now)
    run = decide_run(bot, schedule.due, now)
    stage = blame_mutations(observe_stage(bot, run, observed))

    # The run after that: as it was, retried, ended or in its next stage, for which no Job has been observed yet.
    used = add_usage(run, stage.job, stage.pods, stage.state, now)
    update = add_progress(advance_run(used, stage.state, observed), observed)
    same_stage = update.run.stage == run.stage
    stage = replace(stage, run=update.run) if same_stage else Stage(observed, bot, update.run)
    stage = replace(stage, run=note_creation(stage))
    update = replace(update, run=note_trouble(stage))
    stage = replace(stage, run=update.run)

    status = build_status(bot, update, summarize_run(stage), schedule_times=schedule, now=now)
    recorded = bot.status.current_run
    if recorded is None or update.run != recorded.model_copy(update={"last_trouble": update.run.last_trouble}):
        return Plan(status, status_first=True)
    actions = decide_actions(stage)
    requeue_at = get_earliest(compute_requeue_at(stage), get_next_write_time(update.run, observed), schedule.next)
    return Plan(status, actions, requeue_at)


def _ensure_finalizer(bot: TweetBot) -> SetFinalizers | None:
    """Return what brings our finalizer in line with deletionPolicy; it is set before anything is written to S3."""
    guarded = ERASE_FINALIZER in bot.finalizers
    if bot.spec.deletion_policy == "Delete":
        return None if guarded else SetFinalizers((*bot.finalizers, ERASE_FINALIZER), "deletionPolicy is Delete")
    return remove_finalizer(bot, "deletionPolicy is Retain") if guarded else None


def remove_finalizer(bot: BaseTweetBot, why: str) -> SetFinalizers:
    """Return the finalizers without ours."""
    return SetFinalizers(tuple(name for name in bot.finalizers if name != ERASE_FINALIZER), why)
