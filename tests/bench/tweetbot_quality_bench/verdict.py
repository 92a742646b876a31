"""From each recipe's figures to ratios and marks."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tweetbot_quality_bench.contest import STOCK

#: Largest acceptable ratios to the stock recipe's bits per byte and verbatim rate (design, section 8).
BITS_MARK, VERBATIM_MARK = 0.98, 0.2
#: If the stock recipe repeats less than RARE, at most POINT more than it is acceptable.
RARE, POINT = 0.02, 0.01


def compare_recipes(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return each recipe's means over the accounts, and their ratios to the stock recipe's if it ran too."""
    names = list(dict.fromkeys(one["recipe"] for one in results))
    own = {name: {one["account"]: one for one in results if one["recipe"] == name} for name in names}
    return {
        "recipes": {
            name: _average(figures) | _compare_to_stock(figures, own.get(STOCK, {})) for name, figures in own.items()
        }
    }


def _average(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    found = {"bitsPerByte": compute_geometric_mean([one["bitsPerByte"] for one in figures.values()])}
    found["validationBitsPerByte"] = compute_geometric_mean(
        [min(one["validation"].values()) for one in figures.values()]
    )
    rates = [one["verbatimRate"] for one in figures.values() if "verbatimRate" in one]
    return {name: round(value, 4) for name, value in found.items()} | (
        {"verbatimRate": _average_share(rates)} if rates else {}
    )


def _compare_to_stock(
    figures: Mapping[str, Mapping[str, Any]], stock: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    if figures == stock or figures.keys() != stock.keys():
        return {}
    ratio = compute_geometric_mean(
        [figures[account]["bitsPerByte"] / one["bitsPerByte"] for account, one in stock.items()]
    )
    found: dict[str, Any] = {"bitsToStock": round(ratio, 4), "bitsMark": ratio <= BITS_MARK}
    if all("verbatimRate" in one for one in (*figures.values(), *stock.values())):
        ours, theirs = (_average_share([one["verbatimRate"] for one in each.values()]) for each in (figures, stock))
        limit = theirs + POINT if theirs < RARE else VERBATIM_MARK * theirs
        found |= {"verbatimLimit": round(limit, 4), "verbatimMark": ours <= limit}
    return found


def compute_geometric_mean(values: Sequence[float]) -> float:
    """Return the geometric mean of positive values."""
    return math.exp(sum(map(math.log, values)) / len(values))


def _average_share(rates: Sequence[float]) -> float:
    return round(sum(rates) / len(rates), 4)
