"""Times a contender by its own steps, from the start of its process."""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any


def measure_process_age() -> float:
    """Return the seconds since the kernel started this process."""
    started = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    ticks = 100  # USER_HZ, the unit of that field on every Linux
    return float(Path("/proc/uptime").read_text().split()[0]) - started / ticks


def measure_processor_seconds() -> float:
    """Return the seconds that processors have spent on this process: other processes do not lengthen them."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure_peak_memory() -> float:
    """Return the most memory that this program has had, in MiB; getrusage would count its parent's, too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


class StepClock:
    """Counts the label tokens of each finished step and prints the speed.

    The first `warm_up` steps do not count: caches fill, kernels are chosen, and torch.compile compiles. What a
    contender says of itself (`gpu`, `precision`) is printed with its figures.
    """

    def __init__(self, warm_up: int, **told: Any) -> None:
        self._warm_up, self._figures = warm_up, told
        self._moments: list[float] = []
        self._labels: list[int] = []

    @property
    def steps(self) -> int:
        """Return how many steps are finished."""
        return len(self._moments)

    def tell(self, **told: Any) -> None:
        """Add what is printed with the figures."""
        self._figures |= told

    def finish_imports(self) -> None:
        """Record that everything that training needs is imported."""
        self.tell(imports_cpu_seconds=measure_processor_seconds(), imports_rss_mib=measure_peak_memory())

    def finish_loading(self) -> None:
        """Record that the base is loaded."""
        self.tell(base_loaded_cpu_seconds=measure_processor_seconds())

    def finish_step(self, labels: int) -> None:
        """Record the end of a step with this many label tokens, without padding."""
        if not self._moments:
            self.tell(
                first_step_after_seconds=measure_process_age(), first_step_cpu_seconds=measure_processor_seconds()
            )
        self._moments.append(time.perf_counter())
        self._labels.append(labels)

    def print_figures(self) -> None:
        """Print the figures as one line of JSON."""
        seconds = self._moments[-1] - self._moments[self._warm_up - 1]
        labels = sum(self._labels[self._warm_up :])
        self.tell(
            labels=labels, seconds=seconds, tokens_per_second=labels / seconds, peak_rss_mib=measure_peak_memory()
        )
        print(json.dumps(self._figures), file=sys.__stdout__, flush=True)
