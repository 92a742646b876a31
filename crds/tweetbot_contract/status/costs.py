"""What a run is expected to take and what it took, side by side in the status: few figures, written with the run."""

from pydantic import Field

from tweetbot_contract.platform_class.usage import Dollars
from tweetbot_contract.result import Finite
from tweetbot_contract.spec.parts import Part


class RunEstimate(Part):
    """What a run was expected to take, recorded once the number of posts was known: before it took a GPU."""

    posts: int = Field(ge=0)
    """Number of posts that it was expected to train on, those held out included."""
    minutes_least: Finite | None = None
    """Minutes of its Pods at least; absent where nothing says how fast the training will be."""
    minutes_most: Finite | None = None
    """Minutes of its Pods at most, without waits for nodes and queues."""
    x_usd: Dollars | None = Field(None, alias="xUSD")
    """US dollars for posts of X at most, at X's list price; absent without such a source."""
    cost_least: Dollars | None = None
    """Money for Pods and posts of X at least; absent without prices of the platform."""
    cost_most: Dollars | None = None
    """Money for Pods and posts of X at most."""
    currency: str | None = Field(None, max_length=3)
    """Currency of the money."""


class RunActual(Part):
    """What a run has taken in the stages that have ended."""

    posts: int | None = Field(None, ge=0)
    """Number of posts kept; absent until they are prepared."""
    minutes: Finite = 0.0
    """Minutes that the containers of its Pods ran."""
    train_seconds: Finite | None = None
    """Seconds of the training alone, with its evaluations; absent if no model was published by it."""
    x_usd: Dollars | None = Field(None, alias="xUSD")
    """US dollars for posts of X, at X's list price; absent if none was charged."""
    cost: Dollars | None = None
    """Money for Pods and posts of X, at the platform's prices; absent without them."""
    currency: str | None = Field(None, max_length=3)
    """Currency of the money."""
