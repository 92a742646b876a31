"""The cost of a run at X's list price, and its limit. Money is counted in tenths of a US cent.

A run reads as many posts as maxPosts asks for, or fails with SpendLimitReached: no model is trained on fewer because
the money ran out. Pages that were paid for are kept, so a run with a higher limit continues from there.
"""

from math import ceil

from tweetbot_contract import reasons
from tweetbot_contract.spec.sources import X_DOLLAR, X_POST_PRICE, X_USER_PRICE, XSource
from tweetbot_trainer.runtime.errors import SpecRefused

#: The endpoint's bounds for max_results.
SMALLEST_PAGE, LARGEST_PAGE = 5, 100


class SpendLimit:
    """The money that a run spends on a source; the lookup of the account is paid from the start."""

    def __init__(self, spec: XSource, index: int) -> None:
        self._spec, self._field = spec, f"spec.sources[{index}].x"
        self._limit, self._spent = spec.max_spend_usd * X_DOLLAR, X_USER_PRICE

    @property
    def dollars(self) -> str:
        """Return what is spent, for people."""
        return _format_dollars(self._spent)

    @property
    def posts(self) -> int:
        """Return how many posts are paid for."""
        return (self._spent - X_USER_PRICE) // X_POST_PRICE

    @property
    def _affordable(self) -> int:
        return (self._limit - self._spent) // X_POST_PRICE

    def pay(self, posts: int) -> None:
        """Count posts as paid for."""
        self._spent += posts * X_POST_PRICE

    def choose_page_size(self, wanted: int, *, read: int) -> int:
        """Return how many posts to ask for next. Raises SpecRefused (SpendLimitReached) if that is too expensive."""
        if self._affordable >= SMALLEST_PAGE:
            return min(LARGEST_PAGE, self._affordable, max(wanted, SMALLEST_PAGE))
        message = (
            f"{self._field}: {read} posts are read, {self.dollars} are spent, and another page would exceed "
            f"maxSpendUSD {self._spec.max_spend_usd}. Raise it to continue from there, or set maxPosts to {read}; "
            "pages that were paid for are kept"
        )
        raise SpecRefused(reasons.SPEND_LIMIT_REACHED, message)

    def require(self, posts: int) -> None:
        """Raise SpecRefused (SpendLimitReached) before anything is spent, if this many posts cost too much."""
        if (bill := self._spent + posts * X_POST_PRICE) > self._limit:
            message = (
                f"{self._field}: {posts} posts of @{self._spec.handle} cost {_format_dollars(bill)} at X's list price, "
                f"more than maxSpendUSD {self._spec.max_spend_usd}; set it to {ceil(bill / X_DOLLAR)}, "
                f"or maxPosts to {self._affordable}"
            )
            raise SpecRefused(reasons.SPEND_LIMIT_REACHED, message)


def _format_dollars(amount: int) -> str:
    return f"${amount / X_DOLLAR:.3f}"
