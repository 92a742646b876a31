"""What a run keeps of its TweetBotClass, in the status."""

from typing import Any

from pydantic import Field

from tweetbot_contract.platform_class.limits import ScheduleHours
from tweetbot_contract.spec.parts import Part


class RunClass(Part):
    """The TweetBotClass of a run, as it was when the run began: later edits of the class do not change the run."""

    name: str = Field(max_length=253)
    """Name of the class."""
    generation: int
    """Generation of the class."""
    named: bool = False
    """Whether spec.className named it; else it was the default class."""
    spec: dict[str, Any] = Field(
        default_factory=dict,
        json_schema_extra={
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "x-kubernetes-map-type": "atomic",  # else each of its fields stands in managedFields, too
        },
    )
    """What the run has of the class: its defaults, its pods and the hours of its schedule."""

    @property
    def pods(self) -> dict[str, Any]:
        """What the class gives to Pods, as in its manifest."""
        return self.spec.get("pods") or {}

    @property
    def schedule_hours(self) -> ScheduleHours | None:
        """The hours in which scheduled runs begin; None: any."""
        hours = self.spec.get("scheduleHours")
        return ScheduleHours.model_validate(hours, extra="ignore") if hours else None
