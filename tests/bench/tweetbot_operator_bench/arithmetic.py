"""From what was counted to what is told: percentiles, rates, shares, figures a run. Nothing here measures."""

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Span:
    """When an object was asked for and when its Job was seen, in seconds of one clock."""

    asked: float
    seen: float


def percentile(values: Iterable[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed. Raises ValueError on none."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values, no percentile")
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def launch_figures(spans: Mapping[str, Span]) -> Figures:
    """Return objects, delays in milliseconds and Jobs a second, from the first request to the last Job."""
    delays = [1000 * (span.seen - span.asked) for span in spans.values()]
    seconds = max(span.seen for span in spans.values()) - min(span.asked for span in spans.values())
    return {
        "objects": len(spans),
        "p50_ms": round(percentile(delays, 0.5), 1),
        "p99_ms": round(percentile(delays, 0.99), 1),
        "jobs_per_second": round(len(spans) / seconds, 1),
    }


def a_run(counts: Mapping[str, int], runs: int) -> Figures:
    """Return how many requests of each kind one run took."""
    return {kind: round(count / runs, 2) for kind, count in sorted(counts.items())}


def sample_of(exposition: str, name: str, **labels: str) -> float:
    """Return the sum of a metric's samples that carry these labels, in Prometheus' text form; 0 without any."""
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    lines = [line for line in exposition.splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
    return sum(float(line.rpartition(" ")[2]) for line in lines if all(pair in line for pair in wanted))


def last_busy(samples: Iterable[tuple[float, float]], share: float) -> float:
    """Return the last moment at which a process used more than this share of a core; 0 if it never did.

    `samples` are pairs of moment and CPU seconds used so far, both in seconds and in order.
    """
    moment, known = 0.0, list(samples)
    for (before, used_before), (now, used) in itertools.pairwise(known):
        if used - used_before > share * (now - before):
            moment = now
    return moment
