"""What passes have learned by asking, kept in memory; after a restart it is asked again and found the same."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CreateFailure:
    """The API server would not have the Job; try again at `retry_at`, or at once when the execution has changed."""

    job: str
    execution: str
    reason: str
    message: str
    count: int
    retry_at: datetime
    temporary: bool = False
    """Whether it is nobody's answer to this Job: whoever should have answered is away."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was said of a Pod's volumes, of a Job's Pods, or of its place in the queue; an empty message is nothing."""

    message: str
    count: int
    next_at: datetime


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """Everything learned about one TweetBot."""

    create_failure: CreateFailure | None = None
    mounts: Mapping[str, Diagnosis] = field(default_factory=dict)
    """By the uid of the Pod or the Job."""
    queues: Mapping[str, Diagnosis] = field(default_factory=dict)
    """What Kueue said about a Job that waits, by the Job's uid."""
    searched: frozenset[str] = frozenset()
    """uids of Jobs whose Pods were listed live after they had ended."""
    podless: Mapping[str, datetime] = field(default_factory=dict)
    """Since when Jobs that may have a Pod were seen without one that goes on, by the Job's uid."""

    deletion_seen_at: datetime | None = None
    """When this operator first looked at the TweetBot as one that is being deleted."""

    server_fault: str = ""
    """The API server's last words on a write that it failed at, and how often it has said them in a row."""
    server_faults: int = 0
    namespace_ending: bool = False
    """Whether a creation was refused because the namespace is being deleted."""

    def get_create_failure(self, job: str, execution: str) -> CreateFailure | None:
        """Return the refusal of this very Job, if there was one."""
        failure = self.create_failure
        return failure if failure and (failure.job, failure.execution) == (job, execution) else None
