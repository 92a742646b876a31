"""What a stage runs with."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tweetbot_contract.handover import BASE_DIR, BASE_FOLDER, TOKEN_FILE, RunDocument
from tweetbot_trainer.learning.model.base_files import BaseFiles, inspect_base
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.learning.values import Hyperparameters
from tweetbot_trainer.publishing.tracking.interface import NullTracker, Tracker
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.progress import StageProgress
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.store import BestEffortStore, ObjectStore, OpenStore

if TYPE_CHECKING:
    from tokenizers import Tokenizer

#: Seconds between checkpoints: two minutes are cheap to repeat, and uploading the 2 GB of a gpt2 takes less.
CHECKPOINT_SECONDS = 120.0
#: Starts the tracking of a stage with its configuration.
StartTracker = Callable[[Mapping[str, Any]], Tracker]


@dataclass(frozen=True, slots=True)
class StageContext:
    """One stage of one run, with its storage, folders, log and budgets.

    `work` is deleted with the Pod. `best_effort` is the same storage for checkpoints. `progress` is what the operator
    reads. `mounted_base` is where a claim with the base model is mounted.
    """

    run: RunDocument
    open_store: OpenStore
    secrets: Path
    work: Path
    log: Log
    stop: StopRequest
    start_tracker: StartTracker = lambda config: NullTracker()
    best_effort: BestEffortStore | None = None
    checkpoint_seconds: float = CHECKPOINT_SECONDS
    retry_budget: RetryBudget = field(default_factory=lambda: RetryBudget(0))
    progress: StageProgress = field(default_factory=StageProgress)
    mounted_base: Path = Path(BASE_DIR)

    @property
    def store(self) -> ObjectStore:
        """The store of the run's output."""
        return self.open_store(self.run.prefix)

    @property
    def base_files(self) -> BaseFiles:
        """The reader of base models that are folders."""
        token = self.secrets / BASE_FOLDER / TOKEN_FILE
        hub_token = token.read_text(encoding="utf-8").strip() if token.is_file() else None
        return BaseFiles(self.open_store, self.mounted_base, hub_token or None)

    def inspect_base(self, values: Hyperparameters) -> tuple[BaseIdentity, "Tokenizer | None"]:
        """Identify the base model of the spec, and return its tokenizer unless it starts from scratch.

        Raises StageError if it cannot be trained, not in the memory of the training's Pod, or not on several GPUs.
        """
        spec = self.run.spec
        identity, found = inspect_base(spec, self.base_files, self.retry_budget, self.work / "base")
        from tweetbot_trainer.learning.decoder.configs import count_weights
        from tweetbot_trainer.learning.model.memory import require_memory, require_use_of_gpus

        require_use_of_gpus(spec, count_weights(found.config) if found else 0)
        if found is None:
            return identity, None
        require_memory(spec, found.config, values)
        return identity, found.tokenizer

    def resolve_base(self) -> BaseIdentity:
        """Identify the base model of the spec. Raises StageError."""
        return inspect_base(self.run.spec, self.base_files, self.retry_budget, self.work / "base")[0]

    @contextmanager
    def track(self, config: Mapping[str, Any]) -> Iterator[Tracker]:
        """Start the stage's tracker; if the stage fails, end its run there as failed."""
        tracker = self.start_tracker(config)
        try:
            yield tracker
        except BaseException:
            tracker.finish(failed=True)
            raise
