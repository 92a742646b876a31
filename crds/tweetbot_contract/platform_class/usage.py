"""What a run has used of its class's budgets, in the status."""

from typing import Annotated

from pydantic import Field

from tweetbot_contract.spec.parts import Part

Dollars = Annotated[float, Field(ge=0)]


class RunUsage(Part):
    """What a run has used of the budgets of its class. All figures only grow, whatever happens to the run."""

    class_name: str = Field(max_length=253)
    """Name of the class whose budgets the run uses."""
    began_at: str | None = Field(None, max_length=40)
    """When the run's first Job was about to be created; absent while an ended run that an edit restarts waits."""
    starts: int = Field(0, ge=0)
    """How often the run has begun: once, and once more each time that an edit restarts it after its end."""
    gpu_seconds: int = Field(0, ge=0)
    """Seconds for which its Pods held a GPU."""
    x_usd: Dollars = Field(0.0, alias="xUSD")
    """US dollars for the posts of X that it paid for, at X's list price."""
    expected_gpu_seconds: int = Field(0, ge=0)
    """Seconds that it was expected to hold a GPU when it began; until its end at least these count."""
    expected_x_usd: Dollars = Field(0.0, alias="expectedXUSD")
    """US dollars that it was expected to pay for posts of X when it began; until its end at least these count."""
