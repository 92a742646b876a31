"""From figures to ratios and marks."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tweetbot_quality_bench.contest import STOCK

#: Bits per byte, and the verbatim rate, may be at most so many times the stock recipe's (design, section 8).
BITS_MARK, VERBATIM_MARK = 0.98, 0.2
#: Where the stock recipe repeats less than this, a point more than it is enough.
RARE, POINT = 0.02, 0.01


def verdict(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return for each recipe the means over the accounts, and where the stock recipe ran too, what they are to its."""
    names = list(dict.fromkeys(one["recipe"] for one in results))
    own = {name: {one["account"]: one for one in results if one["recipe"] == name} for name in names}
    return {"recipes": {name: _mean(figures) | _beside(figures, own.get(STOCK, {})) for name, figures in own.items()}}


def _mean(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    found = {"bitsPerByte": _geometric([one["bitsPerByte"] for one in figures.values()])}
    found["validationBitsPerByte"] = _geometric([min(one["validation"].values()) for one in figures.values()])
    rates = [one["verbatimRate"] for one in figures.values() if "verbatimRate" in one]
    return {name: round(value, 4) for name, value in found.items()} | ({"verbatimRate": _share(rates)} if rates else {})


def _beside(figures: Mapping[str, Mapping[str, Any]], stock: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    if figures == stock or figures.keys() != stock.keys():
        return {}
    ratio = _geometric([figures[account]["bitsPerByte"] / one["bitsPerByte"] for account, one in stock.items()])
    found: dict[str, Any] = {"bitsToStock": round(ratio, 4), "bitsMark": ratio <= BITS_MARK}
    if all("verbatimRate" in one for one in (*figures.values(), *stock.values())):
        ours, theirs = (_share([one["verbatimRate"] for one in each.values()]) for each in (figures, stock))
        limit = theirs + POINT if theirs < RARE else VERBATIM_MARK * theirs
        found |= {"verbatimLimit": round(limit, 4), "verbatimMark": ours <= limit}
    return found


def _geometric(values: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))


def _share(rates: Sequence[float]) -> float:
    return round(sum(rates) / len(rates), 4)
