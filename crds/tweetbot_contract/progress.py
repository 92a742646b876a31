"""What a stage's Pod answers at GET /progress while it runs; the operator asks, and nothing else does."""

from typing import Annotated, Literal

from pydantic import Field

from tweetbot_contract.handover import Task
from tweetbot_contract.result import Finite
from tweetbot_contract.spec.parts import Part

PROGRESS_PATH = "/progress"
PROGRESS_PORT, PROGRESS_PORT_NAME = 8765, "progress"
#: A report has some 500 bytes; the operator reads no longer answer.
REPORT_LIMIT = 4096
#: Ten years, in seconds: a longer estimate says nothing.
LONGEST_ETA = 10 * 365 * 86400
WAITING_MESSAGE_LIMIT = 256
_Count = Annotated[int | None, Field(ge=0, lt=2**53)]


class Waiting(Part):
    """A service that the stage waits for. The message names the service and its fault, and never quotes a post."""

    reason: Annotated[str, Field(max_length=64, pattern="^[A-Z][A-Za-z0-9]*$")]
    message: Annotated[str, Field(max_length=WAITING_MESSAGE_LIMIT)] = ""
    since: Annotated[str, Field(max_length=40)]
    beside: bool = False
    """Whether the stage goes on meanwhile, and only an upload beside it waits."""


class ProgressReport(Part):
    """How far a stage, or a task beside the stages, is. What it does not know is absent."""

    schema_version: Literal[1] = 1
    run_id: Annotated[str, Field(max_length=16)]
    """Empty for a task that belongs to no run."""
    stage: Task
    pod_uid: Annotated[str, Field(max_length=64)]
    percent: Annotated[int | None, Field(ge=0, le=100)] = None
    step: _Count = None
    total_steps: _Count = None
    eta_seconds: Annotated[int | None, Field(ge=0, le=LONGEST_ETA)] = None
    train_loss: Finite | None = None
    eval_loss: Finite | None = None
    posts: _Count = None
    """Posts that a preparation has read so far."""
    waiting: Waiting | None = None
    tracking_degraded: Annotated[str | None, Field(max_length=WAITING_MESSAGE_LIMIT)] = None
    """Why tracking does less than the spec asks for, as soon as that is known."""

    def encode(self) -> bytes:
        """Return the report as JSON."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()


def parse_report(body: bytes) -> ProgressReport:
    """Parse a report; fields of a newer trainer are ignored. Raises ValueError."""
    return ProgressReport.model_validate_json(body, extra="ignore")
