"""What a plan may ask for beside the status: four writes and three reads."""

from dataclasses import dataclass

from tweetbot_operator.types.objects import JobView, Manifest, PodView


@dataclass(frozen=True, slots=True)
class CreateJob:
    """Create this Job. Its name is unique to run and stage, so a second creation is refused."""

    manifest: Manifest
    execution: str
    count: int = 0
    """How many Jobs of this name were recorded as created in quick succession, and when the last was."""
    recorded_at: str | None = None


@dataclass(frozen=True, slots=True)
class DeleteJob:
    """Delete the Job of this uid in the foreground: its Pods end first."""

    job: JobView
    why: str


@dataclass(frozen=True, slots=True)
class ListEvents:
    """List the Events of a Pod that does not start, or of a Job without a Pod."""

    regarding: PodView | JobView


@dataclass(frozen=True, slots=True)
class ListPods:
    """List the Pods of a finished Job live, not from the cache."""

    job: JobView


@dataclass(frozen=True, slots=True)
class FollowJob:
    """Read a Job by its name, and its Pods, as no watch shows them all."""

    name: str


@dataclass(frozen=True, slots=True)
class GetWorkload:
    """Read why Kueue does not admit this Job."""

    job: JobView


@dataclass(frozen=True, slots=True)
class SetFinalizers:
    """Replace the TweetBot's finalizers, unless it has changed since the plan."""

    finalizers: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class ResetStatus:
    """Blank a status that was written for another TweetBot."""


Action = CreateJob | DeleteJob | ListEvents | ListPods | FollowJob | GetWorkload | SetFinalizers | ResetStatus
