"""How a contender is timed: by its own steps, from the moment its process began."""

import json
import resource
import sys
import time
from pathlib import Path


def process_age() -> float:
    """Return the seconds since this process was started, by the kernel's count."""
    started = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    ticks = 100  # USER_HZ, the unit of that field on every Linux
    return float(Path("/proc/uptime").read_text().split()[0]) - started / ticks


class StepClock:
    """Takes the label tokens of each step as it ends, and prints what came of it; `gpu` is its name, if there is one.

    The first `warm_up` steps are not counted: caches fill, kernels are chosen, and with torch.compile code is made.
    """

    def __init__(self, warm_up: int, gpu: str | None = None) -> None:
        self._warm_up, self._gpu = warm_up, gpu
        self._moments: list[float] = []
        self._labels: list[int] = []
        self._first_after = 0.0

    @property
    def steps(self) -> int:
        """Return how many steps have ended."""
        return len(self._moments)

    def step(self, labels: int) -> None:
        """Note the end of a step that predicted so many tokens, padding not among them."""
        if not self._moments:
            self._first_after = process_age()
        self._moments.append(time.perf_counter())
        self._labels.append(labels)

    def tell(self) -> None:
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
