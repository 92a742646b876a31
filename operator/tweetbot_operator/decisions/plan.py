"""The decision: one TweetBot, its Jobs and Pods, what was found out, the time → what to do and what to say.

Two rules order everything. A run is recorded as it stands before anything is done for it, so nothing is created or
deleted that the status does not explain. And where the run stays as it is, actions come first and the status after
them, so that it tells what came of them in one write.
"""

from dataclasses import dataclass
from datetime import datetime

from tweetbot_contract.handover import ERASE_FINALIZER
from tweetbot_contract.manifest import BaseTweetBot, TweetBot
from tweetbot_contract.status import TweetBotStatus
from tweetbot_operator.decisions.actions import (
    Situation,
    compute_requeue_at,
    decide_actions,
    find_start_problem,
    get_queue_position,
    is_previous_run_ending,
)
from tweetbot_operator.decisions.progress import add_progress, get_next_write_time
from tweetbot_operator.decisions.run import advance_run, decide_run, decide_trigger
from tweetbot_operator.decisions.stage import Scene, observe_stage
from tweetbot_operator.decisions.status import build_invalid_spec_status, build_status
from tweetbot_operator.decisions.summary import Circumstances, summarize_run
from tweetbot_operator.decisions.usage import add_usage
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.actions import Action, ResetStatus, SetFinalizers
from tweetbot_operator.types.observed import Observed
from tweetbot_operator.types.schedule import compute_schedule_times
from tweetbot_operator.types.stage_state import JobMissing
from tweetbot_operator.types.summary import summarize_queued
from tweetbot_operator.types.times import get_earliest
from tweetbot_operator.types.tweetbot import InvalidTweetBot


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, then what to say, and when to look again although nothing happens."""

    status: TweetBotStatus
    actions: tuple[Action, ...] = ()
    requeue_at: datetime | None = None
    status_first: bool = False
    """Whether the status must be written before anything else is planned: the run is not recorded as it stands."""


def plan(observed: Observed, settings: OperatorSettings) -> Plan:
    """Return what the state asks for. The same state gives the same plan, and its execution leaves nothing to plan."""
    bot = observed.bot
    if bot.status.uid not in (None, bot.uid):
        return Plan(bot.status, (ResetStatus(),))
    if isinstance(bot, InvalidTweetBot):
        return Plan(build_invalid_spec_status(bot, observed.now))
    if finalizers := _ensure_finalizer(bot):
        return Plan(bot.status, (finalizers,))
    schedule_times = compute_schedule_times(bot, observed.now)
    run = decide_run(bot, decide_trigger(bot, schedule_times.due), observed.now)
    job = next((job for job in observed.jobs if job.name == run.job_name), None)
    own = tuple(pod for pod in observed.pods if job and pod.controller_uid == job.uid)
    stage = Scene(run, bot.spec.run, job, own, observed.diagnostics, observed.now, settings)
    state = JobMissing() if run.outcome else observe_stage(stage)
    counted = run if job is None or job.execution != run.execution else add_usage(run, own, state, observed.now)
    update = add_progress(bot.status.current_run, advance_run(bot, counted, state, observed.now), observed)
    if update.run.stage != run.stage:
        job, state = None, JobMissing()  # what they speak of is the stage before
    here = Situation(bot, update.run, job, state, observed, settings)
    around = Circumstances(
        bot.spec.suspend, is_previous_run_ending(here), state, find_start_problem(here), observed.now
    )
    summary = summarize_run(update.run, around)
    if (waiting := get_queue_position(here)) and not around.blockage:
        summary = summarize_queued(waiting, bot.status.find_condition("Progressing"))
    status = build_status(bot, update, summary, schedule_times=schedule_times, now=observed.now)
    if update.run != bot.status.current_run:
        return Plan(status, status_first=True)
    return Plan(
        status,
        decide_actions(here),
        get_earliest(compute_requeue_at(here), get_next_write_time(update.run, observed), schedule_times.next),
    )


def _ensure_finalizer(bot: TweetBot) -> SetFinalizers | None:
    """Return what brings our finalizer in line with deletionPolicy; it is set before anything is written to S3."""
    guarded = ERASE_FINALIZER in bot.finalizers
    if bot.spec.deletion_policy == "Delete":
        return None if guarded else SetFinalizers((*bot.finalizers, ERASE_FINALIZER), "deletionPolicy is Delete")
    return remove_finalizer(bot, "deletionPolicy is Retain") if guarded else None


def remove_finalizer(bot: BaseTweetBot, why: str) -> SetFinalizers:
    """Return the finalizers without ours."""
    return SetFinalizers(tuple(name for name in bot.finalizers if name != ERASE_FINALIZER), why)
