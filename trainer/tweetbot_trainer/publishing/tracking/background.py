"""A tracker on a thread of its own: a stage queues its calls and goes on, whatever the server does."""

import threading
from collections.abc import Callable, Mapping, Sequence
from queue import SimpleQueue
from typing import Any

from tweetbot_contract.result import TrackingResult
from tweetbot_trainer.publishing.tracking.interface import TrackedArtifact
from tweetbot_trainer.publishing.tracking.wandb_run import LONGEST_TEXT, RunConfig, WandbRun
from tweetbot_trainer.runtime.log import Log

#: Seconds that a stage waits for a start beyond the client's own limit: the server is probed first. And for a report.
START_SLACK, REPORT_LIMIT = 20.0, 30.0


class BackgroundTracker:
    """Passes calls on to the run that `start` makes."""

    def __init__(
        self,
        run_config: RunConfig,
        start: Callable[[], WandbRun],
        upload: Callable[[], str | None],
        log: Log,
        note_degraded: Callable[[str], None] = lambda message: None,
    ) -> None:
        """`upload` stores the run's files where its server lacks them, and returns why it cannot, or None.

        `note_degraded` is told why less is tracked than the spec asks for, as soon as that is known.
        """
        self._start, self._upload, self._log, self._note_degraded = start, upload, log, note_degraded
        self._report = run_config.report
        self._start_limit = run_config.init_timeout + START_SLACK + (REPORT_LIMIT if run_config.report else 0)
        self._finish_limit = run_config.finish_timeout + run_config.finish_slack
        self._calls: SimpleQueue[Callable[[WandbRun], None] | None] = SimpleQueue()
        self._started, self._ended = threading.Event(), threading.Event()
        self._result = TrackingResult(wandb_mode="Offline")
        self._fault: str | None = None
        self._finished: TrackingResult | None = None
        self._failed = False
        threading.Thread(target=self._work, name="tracking", daemon=True).start()

    def get_current_result(self) -> TrackingResult:
        """Wait for the start, but not forever."""
        self._started.wait(self._start_limit)
        return self._result

    def log(self, metrics: Mapping[str, float]) -> None:
        """Queue the metrics."""
        self._calls.put(lambda run: run.log(metrics))

    def set_summary(self, figures: Mapping[str, Any]) -> None:
        """Queue the figures."""
        self._calls.put(lambda run: run.set_summary(figures))

    def log_table(self, name: str, columns: Sequence[str], data: Sequence[Sequence[Any]]) -> None:
        """Queue the table."""
        self._calls.put(lambda run: run.log_table(name, columns, data))

    def log_artifact(self, artifact: TrackedArtifact) -> None:
        """Queue the artifact."""
        self._calls.put(lambda run: run.log_artifact(artifact))

    def finish(self, *, failed: bool = False) -> TrackingResult:
        """Wait for the end of the run, up to its limit, and upload its files if its server may lack some."""
        if self._finished is None:
            self._failed = failed
            self._calls.put(None)
            if not self._ended.wait(self._finish_limit):
                self._fault = self._fault or f"the server did not take the run within {self._finish_limit:.0f} seconds"
            degraded = self._fault or self._result.degraded
            if degraded:
                self._log.warning("tracking.degraded", message=degraded)
            if self._fault or self._result.wandb_mode == "Offline":
                lost = self._upload()
                degraded = degraded or lost
            self._finished = self._result.model_copy(update={"degraded": degraded and degraded[:LONGEST_TEXT]})
        return self._finished

    def _work(self) -> None:
        run = self._call_safely(self._start, "start")
        if run is not None:
            self._result = self._call_safely(lambda: run.result, "read how it is tracked") or self._result
            self._add_report(run)
            if self._result.degraded:
                self._note_degraded(self._result.degraded)
        self._started.set()
        while (call := self._calls.get()) is not None:
            if run is not None:
                self._call_safely(lambda: call(run), "log to the run")
        if run is not None:
            self._call_safely(lambda: run.finish(failed=self._failed), "end the run")
        self._ended.set()

    def _add_report(self, run: WandbRun) -> None:
        """Add the address of the bot's report, if one is wanted; or why there is none."""
        if not self._report or self._result.wandb_mode != "Online":
            return
        try:
            self._result = self._result.model_copy(update={"report_url": run.ensure_report()})
        except Exception as error:  # noqa: BLE001  # as below
            fault = f"the run is tracked, but could not make its report: {_describe(error)}"
            self._result = self._result.model_copy(update={"degraded": fault[:LONGEST_TEXT]})

    def _call_safely(self, work: Callable[[], Any], purpose: str) -> Any:
        try:
            return work()
        except Exception as error:  # noqa: BLE001  # the client raises anything, and no run may fail for it
            self._fault = self._fault or f"could not {purpose}: {_describe(error)}"
            self._note_degraded(self._fault)
            return None


def _describe(error: Exception) -> str:
    """Return an error's type and the first line of its message."""
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
