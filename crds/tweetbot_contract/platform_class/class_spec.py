"""The spec of a TweetBotClass; the CRD is rendered from it."""

from typing import Any

from pydantic import Field

from tweetbot_contract.platform_class.budgets import Budget
from tweetbot_contract.platform_class.limits import ClassLimits
from tweetbot_contract.platform_class.pods import ClassPods
from tweetbot_contract.spec.parts import Part


class TweetBotClassSpec(Part):
    """What a platform gives to TweetBots, allows them, and lets them spend."""

    defaults: dict[str, Any] = Field(default_factory=dict)
    """What a TweetBot's spec has where its author left it out, in the form of that spec. In its texts {namespace} and
    {name} are those of the TweetBot. filter, model, training, schedule and caBundle are given whole or not at all."""
    limits: ClassLimits = ClassLimits()
    """What TweetBots of the class may ask for."""
    pods: ClassPods = ClassPods()
    """What their Pods get."""
    budgets: tuple[Budget, ...] = Field((), max_length=5)
    """What they may spend; a run must fit all of these."""
