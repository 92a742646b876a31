"""What TweetBots of a class may spend."""

from typing import ClassVar, Literal

from pydantic import Field

from tweetbot_contract.spec.parts import Part, Rule


class Budget(Part):
    """Amounts that may be used within a time. A run that would exceed one waits until it fits."""

    window_hours: int = Field(720, ge=1, le=744)
    """Hours, up to now, whose use counts."""
    per: Literal["Namespace", "Class"] = "Namespace"
    """Whether each namespace has this budget for itself, or all TweetBots of the class share it."""
    gpu_seconds: int | None = Field(None, ge=0)
    """Maximum of seconds for which Pods hold a GPU."""
    x_usd: int | None = Field(None, alias="xUSD", ge=0)
    """Maximum of US dollars for posts of X, at X's list price."""
    runs: int | None = Field(None, ge=0)
    """Maximum number of runs that begin."""
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.gpuSeconds) || has(self.xUSD) || has(self.runs)",
            "give at least one of gpuSeconds, xUSD and runs",
            lambda part: (part.gpu_seconds, part.x_usd, part.runs) != (None, None, None),
        ),
    )
