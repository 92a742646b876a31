"""What a run costs at X's list price, against its ceiling. Money is counted in tenths of a US cent.

A run reads what maxPosts asks for or fails with SpendLimitReached: no model is made from fewer posts than were asked
for because the money ran out. Pages that were paid for stay, so a raised ceiling goes on where this one stopped.
"""

from math import ceil

from tweetbot_contract import reasons
from tweetbot_contract.spec.sources import XSource
from tweetbot_trainer.runtime.errors import SpecRefused

#: X's prices of one post and one user read since 2026-02-06: $0.005 and $0.010 (docs.x.com, pricing).
POST_PRICE, USER_PRICE = 5, 10
DOLLAR = 1000
#: The endpoint's own bounds for max_results.
SMALLEST_PAGE, LARGEST_PAGE = 5, 100


class SpendLimit:
    """The money of one run and one source; the lookup of the account is paid from the start."""

    def __init__(self, spec: XSource, index: int) -> None:
        self._spec, self._field = spec, f"sources[{index}].x"
        self._ceiling, self._spent = spec.max_spend_usd * DOLLAR, USER_PRICE

    @property
    def dollars(self) -> str:
        """Return what is spent, for people."""
        return _format_dollars(self._spent)

    @property
    def posts(self) -> int:
        """Return how many posts are paid for."""
        return (self._spent - USER_PRICE) // POST_PRICE

    def pay(self, posts: int) -> None:
        """Count so many posts as paid for."""
        self._spent += posts * POST_PRICE

    def choose_page_size(self, wanted: int, *, read: int) -> int:
        """Return how many posts to ask for next. Raises SpecRefused (SpendLimitReached) when none can be paid."""
        affordable = (self._ceiling - self._spent) // POST_PRICE
        if affordable >= SMALLEST_PAGE:
            return min(LARGEST_PAGE, affordable, max(wanted, SMALLEST_PAGE))
        message = (
            f"{self._field}: {read} posts are read, {self.dollars} are spent, and another page would pass maxSpendUSD "
            f"{self._spec.max_spend_usd}. Raise it to go on from there, or set maxPosts to {read}; "
            "what is paid for is kept"
        )
        raise SpecRefused(reasons.SPEND_LIMIT_REACHED, message)

    def require(self, posts: int) -> None:
        """Raise SpecRefused (SpendLimitReached) when so many posts cannot be paid; nothing is spent on them yet."""
        bill = self._spent + posts * POST_PRICE
        if bill <= self._ceiling:
            return
        affordable = (self._ceiling - self._spent) // POST_PRICE
        message = (
            f"{self._field}: {posts} posts of @{self._spec.handle} cost {_format_dollars(bill)} at X's list "
            "price, more than "
            f"maxSpendUSD {self._spec.max_spend_usd}; set it to {ceil(bill / DOLLAR)}, or maxPosts to {affordable}"
        )
        raise SpecRefused(reasons.SPEND_LIMIT_REACHED, message)


def _format_dollars(amount: int) -> str:
    return f"${amount / DOLLAR:.3f}"
