"""An estimate and what became of it, as a person reads them."""

from tweetbot_contract.status.costs import RunActual, RunEstimate


def format_money(least: float, most: float) -> str:
    """Return a span of money, without a currency."""
    one, other = f"{least:,.2f}", f"{most:,.2f}"
    return one if one == other else f"{one} to {other}"


def describe_costs(estimate: RunEstimate | None, actual: RunActual | None) -> str | None:
    """Return what a run was expected to take and what it took; None where neither is known."""
    expected = describe_estimate(estimate) if estimate else ""
    took = describe_actual(actual) if actual else ""
    if not took:
        return f"expected {expected}" if expected else None
    return f"{took}, expected {expected}" if expected else took


def describe_estimate(estimate: RunEstimate) -> str:
    """Return minutes and money that were expected; empty where neither was."""
    said: list[str] = []
    if estimate.minutes_least is not None and estimate.minutes_most is not None:
        said.append(f"{estimate.minutes_least:.1f} to {estimate.minutes_most:.1f} minutes")
    if estimate.cost_least is not None and estimate.cost_most is not None:
        said.append(f"{format_money(estimate.cost_least, estimate.cost_most)} {estimate.currency}")
    return ", ".join(said)


def describe_actual(actual: RunActual) -> str:
    """Return the minutes and the money that a run took."""
    money = f", {actual.cost:,.2f} {actual.currency}" if actual.cost is not None else ""
    return f"{actual.minutes:.1f} minutes{money}"
