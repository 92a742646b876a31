"""Times a contender by its own steps, from the start of its process."""

import json
import resource
import sys
import time
from pathlib import Path


def measure_process_age() -> float:
    """Return the seconds since the kernel started this process."""
    started = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    ticks = 100  # USER_HZ, the unit of that field on every Linux
    return float(Path("/proc/uptime").read_text().split()[0]) - started / ticks


class StepClock:
    """Counts the label tokens of each finished step and prints the speed; `gpu` is its name, if there is one.

    The first `warm_up` steps do not count: caches fill, kernels are chosen, and torch.compile compiles.
    """

    def __init__(self, warm_up: int, gpu: str | None = None) -> None:
        self._warm_up, self._gpu = warm_up, gpu
        self._moments: list[float] = []
        self._labels: list[int] = []
        self._first_after = 0.0

    @property
    def steps(self) -> int:
        """Return how many steps are finished."""
        return len(self._moments)

    def finish_step(self, labels: int) -> None:
        """Record the end of a step with this many label tokens, without padding."""
        if not self._moments:
            self._first_after = measure_process_age()
        self._moments.append(time.perf_counter())
        self._labels.append(labels)

    def print_figures(self) -> None:
        """Print the figures as one line of JSON."""
        seconds = self._moments[-1] - self._moments[self._warm_up - 1]
        labels = sum(self._labels[self._warm_up :])
        figures = {
            "labels": labels,
            "seconds": seconds,
            "tokens_per_second": labels / seconds,
            "first_step_after_seconds": self._first_after,
            "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "gpu": self._gpu,
        }
        print(json.dumps(figures), file=sys.__stdout__, flush=True)
