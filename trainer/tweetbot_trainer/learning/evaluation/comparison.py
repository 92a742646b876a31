"""A model beside the served one, on the same test posts. Imports no torch: gates are also judged without it."""

from dataclasses import dataclass
from typing import Any

from tweetbot_contract.result import Metrics


@dataclass(frozen=True, slots=True)
class Comparison:
    """A model's bits per byte beside those of the served version, on `posts` test posts that neither was trained on.

    `ratio` is the model's divided by the served version's, and `interval` its 95 % interval by a bootstrap over the
    posts, None for too few. `served` are the metrics that the version was published with.
    """

    version: str
    served: Metrics
    posts: int
    ratio: float
    interval: tuple[float, float] | None

    def as_json(self) -> dict[str, Any]:
        """Return what reports keep."""
        return {"version": self.version, "posts": self.posts, "ratio": self.ratio, "interval": self.interval}

    def describe(self, metrics: Metrics) -> str:
        """Set the figures of the model with these metrics beside those of the served version, in words."""
        change = f"{abs(100 * (self.ratio - 1)):.1f} % {'above' if self.ratio > 1 else 'below'}"
        low, high = (100 * (end - 1) for end in self.interval or (0.0, 0.0))
        interval = f"95 % interval {low:+.1f} to {high:+.1f} %" if self.interval else "too few posts for an interval"
        rates = _set_beside("verbatim", metrics.verbatim_rate, self.served.verbatim_rate)
        scores = _set_beside("style", metrics.style_score, self.served.style_score)
        return (
            f"bits per byte are {change} those of the served version {self.version} on the same {self.posts} test "
            f"posts ({interval}{rates}{scores})"
        )


def _set_beside(name: str, mine: float | None, theirs: float | None) -> str:
    if mine is None or theirs is None:
        return ""
    return f"; {name} {100 * mine:.1f} %, that version {100 * theirs:.1f} %"


@dataclass(frozen=True, slots=True)
class NoComparison:
    """A served version that a model could not be compared with, and why, in words that can follow a colon."""

    version: str
    why: str

    def as_json(self) -> dict[str, Any]:
        """Return what reports keep."""
        return {"version": self.version, "why": self.why}
