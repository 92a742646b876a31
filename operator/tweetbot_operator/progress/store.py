"""What the trainers report, live: in memory and for Prometheus, of active runs only."""

from collections.abc import Callable
from dataclasses import dataclass

from tweetbot_contract.status import CurrentRun
from tweetbot_operator.decisions.progress import POINTS
from tweetbot_operator.progress.authorize import ReportedRun
from tweetbot_operator.progress.errors import Outdated
from tweetbot_operator.telemetry.metrics import RUN_ETA_SECONDS, RUN_EVAL_LOSS, RUN_PERCENT, RUN_STEP, RUN_TRAIN_LOSS
from tweetbot_operator.types.objects import Key, PodView
from tweetbot_operator.types.progress import LatestReport, Report

_GAUGES = (RUN_PERCENT, RUN_ETA_SECONDS, RUN_STEP, RUN_TRAIN_LOSS, RUN_EVAL_LOSS)


@dataclass(slots=True)
class _Entry:
    run_id: str
    pod: PodView
    report: Report
    last_enqueued_percent: int
    """The percentage at which a pass was asked for last."""


class ProgressStore:
    """The latest report of each TweetBot's run."""

    def __init__(self, ask_for_pass: Callable[[Key], None]) -> None:
        """`ask_for_pass` is called where the status may be due: at most once for so many points of a Pod's way."""
        self._ask_for_pass = ask_for_pass
        self._entries: dict[Key, _Entry] = {}

    def take(self, run: ReportedRun, pod: PodView, report: Report) -> None:
        """Take a Pod's report. Raises Outdated where the Pod, or a newer one of the run, has told later news."""
        former = self._entries.get(run.key)
        if former and (former.run_id, former.pod.uid) == (run.run, pod.uid):
            if report.is_behind(former.report):
                raise Outdated("the Pod has reported a later step already")
            former.report = report.merge(former.report)
        elif former and former.run_id == run.run and former.pod.created_at > pod.created_at:
            raise Outdated("a newer Pod of the run reports already")
        else:
            self.forget(run.key)
            self._entries[run.key] = _Entry(run.run, pod, report, last_enqueued_percent=-POINTS)
        self._show(run.key)
        self._offer(run.key)

    def _offer(self, key: Key) -> None:
        entry = self._entries[key]
        percent = entry.report.percent or 0
        if percent - entry.last_enqueued_percent >= POINTS:
            entry.last_enqueued_percent = percent
            self._ask_for_pass(key)

    def get(self, key: Key) -> LatestReport | None:
        """Return what is known of a TweetBot's training."""
        entry = self._entries.get(key)
        return LatestReport(entry.run_id, entry.pod.uid, entry.report) if entry else None

    def prune(self, key: Key, run: CurrentRun | None) -> None:
        """Forget what speaks of another run than the one that trains now."""
        entry = self._entries.get(key)
        if entry and (run is None or (run.id, run.stage, run.outcome) != (entry.run_id, "Train", None)):
            self.forget(key)

    def forget(self, key: Key) -> None:
        """Forget a TweetBot, and take its figures from Prometheus."""
        if self._entries.pop(key, None):
            for gauge in _GAUGES:
                gauge.remove(*key)

    def clear(self) -> None:
        """Forget everything: another replica leads, and the trainers report to it."""
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
