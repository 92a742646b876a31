"""From counts to figures: percentiles, rates, shares, figures per run. Nothing here measures."""

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Span:
    """When an object was requested and when its Job was seen, in seconds of one clock."""

    asked: float
    seen: float


def compute_percentile(values: Iterable[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed. Raises ValueError if empty."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values, no percentile")
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def summarize_launch(spans: Mapping[str, Span]) -> Figures:
    """Return objects, delays in milliseconds, and Jobs per second from the first request to the last Job."""
    delays = [1000 * (span.seen - span.asked) for span in spans.values()]
    seconds = max(span.seen for span in spans.values()) - min(span.asked for span in spans.values())
    return {
        "objects": len(spans),
        "p50_ms": round(compute_percentile(delays, 0.5), 1),
        "p99_ms": round(compute_percentile(delays, 0.99), 1),
        "jobs_per_second": round(len(spans) / seconds, 1),
    }


def count_per_run(counts: Mapping[str, int], runs: int) -> Figures:
    """Return the requests of each kind per run."""
    return {kind: round(count / runs, 2) for kind, count in sorted(counts.items())}


def sum_samples(exposition: str, name: str, **labels: str) -> float:
    """Sum a metric's samples with these labels in Prometheus' text format; 0 if there are none."""
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    lines = [line for line in exposition.splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
    return sum(float(line.rpartition(" ")[2]) for line in lines if all(pair in line for pair in wanted))


def find_last_busy(samples: Iterable[tuple[float, float]], share: float) -> float:
    """Return the last moment at which a process used more than this share of a core, or 0.

    `samples` are pairs of moment and CPU time used so far, in seconds and in order.
    """
    moment, known = 0.0, list(samples)
    for (before, used_before), (now, used) in itertools.pairwise(known):
        if used - used_before > share * (now - before):
            moment = now
    return moment
