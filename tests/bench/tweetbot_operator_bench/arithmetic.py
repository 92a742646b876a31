"""From counts to figures: percentiles, rates, shares, figures per run. Nothing here measures."""

import itertools
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
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


def summarize_neighbour(quiet: Iterable[Span], beside: Iterable[Span], applied_at: float) -> dict[str, Figures]:
    """Return a neighbour's delays in milliseconds, quiet and beside a burst, and how many times as long they are there.

    `once_applied` has those of the second that began after the burst's last TweetBot was created, at `applied_at`.
    """
    beside = list(beside)
    once_applied = [span for span in beside if span.asked > applied_at]
    before = summarize_delays(quiet)
    figures = {"beside_burst": summarize_delays(beside), "once_applied": summarize_delays(once_applied or beside)}
    for phase in figures.values():
        phase |= {f"{part}_times": round(phase[f"{part}_ms"] / before[f"{part}_ms"], 1) for part in ("p50", "p95")}
    return {"quiet": before, **figures}


def summarize_delays(spans: Iterable[Span]) -> Figures:
    """Return objects and delays in milliseconds."""
    delays = [1000 * (span.seen - span.asked) for span in spans]
    percentiles = {f"p{share}_ms": round(compute_percentile(delays, share / 100), 1) for share in (50, 95)}
    return {"objects": len(delays), **percentiles}


def compare_rounds(without: Sequence[Figures], beside: Sequence[Figures]) -> dict[str, Figures]:
    """Return each figure's median of both kinds of rounds, and how many times the one is of the other."""

    def take_median(rounds: Sequence[Figures], name: str) -> float:
        return round(statistics.median(figures[name] for figures in rounds), 2)

    compared = {}
    for name in without[0]:
        before, now = take_median(without, name), take_median(beside, name)
        compared[name] = {"without": before, "with": now, "times": round(now / before, 2)}
    return compared


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
