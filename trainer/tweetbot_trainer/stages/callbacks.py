"""How a training is seen while it runs: metrics.jsonl first, then the tracker and the log."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tweetbot_trainer.learning.training.callbacks import Callbacks
from tweetbot_trainer.learning.training.metrics import LogEntry, TrainingProgress
from tweetbot_trainer.publishing.report.json_files import format_json_lines
from tweetbot_trainer.publishing.tracking import Tracker
from tweetbot_trainer.publishing.tracking.operator_progress import ProgressEndpoint, report_progress
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.signals import StopRequest

#: What the log says when a GPU ran out of memory for the first time.
HALVED = "the GPU's memory was too small: each step is summed from passes of half the size from here on"
#: Seconds between two progress lines: a bar that is drawn from them moves, and a log stays short.
PROGRESS_INTERVAL = 1.0
_NAMES = {"train_loss": "train/loss", "eval_loss": "eval/loss", "learning_rate": "train/learning_rate"}


class ProgressLogger:
    """Logs where the training stands, at most once an interval, and its last step in any case."""

    def __init__(self, log: Log, clock: Callable[[], float] = time.monotonic) -> None:
        self._log, self._clock, self._next = log, clock, 0.0

    def __call__(self, progress: TrainingProgress) -> None:
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
def training_callbacks(
    metrics: Path, tracker: Tracker, log: Log, stop: StopRequest, *, endpoint: ProgressEndpoint | None = None
) -> Iterator[Callbacks]:
    """Give the hooks of a training; every row is in the metrics file before the tracker hears of it.

    `place` is where the operator wants to hear of its progress.
    """
    metrics.parent.mkdir(parents=True, exist_ok=True)
    lines = ProgressLogger(log)
    with metrics.open("w", encoding="utf-8") as file, report_progress(endpoint, log) as send_progress:

        def tell(progress: TrainingProgress) -> None:
            lines(progress)
            send_progress(progress)

        yield Callbacks(
            should_training_stop=lambda: stop.requested,
            on_progress=tell,
            on_log=lambda entry: _record(entry, file, tracker),
            on_resume=lambda entries: _write(entries, file),
            on_reduce=lambda positions: log.warning("train.halved", message=HALVED, positions=positions),
        )


def _write(entries: Sequence[LogEntry], file: IO[str]) -> None:
    file.write(format_json_lines([entry.as_json() for entry in entries]))
    file.flush()


def _record(entry: LogEntry, file: IO[str], tracker: Tracker) -> None:
    figures = entry.as_json()
    _write([entry], file)
    tracker.log({_NAMES.get(name, name): value for name, value in figures.items()})
