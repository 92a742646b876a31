"""A run's present stage and what bears on it → what stands in its way, what to do, when to look again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.reasons import JOB_REFUSED
from tweetbot_contract.status import CurrentRun
from tweetbot_operator.decisions.pod_problems import node_lost
from tweetbot_operator.jobs.job import Manifest, job_for
from tweetbot_operator.jobs.scheduling import queue_of
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.actions import Action, AskQueue, CreateJob, DeleteJob, FindPods, ReadEvents
from tweetbot_operator.types.diagnostics import Refusal
from tweetbot_operator.types.objects import JobView
from tweetbot_operator.types.observed import World
from tweetbot_operator.types.stage_state import Blockage, Going, Held, Lost, NoJob, Outcome, Stale, Unread
from tweetbot_operator.types.summary import Place
from tweetbot_operator.types.times import after, earliest, moment_of


@dataclass(frozen=True, slots=True)
class Fate:
    """What decides whether a Job of this TweetBot stays."""

    run: CurrentRun
    suspended: bool
    outcome: Outcome
    """Of the Job of the run's stage."""
    now: datetime
    settings: OperatorSettings


Check = Callable[[JobView, Fate], bool]


def superseded(job: JobView, fate: Fate) -> bool:
    """Another run has taken over."""
    return not job.finished and job.run != fate.run.id


def suspended(job: JobView, fate: Fate) -> bool:
    """The user asked for a pause."""
    return not job.finished and fate.suspended


def overtaken(job: JobView, fate: Fate) -> bool:
    """The run has ended without it: a deadline."""
    return not job.finished and fate.run.outcome is not None


def outdated(job: JobView, fate: Fate) -> bool:
    """It stands where the run's Job must stand, and is not it, or its result is lost."""
    return fate.run.outcome is None and job.name == fate.run.job_name and isinstance(fate.outcome, Stale | Lost)


def expired(job: JobView, fate: Fate) -> bool:
    """Its result has been in the status for long."""
    due = expires_at(job, fate)
    return due is not None and fate.now >= due


def expires_at(job: JobView, fate: Fate) -> datetime | None:
    """Return when a finished Job goes; None while its result may still be needed."""
    if job.finished_at is None or (fate.run.outcome is None and job.name == fate.run.job_name):
        return None
    settings = fate.settings
    return after(
        job.finished_at, settings.success_ttl_seconds if job.verdict == "Complete" else settings.failure_ttl_seconds
    )


CHECKS: tuple[Check, ...] = (superseded, suspended, overtaken, outdated, expired)


def reason_to_delete(job: JobView, fate: Fate) -> str | None:
    """Return the name of the first check that says it must go; None for one that stays or is going already."""
    if job.deleting:
        return None
    return next((check.__name__ for check in CHECKS if check(job, fate)), None)


@dataclass(frozen=True)
class Situation:
    """The run's present stage with all that bears on it."""

    bot: TweetBot
    run: CurrentRun
    job: JobView | None
    """The stage's own Job."""
    outcome: Outcome
    """What has become of it."""
    world: World
    settings: OperatorSettings

    @cached_property
    def job_to_create(self) -> Manifest | str:
        """The stage's Job, or why there can be none."""
        try:
            return job_for(self.bot, self.run, self.settings)
        except ValueError as fault:
            return str(fault)


def waits(here: Situation) -> bool:
    """Whether a Job or Pod of another run or stage has not ended: two of one bot never hold two GPUs."""
    own = here.job.uid if here.job else ""
    jobs = any(not job.finished for job in here.world.jobs if job.uid != own)
    return jobs or any(not pod.ended for pod in here.world.pods if pod.job != own)


def blockage(here: Situation) -> Blockage | None:
    """Return what keeps the run from going on, if anything does."""
    if here.run.outcome is not None or here.bot.spec.suspend:
        return None
    if lost := node_lost(here.world.pods, here.world.now, here.settings):
        return lost
    match here.outcome:
        case Going(blockage=found):
            return found
        case NoJob() if not waits(here):
            return _refused(here)
        case _:
            return None


def _refused(here: Situation) -> Blockage | None:
    if refusal := _refusal(here):
        return Blockage(refusal.reason, refusal.message, stalled=not refusal.temporary)
    if isinstance(here.job_to_create, str):
        return Blockage(JOB_REFUSED.name, f"{here.job_to_create}. {JOB_REFUSED.advice}", stalled=True)
    return None


def _refusal(here: Situation) -> Refusal | None:
    return here.world.findings.refusal_of(here.run.job_name or "", here.run.execution)


def actions(here: Situation) -> tuple[Action, ...]:
    """Return what is to be done now, deletions first."""
    fate = _fate(here)
    doomed = tuple(DeleteJob(job, why) for job in here.world.jobs if (why := reason_to_delete(job, fate)))
    match here.outcome:
        case NoJob() if _may_create(here) and not place(here):
            return (*doomed, *_creation(here))
        case Unread(job):
            return (*doomed, FindPods(job))
        case Going(look_up=item) if item is not None and not here.bot.spec.suspend:
            return (*doomed, ReadEvents(item))
        case Held(job, ask=True) if not here.bot.spec.suspend:
            return (*doomed, AskQueue(job))
        case _:
            return doomed


def place(here: Situation) -> Place | None:
    """Return the place in the row for a slot of a run that needs one and nothing else; Kueue has rows of its own."""
    if queue_of(here.bot.spec.scheduling, here.run.stage) or not isinstance(here.outcome, NoJob):
        return None
    return here.world.place if _may_create(here) else None


def _fate(here: Situation) -> Fate:
    return Fate(here.run, here.bot.spec.suspend, here.outcome, here.world.now, here.settings)


def _may_create(here: Situation) -> bool:
    now, refusal = here.world.now, _refusal(here)
    return (
        here.run.outcome is None
        and not here.bot.spec.suspend
        and (here.run.retry_at is None or moment_of(here.run.retry_at) <= now)
        and (refusal is None or refusal.retry_at <= now)
        and not waits(here)
    )


def _creation(here: Situation) -> tuple[CreateJob, ...]:
    if isinstance(here.job_to_create, str):
        return ()  # `blockage` says so
    return (CreateJob(here.job_to_create, here.run.execution),)


def wake_at(here: Situation) -> datetime | None:
    """Return the first moment at which something is due although no event comes."""
    now, run = here.world.now, here.run
    fate = _fate(here)
    refusal = _refusal(here)
    moments = [
        here.outcome.wake_at if isinstance(here.outcome, Going | Held) else None,
        moment_of(run.retry_at) if run.retry_at else None,
        refusal.retry_at if refusal and run.outcome is None else None,
        *(expires_at(job, fate) for job in here.world.jobs if not job.deleting),
        *(after(pod.deleting_at, here.settings.node_lost_seconds) for pod in here.world.pods if pod.deleting_at),
    ]
    return earliest(*(moment for moment in moments if moment and moment > now))
