"""What a plan may ask for beside the status: four writes and three questions."""

from dataclasses import dataclass
from typing import Any

from tweetbot_operator.types.objects import JobView, PodView


@dataclass(frozen=True, slots=True)
class CreateJob:
    """POST this Job. Its name says what it is, so doing it twice is harmless."""

    manifest: dict[str, Any]
    execution: str


@dataclass(frozen=True, slots=True)
class DeleteJob:
    """Delete this very Job, in the foreground: its Pods end first."""

    job: JobView
    why: str


@dataclass(frozen=True, slots=True)
class ListEvents:
    """Ask for the Events of a Pod that does not start, or of a Job that gets no Pod."""

    regarding: PodView | JobView


@dataclass(frozen=True, slots=True)
class ListPods:
    """List the Pods of a Job that has ended, past the cache."""

    job: JobView


@dataclass(frozen=True, slots=True)
class GetWorkload:
    """Ask Kueue why it does not admit this Job."""

    job: JobView


@dataclass(frozen=True, slots=True)
class SetFinalizers:
    """Replace the TweetBot's finalizers, if it is still as it was planned from."""

    finalizers: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class ResetStatus:
    """Put the blank status in the place of one that was written for another TweetBot."""


Action = CreateJob | DeleteJob | ListEvents | ListPods | GetWorkload | SetFinalizers | ResetStatus
