"""What a run keeps of its TweetBotClass, in the status."""

from typing import Any

from pydantic import Field

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
        default_factory=dict, json_schema_extra={"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    )
    """What the run has of the class: its defaults and pods."""

    @property
    def pods(self) -> dict[str, Any]:
        """What the class gives to Pods, as in its manifest."""
        return self.spec.get("pods") or {}
