"""What is known of the creation of a Job: when it was, and what came back unlike it was sent."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Mutation:
    """A field of a Job or Pod that is not as it was sent; a value is empty where there is none."""

    field: str
    """Its path, e.g. `metadata.labels[tweetbot.dev/run]`."""
    sent: str
    found: str
    by: str = ""
    """Who has edited the object since its creation, as far as the API server knows."""


@dataclass(frozen=True, slots=True)
class CreatedJob:
    """The last creation of a Job by this process: when, and what the run had recorded of creations then."""

    at: datetime
    count: int
    recorded_at: str | None


@dataclass(frozen=True, slots=True)
class CreateFailure:
    """Why the API server did not create a Job; the next try is at `retry_at`, or at once with another execution."""

    job: str
    execution: str
    reason: str
    message: str
    count: int
    retry_at: datetime
    temporary: bool = False
    """Whether the next try may succeed with nothing changed, as when a webhook does not answer."""
