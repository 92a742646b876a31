"""The latest report of each running stage: in memory for decisions, and in /metrics."""

from collections.abc import Callable
from dataclasses import dataclass

from tweetbot_contract.progress import ProgressReport
from tweetbot_contract.status import CurrentRun
from tweetbot_operator.telemetry.metrics import RUN_ETA_SECONDS, RUN_EVAL_LOSS, RUN_PERCENT, RUN_STEP, RUN_TRAIN_LOSS
from tweetbot_operator.types.objects import Key

_GAUGES = (RUN_PERCENT, RUN_ETA_SECONDS, RUN_STEP, RUN_TRAIN_LOSS, RUN_EVAL_LOSS)
#: Polls in a row that find the same wait before it is told: about a minute, by no clock but the poller's.
_LASTING_POLLS = 12
#: Points of a percentage after which a pass decides whether the status is due: fewer than any write needs.
_POINTS_PER_PASS = 3


@dataclass(slots=True)
class _Entry:
    report: ProgressReport
    enqueued_at: ProgressReport
    """The report for which a pass was asked for last."""
    waits: int = 0
    """How many polls in a row have found the same wait."""


class ProgressStore:
    """The latest report of each TweetBot's stage."""

    def __init__(self, enqueue: Callable[[Key], None]) -> None:
        """`enqueue` asks for a pass where the status may be due."""
        self._enqueue = enqueue
        self._entries: dict[Key, _Entry] = {}

    def put(self, key: Key, report: ProgressReport) -> None:
        """Keep a report, unless its Pod knew more before: a Pod that jumps to and fro would have the status follow."""
        former = self._entries.get(key)
        if former is None or former.report.pod_uid != report.pod_uid:
            self.forget(key)
            self._entries[key] = _Entry(report, report, waits=int(report.waiting is not None))
            self._enqueue(key)
        else:
            self._count_wait(key, former, report)
            if not _knows_less(report, former.report):
                former.report = report
                self._enqueue_if_worthwhile(key, former)
        self._show(key)

    def _count_wait(self, key: Key, entry: _Entry, report: ProgressReport) -> None:
        """Count how long the stage has waited for the same, and ask for a pass when that is to be told, or over."""
        before, now = entry.report.waiting, report.waiting
        lasted, same = entry.waits >= _LASTING_POLLS, before and now and before.since == now.since
        entry.waits = entry.waits + 1 if same else int(now is not None)
        entry.report = entry.report.model_copy(update={"waiting": now})
        if lasted != (entry.waits >= _LASTING_POLLS) or (lasted and before != now):
            self._enqueue(key)

    def _enqueue_if_worthwhile(self, key: Key, entry: _Entry) -> None:
        before, now = entry.enqueued_at, entry.report
        moved = (now.percent or 0) - (before.percent or 0) >= _POINTS_PER_PASS
        if moved or (before.eta_seconds is None and now.eta_seconds is not None):
            entry.enqueued_at = now
            self._enqueue(key)

    def get(self, key: Key) -> ProgressReport | None:
        """Return the latest report of a TweetBot's stage."""
        entry = self._entries.get(key)
        return entry.report if entry else None

    def observe(self, key: Key) -> ProgressReport | None:
        """Return the latest report for a decision: without a wait that has not lasted, as there are many."""
        report = self.get(key)
        short = report and report.waiting and self._entries[key].waits < _LASTING_POLLS
        return report.model_copy(update={"waiting": None}) if report and short else report

    def prune(self, key: Key, run: CurrentRun | None) -> None:
        """Forget a report of another stage than the one that runs now."""
        report = self.get(key)
        if report and (run is None or (run.id, run.stage, run.outcome) != (report.run_id, report.stage, None)):
            self.forget(key)

    def forget(self, key: Key) -> None:
        """Forget a TweetBot, and remove its figures from /metrics."""
        if self._entries.pop(key, None):
            for gauge in _GAUGES:
                gauge.remove(*key)

    def clear(self) -> None:
        """Forget everything: another replica leads."""
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


def _knows_less(report: ProgressReport, former: ProgressReport) -> bool:
    lost_estimate = report.eta_seconds is None and former.eta_seconds is not None
    return lost_estimate or (report.percent or 0) < (former.percent or 0)
