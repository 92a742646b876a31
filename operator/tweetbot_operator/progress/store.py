"""The latest report of each running stage: in memory for decisions, and in /metrics."""

from collections.abc import Callable
from dataclasses import dataclass

from tweetbot_contract.progress import ProgressReport, Waiting
from tweetbot_contract.status import CurrentRun
from tweetbot_operator.telemetry.metrics import RUN_ETA_SECONDS, RUN_EVAL_LOSS, RUN_PERCENT, RUN_STEP, RUN_TRAIN_LOSS
from tweetbot_operator.types.objects import Key

_GAUGES = (RUN_PERCENT, RUN_ETA_SECONDS, RUN_STEP, RUN_TRAIN_LOSS, RUN_EVAL_LOSS)
#: Polls in a row that find the same wait before it is told, and none before it is over: some ten seconds each, by no
#: clock but the poller's (decision 71).
_POLLS_TO_TELL, _POLLS_TO_END = 3, 2
#: Points of a percentage after which a pass decides whether the status is due: fewer than any write needs.
_POINTS_PER_PASS = 3


@dataclass(slots=True)
class _Entry:
    report: ProgressReport
    enqueued_at: ProgressReport
    """The report for which a pass was asked for last."""
    waits: int = 0
    """How many polls in a row have found the same wait."""
    pauses: int = 0
    """How many polls in a row have found none."""
    reported: Waiting | None = None
    """The wait that decisions know of."""


class ProgressStore:
    """The latest report of each TweetBot's stage, and of the task beside its stages."""

    def __init__(self, enqueue: Callable[[Key], None]) -> None:
        """`enqueue` asks for a pass where the status may be due."""
        self._enqueue = enqueue
        self._entries: dict[Key, _Entry] = {}
        self._tasks: dict[Key, _Entry] = {}

    def put(self, key: Key, report: ProgressReport) -> None:
        """Keep a report, unless its Pod knew more before: a Pod that jumps to and fro would have the status follow."""
        if not report.run_id:
            self._put_task(key, report)
            return
        former = self._entries.get(key)
        if former is None or former.report.pod_uid != report.pod_uid:
            self._forget_stage(key)
            self._entries[key] = _Entry(report, report, waits=int(report.waiting is not None))
            self._enqueue(key)
        else:
            self._count_wait(key, former, report)
            if not _knows_less(report, former.report):
                former.report = report
                self._enqueue_if_worthwhile(key, former)
        self._show(key)

    def _put_task(self, key: Key, report: ProgressReport) -> None:
        """Keep what a task beside the stages reports: only its waits matter."""
        former = self._tasks.get(key)
        if former is None or former.report.pod_uid != report.pod_uid:
            self._tasks[key] = _Entry(report, report, waits=int(report.waiting is not None))
        else:
            self._count_wait(key, former, report)

    def _count_wait(self, key: Key, entry: _Entry, report: ProgressReport) -> None:
        """Count how long the Pod has waited for the same, and ask for a pass when that is to be told, or over.

        Of a service that answers now and then, the first long wait is told until there is none for a while.
        """
        before, now, former = entry.report.waiting, report.waiting, entry.reported
        same = before and now and before.since == now.since
        entry.waits = entry.waits + 1 if same else int(now is not None)
        entry.pauses = 0 if now else entry.pauses + 1
        entry.report = entry.report.model_copy(update={"waiting": now})
        if entry.waits >= _POLLS_TO_TELL:
            entry.reported = now
        elif entry.pauses >= _POLLS_TO_END:
            entry.reported = None
        if entry.reported != former:
            self._enqueue(key)

    def _enqueue_if_worthwhile(self, key: Key, entry: _Entry) -> None:
        before, now = entry.enqueued_at, entry.report
        moved = (now.percent or 0) - (before.percent or 0) >= _POINTS_PER_PASS
        degraded = now.tracking_degraded != before.tracking_degraded
        if moved or degraded or (before.eta_seconds is None and now.eta_seconds is not None):
            entry.enqueued_at = now
            self._enqueue(key)

    def get(self, key: Key) -> ProgressReport | None:
        """Return the latest report of a TweetBot's stage."""
        entry = self._entries.get(key)
        return entry.report if entry else None

    def observe(self, key: Key) -> ProgressReport | None:
        """Return the latest report for a decision: without a wait that has not lasted, as there are many."""
        return _tell(self._entries.get(key))

    def observe_task(self, key: Key) -> ProgressReport | None:
        """Return in the same way what the task beside the stages reported last."""
        return _tell(self._tasks.get(key))

    def prune(self, key: Key, run: CurrentRun | None) -> None:
        """Forget a report of another stage than the one that runs now."""
        report = self.get(key)
        if report and (run is None or (run.id, run.stage, run.outcome) != (report.run_id, report.stage, None)):
            self._forget_stage(key)

    def forget(self, key: Key) -> None:
        """Forget a TweetBot."""
        self._tasks.pop(key, None)
        self._forget_stage(key)

    def _forget_stage(self, key: Key) -> None:
        """Forget a stage, and remove its figures from /metrics."""
        if self._entries.pop(key, None):
            for gauge in _GAUGES:
                gauge.remove(*key)

    def clear(self) -> None:
        """Forget everything: another replica leads."""
        self._tasks.clear()
        for key in tuple(self._entries):
            self.forget(key)

    def _show(self, key: Key) -> None:
        report = self._entries[key].report
        figures = (report.percent, report.eta_seconds, report.step, report.train_loss, report.eval_loss)
        for gauge, figure in zip(_GAUGES, figures, strict=True):
            if figure is None:
                gauge.remove(*key)
            else:
                gauge.labels(*key).set(figure)


def _tell(entry: _Entry | None) -> ProgressReport | None:
    return entry.report.model_copy(update={"waiting": entry.reported}) if entry else None


def _knows_less(report: ProgressReport, former: ProgressReport) -> bool:
    lost_estimate = report.eta_seconds is None and former.eta_seconds is not None
    return lost_estimate or (report.percent or 0) < (former.percent or 0)
