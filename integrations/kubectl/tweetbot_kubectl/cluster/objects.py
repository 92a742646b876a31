"""What commands see of Jobs, Pods and Events: small frozen views. TweetBots have the contract's types."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class JobView:
    """A Job of a TweetBot. `state` is Complete, Failed, Suspended, Running or Waiting."""

    name: str
    run_id: str
    stage: str
    state: str
    created_at: datetime
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class PodView:
    """A Pod of a TweetBot's Job. `reason` says why the trainer's container waits or has ended, in one word."""

    name: str
    job: str
    run_id: str
    stage: str
    phase: str
    created_at: datetime
    node: str = ""
    reason: str = ""
    exit_code: int | None = None
    started: bool = False
    """Whether the trainer's container has begun, so that there is a log."""


@dataclass(frozen=True, slots=True)
class EventView:
    """An Event. `count` says how often it happened until `at`."""

    at: datetime
    kind: str
    name: str
    type: str
    reason: str
    message: str
    count: int = 1
