"""A run's present stage and what bears on it → what stands in its way, what to do, when to look again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.reasons import JOB_REFUSED
from tweetbot_contract.status import CurrentRun
from tweetbot_operator.decisions.pod_problems import NODE_LOST_SECONDS, find_lost_node
from tweetbot_operator.jobs.job import build_job, get_queue_name
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.actions import Action, CreateJob, DeleteJob, GetWorkload, ListEvents, ListPods
from tweetbot_operator.types.diagnostics import CreateFailure
from tweetbot_operator.types.objects import JobView, Manifest
from tweetbot_operator.types.observed import Observed
from tweetbot_operator.types.stage_state import (
    Active,
    JobMissing,
    Outdated,
    ResultLost,
    ResultPending,
    StageState,
    StartProblem,
    Suspended,
)
from tweetbot_operator.types.summary import QueuePosition
from tweetbot_operator.types.times import add_seconds, get_earliest, parse_time


@dataclass(frozen=True, slots=True)
class Fate:
    """What decides whether a Job of this TweetBot stays."""

    run: CurrentRun
    suspended: bool
    outcome: StageState
    """Of the Job of the run's stage."""
    now: datetime
    settings: OperatorSettings


Check = Callable[[JobView, Fate], bool]


def is_superseded(job: JobView, stage: Fate) -> bool:
    """Another run has taken over."""
    return not job.finished and job.run_id != stage.run.id


def is_suspended(job: JobView, stage: Fate) -> bool:
    """The user asked for a pause."""
    return not job.finished and stage.suspended


def is_overtaken(job: JobView, stage: Fate) -> bool:
    """The run has ended without it: a deadline."""
    return not job.finished and stage.run.outcome is not None


def is_outdated(job: JobView, stage: Fate) -> bool:
    """It stands where the run's Job must stand, and is not it, or its result is lost."""
    return (
        stage.run.outcome is None
        and job.name == stage.run.job_name
        and isinstance(stage.outcome, Outdated | ResultLost)
    )


def is_expired(job: JobView, stage: Fate) -> bool:
    """Its result has been in the status for long."""
    due = get_expiry_time(job, stage)
    return due is not None and stage.now >= due


def get_expiry_time(job: JobView, stage: Fate) -> datetime | None:
    """Return when a finished Job goes; None while its result may still be needed."""
    if job.finished_at is None or (stage.run.outcome is None and job.name == stage.run.job_name):
        return None
    settings = stage.settings
    return add_seconds(
        job.finished_at,
        settings.success_ttl_seconds if job.finished_condition == "Complete" else settings.failure_ttl_seconds,
    )


CHECKS: tuple[Check, ...] = (is_superseded, is_suspended, is_overtaken, is_outdated, is_expired)


def find_deletion_reason(job: JobView, stage: Fate) -> str | None:
    """Return the name of the first check that says it must go; None for one that stays or is going already."""
    if job.deleting:
        return None
    return next((check.__name__.removeprefix("is_") for check in CHECKS if check(job, stage)), None)


@dataclass(frozen=True)
class Situation:
    """The run's present stage with all that bears on it."""

    bot: TweetBot
    run: CurrentRun
    job: JobView | None
    """The stage's own Job."""
    outcome: StageState
    """What has become of it."""
    observed: Observed
    settings: OperatorSettings

    @cached_property
    def job_to_create(self) -> Manifest | str:
        """The stage's Job, or why there can be none."""
        try:
            return build_job(self.bot, self.run, self.settings)
        except ValueError as fault:
            return str(fault)


def is_previous_run_ending(here: Situation) -> bool:
    """Whether a Job or Pod of another run or stage has not ended: two of one bot never hold two GPUs."""
    own = here.job.uid if here.job else ""
    jobs = any(not job.finished for job in here.observed.jobs if job.uid != own)
    return jobs or any(not pod.ended for pod in here.observed.pods if pod.controller_uid != own)


def find_start_problem(here: Situation) -> StartProblem | None:
    """Return what keeps the run from going on, if anything does."""
    if here.run.outcome is not None or here.bot.spec.suspend:
        return None
    if lost := find_lost_node(here.observed.pods, here.observed.now):
        return lost
    match here.outcome:
        case Active(start_problem=found):
            return found
        case JobMissing() if not is_previous_run_ending(here):
            return _find_creation_problem(here)
        case _:
            return None


def _find_creation_problem(here: Situation) -> StartProblem | None:
    if failure := _get_create_failure(here):
        return StartProblem(failure.reason, failure.message, stalled=not failure.temporary)
    if isinstance(here.job_to_create, str):
        return StartProblem(JOB_REFUSED.name, f"{here.job_to_create}. {JOB_REFUSED.advice}", stalled=True)
    return None


def _get_create_failure(here: Situation) -> CreateFailure | None:
    return here.observed.diagnostics.get_create_failure(here.run.job_name or "", here.run.execution)


def decide_actions(here: Situation) -> tuple[Action, ...]:
    """Return what is to be done now, deletions first."""
    stage = _build_stage(here)
    doomed = tuple(DeleteJob(job, why) for job in here.observed.jobs if (why := find_deletion_reason(job, stage)))
    match here.outcome:
        case JobMissing() if _may_create(here) and not get_queue_position(here):
            return (*doomed, *_build_creation(here))
        case ResultPending(job):
            return (*doomed, ListPods(job))
        case Active(look_up=item) if item is not None and not here.bot.spec.suspend:
            return (*doomed, ListEvents(item))
        case Suspended(job, ask=True) if not here.bot.spec.suspend:
            return (*doomed, GetWorkload(job))
        case _:
            return doomed


def get_queue_position(here: Situation) -> QueuePosition | None:
    """Return the place in the row for a slot of a run that needs one and nothing else; Kueue has rows of its own."""
    if get_queue_name(here.bot.spec.scheduling, here.run.stage) or not isinstance(here.outcome, JobMissing):
        return None
    return here.observed.queue_position if _may_create(here) else None


def _build_stage(here: Situation) -> Fate:
    return Fate(here.run, here.bot.spec.suspend, here.outcome, here.observed.now, here.settings)


def _may_create(here: Situation) -> bool:
    now, failure = here.observed.now, _get_create_failure(here)
    return (
        here.run.outcome is None
        and not here.bot.spec.suspend
        and (here.run.retry_at is None or parse_time(here.run.retry_at) <= now)
        and (failure is None or failure.retry_at <= now)
        and not is_previous_run_ending(here)
    )


def _build_creation(here: Situation) -> tuple[CreateJob, ...]:
    if isinstance(here.job_to_create, str):
        return ()  # `blockage` says so
    return (CreateJob(here.job_to_create, here.run.execution),)


def compute_requeue_at(here: Situation) -> datetime | None:
    """Return the first moment at which something is due although no event comes."""
    now, run = here.observed.now, here.run
    stage = _build_stage(here)
    failure = _get_create_failure(here)
    moments = [
        here.outcome.requeue_at if isinstance(here.outcome, Active | Suspended) else None,
        parse_time(run.retry_at) if run.retry_at else None,
        failure.retry_at if failure and run.outcome is None else None,
        *(get_expiry_time(job, stage) for job in here.observed.jobs if not job.deleting),
        *(add_seconds(pod.deleting_at, NODE_LOST_SECONDS) for pod in here.observed.pods if pod.deleting_at),
    ]
    return get_earliest(*(moment for moment in moments if moment and moment > now))
