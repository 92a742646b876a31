"""What has become of an object that we created."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """A field of a Job or Pod that is not as it was sent; a value is empty where there is none."""

    field: str
    """Its path, e.g. `metadata.labels[tweetbot.dev/run]`."""
    sent: str
    found: str
    by: str = ""
    """Who has edited the object since its creation, as far as the API server knows."""
