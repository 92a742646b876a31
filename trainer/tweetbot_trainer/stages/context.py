"""What both stages are given."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tweetbot_contract.handover import BASE_DIR, RunDocument
from tweetbot_trainer.learning.model.base_files import BaseFiles
from tweetbot_trainer.publishing.tracking.interface import NullTracker, Tracker
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.progress import StageProgress
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.store import ObjectStore, OpenStore

#: Two minutes of training are cheap to repeat, and a gpt2's state of 2 GB is uploaded in less.
CHECKPOINT_SECONDS = 120.0
#: Starts the tracking of a stage, given every value that shapes it.
StartTracker = Callable[[Mapping[str, Any]], Tracker]


@dataclass(frozen=True, slots=True)
class StageContext:
    """One stage of one run, and the world around it. `work` is a folder that goes when the Pod goes.

    `best_effort_store` is the same storage, hardly waited for: what is written to it can be lost. A checkpoint is
    kept every `checkpoint_seconds`. `patience` is how long what is away is waited for.
    """

    run: RunDocument
    open_store: OpenStore
    secrets: Path
    work: Path
    log: Log
    stop: StopRequest
    start_tracker: StartTracker = lambda config: NullTracker()
    best_effort_store: ObjectStore | None = None
    checkpoint_seconds: float = CHECKPOINT_SECONDS
    retry_budget: RetryBudget = field(default_factory=lambda: RetryBudget(0))
    progress: StageProgress = field(default_factory=StageProgress)
    """How far the stage is, as the operator reads it."""
    mounted_base: Path = Path(BASE_DIR)
    """Where a claim with the base model is."""

    @property
    def store(self) -> ObjectStore:
        """Return the store of the run's output."""
        return self.open_store(self.run.prefix)

    @property
    def base_files(self) -> BaseFiles:
        """Return where the files of the base are read."""
        return BaseFiles(self.open_store, self.mounted_base)

    @contextmanager
    def track(self, config: Mapping[str, Any]) -> Iterator[Tracker]:
        """Give the stage's tracker; where the stage fails, so does its run there."""
        tracker = self.start_tracker(config)
        try:
            yield tracker
        except BaseException:
            tracker.finish(failed=True)
            raise
