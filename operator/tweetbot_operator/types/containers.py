"""A container of a Pod of ours that is not the trainer."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ContainerView:
    """A container that others have added to a Pod of ours, as a mesh or an injector of secrets does."""

    name: str
    image: str = ""
    init: bool = False
    """Whether it is an init container; the trainer starts after it."""
    sidecar: bool = False
    """Whether it is one that runs on (`restartPolicy: Always`); the trainer starts once it has started."""
    waiting: str = ""
    waiting_message: str = ""
    started_at: datetime | None = None
    """When it began, if it runs."""
    exit_code: int | None = None
    """How it ended the last time, with the runtime's word and the termination message."""
    end_reason: str = ""
    end_message: str = ""
