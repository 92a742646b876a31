"""Reports a training while it runs: to metrics.jsonl first, then to the tracker, the log and the operator."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tweetbot_trainer.learning.training.callbacks import Callbacks
from tweetbot_trainer.learning.training.device import Device
from tweetbot_trainer.learning.training.metrics import LogEntry, TrainingProgress
from tweetbot_trainer.publishing.report.records import format_json_lines
from tweetbot_trainer.publishing.tracking.interface import Tracker
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.progress import StageProgress
from tweetbot_trainer.runtime.signals import StopRequest

#: Logged when the GPU runs out of memory.
HALVED = "the GPU ran out of memory: each step now accumulates gradients over micro-batches of half the size"
#: Logged when activations are recomputed.
RECOMPUTED = "the memory is too small to keep all activations: each backward pass computes them again, a third slower"
#: Seconds between progress lines: enough for a moving progress bar, and the log stays short.
PROGRESS_INTERVAL = 1.0


class ProgressLogger:
    """Logs the progress at most once per interval, and always the last step."""

    def __init__(self, log: Log, clock: Callable[[], float] = time.monotonic) -> None:
        self._log, self._clock, self._next = log, clock, 0.0

    def __call__(self, progress: TrainingProgress) -> None:
        """Log this step if it is due."""
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


class Estimate:
    """Estimates the time left from the pace since the first step, evaluations included, warm-up excluded."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: tuple[int, float] | None = None

    def estimate_seconds_left(self, progress: TrainingProgress) -> float | None:
        """Return seconds, or None before the second step."""
        now = self._clock()
        if self._first is None:
            self._first = (progress.step, now)
        step, began = self._first
        if progress.step == step:
            return None
        return (now - began) / (progress.step - step) * (progress.total_steps - progress.step)


class ProgressReporter:
    """Passes the progress to the operator: at most 99 % until the stage ends."""

    def __init__(self, progress: StageProgress, estimate: Estimate | None = None) -> None:
        self._progress, self._estimate = progress, estimate or Estimate()

    def __call__(self, step: TrainingProgress) -> None:
        """Report this step."""
        self._progress.update(
            percent=min(step.percent, 99),
            step=step.step,
            total_steps=step.total_steps,
            eta_seconds=self._estimate.estimate_seconds_left(step),
            train_loss=step.train_loss,
            eval_loss=step.eval_loss,
        )


@contextmanager
def training_callbacks(
    metrics: Path,
    tracker: Tracker,
    log: Log,
    stop: StopRequest,
    *,
    progress: StageProgress,
    note: Callable[[str], None] = lambda message: None,
) -> Iterator[Callbacks]:
    """Build the callbacks of a training; an entry is written to the metrics file before the tracker gets it.

    `note` is told what is done less than the spec asks for.
    """
    metrics.parent.mkdir(parents=True, exist_ok=True)
    logger, reporter = ProgressLogger(log), ProgressReporter(progress)
    with metrics.open("w", encoding="utf-8") as file:

        def report(step: TrainingProgress) -> None:
            logger(step)
            reporter(step)

        def report_reduction(positions: int) -> None:
            log.warning("train.halved", message=HALVED, positions=positions)
            note(f"{HALVED[0].upper()}{HALVED[1:]}, which takes longer.")

        yield Callbacks(
            should_training_stop=lambda: stop.requested,
            on_progress=report,
            on_log=lambda entry: _record(entry, file, tracker),
            on_device=lambda device: _log_device(device, log),
            on_resume=lambda entries: _write(entries, file),
            on_reduce=report_reduction,
            on_recompute=lambda: log.info("train.memory", message=RECOMPUTED),
        )


def _log_device(device: Device, log: Log) -> None:
    """Log what the training computes with, and the times by which its number format was chosen."""
    products = {"productSeconds": device.products.as_json()} if device.products else {}
    log.info(
        "train.device",
        device=device.device_type,
        processor=device.name,
        threads=device.threads,
        precision=device.precision,
        **products,
    )


def _write(entries: Sequence[LogEntry], file: IO[str]) -> None:
    file.write(format_json_lines([entry.as_json() for entry in entries]))
    file.flush()


def _record(entry: LogEntry, file: IO[str], tracker: Tracker) -> None:
    _write([entry], file)
    tracker.log(entry.as_json())
