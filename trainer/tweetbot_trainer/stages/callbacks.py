"""How a training is seen while it runs: metrics.jsonl first, then the tracker and the log."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tweetbot_trainer.learning.training.callbacks import Hooks
from tweetbot_trainer.learning.training.metrics import MetricsRow, Progress
from tweetbot_trainer.publishing.report.json_files import json_lines
from tweetbot_trainer.publishing.tracking import Tracker
from tweetbot_trainer.publishing.tracking.operator_progress import ReportPlace, reported
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.signals import StopRequest

#: What the log says when a GPU ran out of memory for the first time.
HALVED = "the GPU's memory was too small: each step is summed from passes of half the size from here on"
#: Seconds between two progress lines: a bar that is drawn from them moves, and a log stays short.
PROGRESS_INTERVAL = 1.0
_NAMES = {"train_loss": "train/loss", "eval_loss": "eval/loss", "learning_rate": "train/learning_rate"}


class ProgressLines:
    """Logs where the training stands, at most once an interval, and its last step in any case."""

    def __init__(self, log: Log, clock: Callable[[], float] = time.monotonic) -> None:
        self._log, self._clock, self._next = log, clock, 0.0

    def __call__(self, progress: Progress) -> None:
        """Log this step, or leave it out."""
        now = self._clock()
        if now < self._next and progress.step < progress.total_steps:
            return
        self._next = now + PROGRESS_INTERVAL
        self._log.info(
            "progress",
            percent=progress.percent,
            step=progress.step,
            totalSteps=progress.total_steps,
            etaSeconds=round(progress.eta_seconds),
            trainLoss=round(progress.train_loss, 4),
            evalLoss=None if progress.eval_loss is None else round(progress.eval_loss, 4),
        )


@contextmanager
def watched_training(
    metrics: Path, tracker: Tracker, log: Log, stop: StopRequest, *, place: ReportPlace | None = None
) -> Iterator[Hooks]:
    """Give the hooks of a training; every row is in the metrics file before the tracker hears of it.

    `place` is where the operator wants to hear of its progress.
    """
    metrics.parent.mkdir(parents=True, exist_ok=True)
    lines = ProgressLines(log)
    with metrics.open("w", encoding="utf-8") as file, reported(place, log) as report:

        def tell(progress: Progress) -> None:
            lines(progress)
            report(progress)

        yield Hooks(
            stop=lambda: stop.requested,
            progress=tell,
            record=lambda row: _record(row, file, tracker),
            resumed=lambda rows: _write(rows, file),
            halved=lambda positions: log.warning("train.halved", message=HALVED, positions=positions),
        )


def _write(rows: Sequence[MetricsRow], file: IO[str]) -> None:
    file.write(json_lines([row.as_json() for row in rows]))
    file.flush()


def _record(row: MetricsRow, file: IO[str], tracker: Tracker) -> None:
    figures = row.as_json()
    _write([row], file)
    tracker.log({_NAMES.get(name, name): value for name, value in figures.items()})
