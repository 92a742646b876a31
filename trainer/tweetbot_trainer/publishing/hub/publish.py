"""Send what a stage serves to the Hub, within a time that is bounded whatever the Hub does. It fails no stage."""

import queue
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tweetbot_contract import handover
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.reasons import HUB_DEGRADED
from tweetbot_contract.result import HubResult, PinSucceeded, PrepareSucceeded, TrainSucceeded
from tweetbot_trainer.publishing.hub.client import HubRepository
from tweetbot_trainer.publishing.hub.push import Push, push_version
from tweetbot_trainer.publishing.registry.latest import read_served_version
from tweetbot_trainer.publishing.registry.manifest import build_result, build_version_uri, read_version
from tweetbot_trainer.runtime.errors import NotAuthorized, StageError, TemporaryError
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.retry_budget import LONGEST_STORAGE_PAUSE, RetryBudget
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.store import ObjectStore

#: Seconds that sending a version may take beside its bytes, bytes per second that count, and seconds of all waits for
#: a Hub that is away: a GPU may be held meanwhile.
LIMIT_SECONDS, LEAST_SPEED, PATIENCE_SECONDS = 120.0, 4 * 2**20, 60.0
#: Seconds between two looks at whether the Pod is to stop.
_LOOK_SECONDS = 0.1

T = TypeVar("T")
Result = TypeVar("Result", PrepareSucceeded, TrainSucceeded, PinSucceeded)


class HubPublisher:
    """Sends the versions that a run's stage serves."""

    def __init__(
        self, run: RunDocument, store: ObjectStore, *, secrets: Path, work: Path, log: Log, stop: StopRequest
    ) -> None:
        self._run, self._store, self._secrets, self._work = run, store, secrets, work
        self._log, self._stop = log, stop

    def publish(self, result: Result) -> Result:
        """Return the stage's result with what became of the served version's copy on the Hub."""
        match result:
            case TrainSucceeded(prefix_owned=None):
                return result.model_copy(update={"hub": self._send(result)})
            case PrepareSucceeded(adopted=TrainSucceeded() as adopted, prefix_owned=None):
                sent = adopted.model_copy(update={"hub": self._send(adopted)})
                return result.model_copy(update={"adopted": sent})
            case PrepareSucceeded(new_posts=int(), prefix_owned=None):
                return result.model_copy(update={"hub": self.publish_served()})
            case PinSucceeded(served=TrainSucceeded() as served):
                return result.model_copy(update={"served": served.model_copy(update={"hub": self._send(served)})})
        return result

    def publish_served(self) -> HubResult | None:
        """Send the version that is served, as a run before may have been unable to."""
        name = read_served_version(self._store, self._run)
        found = read_version(self._store, build_version_uri(self._run, name)) if name else None
        return self._send(build_result(found, self._run)) if found else None

    def _send(self, served: TrainSucceeded) -> HubResult | None:
        """Send a version, unless another one is pinned."""
        if served.pinned not in (None, served.model.version):
            return None
        limit = LIMIT_SECONDS + served.model.size_bytes / LEAST_SPEED
        try:
            sent = run_within(limit, lambda: self._push(served), self._stop)
        except StageError as fault:
            sent = HubResult(degraded=make_message(fault.message))
        except Exception as error:  # noqa: BLE001  # the version is published, whatever went wrong here
            self._log.error("hub.bug", traceback="".join(traceback.format_exception(error)))
            sent = HubResult(degraded=f"the trainer met an unexpected error ({type(error).__name__}): see its log")
        if sent.degraded:
            self._log.warning("hub.degraded", message=sent.degraded)
        if sent.published:
            self._log.info("hub.published", uri=sent.published.url)
        return sent

    def _push(self, served: TrainSucceeded) -> HubResult:
        hub = self._run.spec.output.hugging_face
        assert hub is not None
        repository = HubRepository(
            hub.repo, read_token(self._run, self._secrets), token_place=describe_token(self._run)
        )
        home = served.model.uri.removesuffix("/model")
        version = read_version(self._store, home)
        if version is None:
            raise TemporaryError(HUB_DEGRADED, f"{home} has no manifest any more")
        push = Push(self._store, version, self._run.uid, hub.visibility == "Public", self._work / "finished")
        budget = RetryBudget(PATIENCE_SECONDS, self._log, longest_pause=LONGEST_STORAGE_PAUSE)
        published, degraded = budget.call(lambda: push_version(repository, push))
        return HubResult(published=published, degraded=make_message(degraded) if degraded else None)


def read_token(run: RunDocument, secrets: Path) -> str:
    """Return the token for the Hub that a task was given. Raises NotAuthorized without one."""
    file = secrets / handover.HUB_FOLDER / handover.TOKEN_FILE
    token = file.read_text(encoding="utf-8").strip() if file.is_file() else ""
    if not token:
        raise NotAuthorized(HUB_DEGRADED, f"there is no token in {describe_token(run)}: create it")
    return token


def describe_token(run: RunDocument) -> str:
    """Say where the token comes from."""
    hub = run.spec.output.hugging_face
    secret = hub.token_secret if hub else None
    return f"key {secret.key} of the Secret {secret.name}" if secret else "a Secret that spec.output.huggingFace names"


def make_message(text: str) -> str:
    """Return a fault as a condition tells it."""
    return " ".join(text.split())[:512]


def run_within(seconds: float, work: Callable[[], T], stop: StopRequest) -> T:
    """Return what `work` returns, in a thread that is left alone when its time is over or the Pod is to stop.

    Raises what `work` raises, and TemporaryError.
    """
    answers: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put((work(), None))
        except BaseException as error:  # noqa: BLE001  # it is raised below
            answers.put((None, error))

    threading.Thread(target=run, name="hub", daemon=True).start()
    ends_at = time.monotonic() + seconds
    while True:
        try:
            answer, error = answers.get(timeout=min(_LOOK_SECONDS, max(ends_at - time.monotonic(), 0.0)))
        except queue.Empty:
            if stop.requested:
                raise TemporaryError(HUB_DEGRADED, "the Pod was asked to stop before it was sent") from None
            if time.monotonic() >= ends_at:
                message = f"the Hugging Face Hub did not take it within {seconds:.0f} s"
                raise TemporaryError(HUB_DEGRADED, message) from None
            continue
        if error:
            raise error
        return answer  # type: ignore[return-value]
