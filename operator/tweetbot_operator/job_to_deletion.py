"""Job → why it must go, by an ordered table of named checks. A Job whose result is still to be read is never in it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tweetbot_contract.status import CurrentRun
from tweetbot_operator.outcomes import Lost, Outcome, Stale
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.times import after
from tweetbot_operator.views import JobView


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
