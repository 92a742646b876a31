"""Counts TweetBots by namespace, phase and reason, how long runs wait, how runs ended, and what they used.

No label is a TweetBot's name, which would make a series per TweetBot. A series that would say 0 is removed.
"""

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import Gauge

from tweetbot_contract.reasons import BY_NAME, RETRY_BACKOFF
from tweetbot_contract.spec.scheduling import Gpu
from tweetbot_contract.status import TweetBotStatus
from tweetbot_contract.status.tasks import FORGET_SECONDS, ForgetStatus
from tweetbot_operator.telemetry.metrics import (
    FORGET_DEADLINE,
    GPU_SECONDS,
    POSTS_BILLED,
    POSTS_LOST,
    RUN_SECONDS,
    RUNS,
    RUNS_FINISHED,
    WAIT_START,
)
from tweetbot_operator.types.objects import Key
from tweetbot_operator.types.times import parse_time

#: Seconds for which a wait may be interrupted and still be the same: a retry takes its time to meet the same fault.
_INTERRUPTION_SECONDS = 300
#: Starts of waits that are over, beyond the number of those that are not, before they are removed.
_STALE_STARTS = 100
#: Namespace, phase and reason.
Labels = tuple[str, str, str]
#: Namespace and reason.
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Wait:
    """Why a TweetBot waits, or waited until `until`, in Unix times."""

    reason: str
    since: float
    until: float | None = None


class WaitStarts:
    """Knows the earliest start among the present waits of each namespace and reason, whatever their number."""

    def __init__(self) -> None:
        self.waits: dict[Key, Wait] = {}
        self.heaps: dict[Place, list[tuple[float, Key]]] = {}
        """The starts of present waits, and of some that are over."""
        self._numbers: Counter[Place] = Counter()

    def update(self, key: Key, reason: str | None, now: float, since: float | None = None) -> set[Place]:
        """Take in why a TweetBot waits now, None if it does not, and since when, if that is known; answers where the
        earliest start may have changed.
        """
        former = self.waits.get(key)
        waited = former.reason if former and former.until is None else None
        if waited == reason:
            return set()
        if former and waited:
            former = self.waits[key] = Wait(waited, former.since, now)
            self._numbers[key[0], waited] -= 1
        if reason:
            same = former and former.reason == reason and now - (former.until or now) < _INTERRUPTION_SECONDS
            self._begin(key, reason, former.since if former and same else min(since or now, now))
        return {(key[0], each) for each in (waited, reason) if each}

    def _begin(self, key: Key, reason: str, since: float) -> None:
        self.waits[key] = Wait(reason, since)
        self._numbers[key[0], reason] += 1
        heapq.heappush(self.heaps.setdefault((key[0], reason), []), (since, key))

    def find_earliest(self, place: Place) -> float | None:
        """Return the earliest start, in Unix time; None if nothing waits there."""
        heap = self.heaps.get(place, [])
        if len(heap) > self._numbers[place] + _STALE_STARTS:
            heap[:] = sorted({start for start in heap if self._is_present(place, start)})
        while heap and not self._is_present(place, heap[0]):
            heapq.heappop(heap)
        if heap:
            return heap[0][0]
        self.heaps.pop(place, None)
        del self._numbers[place]
        return None

    def _is_present(self, place: Place, start: tuple[float, Key]) -> bool:
        return self.waits.get(start[1]) == Wait(place[1], start[0])


class RunMetrics:
    """Keeps the last known state of each TweetBot, and shows them in sums while this replica leads."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._labels: dict[Key, Labels] = {}
        self._numbers: Counter[Labels] = Counter()
        self._starts = WaitStarts()
        self._deadlines: dict[Key, float] = {}
        """Those of open requests to forget posts, in Unix time: few at a time."""
        self._shown = True

    def show(self, leads: bool) -> None:
        """Show what is known, or nothing: else a former leader's counts would add to those of the current one."""
        self._shown = leads
        for labels in self._numbers:
            self._show_number(labels)
        for place in tuple(self._starts.heaps):
            self._show_start(place)
        for namespace in {key[0] for key in self._deadlines}:
            self._show_deadline(namespace)

    def enter(self, key: Key, status: TweetBotStatus) -> None:
        """Count a TweetBot by its status, and no longer by the one before."""
        progressing = status.find_condition("Progressing")
        labels = (key[0], status.phase, _normalize_reason(progressing.reason if progressing else None))
        former = self._labels.get(key)
        if former != labels:
            self._labels[key] = labels
            self._count(former, -1)
            self._count(labels, 1)
        self._note_wait(key, find_wait_reason(status), _find_wait_start(status))
        if status.forget or key in self._deadlines:
            self._note_deadline(key, status.forget)

    def leave(self, key: Key) -> None:
        """Stop counting a TweetBot."""
        self._count(self._labels.pop(key, None), -1)
        self._note_wait(key, None)
        self._note_deadline(key, None)
        self._starts.waits.pop(key, None)

    def _count(self, labels: Labels | None, number: int) -> None:
        if labels:
            self._numbers[labels] += number
            self._show_number(labels)
            if not self._numbers[labels]:
                del self._numbers[labels]

    def _note_wait(self, key: Key, reason: str | None, since: float | None = None) -> None:
        for place in self._starts.update(key, reason, self._now().timestamp(), since):
            self._show_start(place)

    def _note_deadline(self, key: Key, request: ForgetStatus | None) -> None:
        self._deadlines.pop(key, None)
        if request and request.outcome != "Succeeded":
            self._deadlines[key] = parse_time(request.requested_at).timestamp() + FORGET_SECONDS
        self._show_deadline(key[0])

    def _show_deadline(self, namespace: str) -> None:
        own = [at for (where, _), at in self._deadlines.items() if where == namespace]
        _show(FORGET_DEADLINE, (namespace,), min(own) if own and self._shown else None)

    def _show_number(self, labels: Labels) -> None:
        _show(RUNS, labels, self._numbers[labels] or None if self._shown else None)

    def _show_start(self, place: Place) -> None:
        _show(WAIT_START, place, self._starts.find_earliest(place) if self._shown else None)


def _show(gauge: Gauge, labels: tuple[str, ...], value: float | None) -> None:
    if value is None:
        gauge.remove(*labels)
    else:
        gauge.labels(*labels).set(value)


def find_wait_reason(status: TweetBotStatus) -> str | None:
    """Return why a TweetBot waits, the cause of a pause before the next try included; None if it does not wait."""
    said, run = status.find_condition("Stalled") or status.find_condition("Progressing"), status.current_run
    if said is None or (run and run.outcome and said.reason == run.reason):
        return None
    cause = run.reason if run and said.reason == RETRY_BACKOFF.name else None
    reason = BY_NAME.get(cause or said.reason)
    return None if reason and reason.steady else _normalize_reason(cause or said.reason)


def _find_wait_start(status: TweetBotStatus) -> float | None:
    """Return since when the status says so, in Unix time; None for an alarm beside what the run does."""
    stalled, progressing = status.find_condition("Stalled"), status.find_condition("Progressing")
    beside = stalled and progressing and stalled.reason != progressing.reason
    since = status.columns.since if status.columns and not beside else None
    return parse_time(since).timestamp() if since else None


def count_finished_run(namespace: str, before: TweetBotStatus, after: TweetBotStatus) -> None:
    """Count a run if it has just ended."""
    run = after.current_run
    if run is None or run.outcome is None or run == before.current_run:
        return
    RUNS_FINISHED.labels(bot_namespace=namespace, outcome=run.outcome, reason=_normalize_reason(run.reason)).inc()
    if run.finished_at:
        seconds = (parse_time(run.finished_at) - parse_time(run.started_at)).total_seconds()
        RUN_SECONDS.labels(outcome=run.outcome).observe(max(seconds, 0.0))


def count_gpu_time(namespace: str, gpu: Gpu, before: TweetBotStatus, after: TweetBotStatus) -> None:
    """Count the seconds of a training's Pods that the status has just gained."""
    was, now = before.current_run, after.current_run
    if was is None or now is None or now.stage != "Train" or not gpu.count:
        return
    same = (was.id, was.number, was.stage) == (now.id, now.number, now.stage)
    if same and now.ran_seconds > was.ran_seconds:
        seconds = (now.ran_seconds - was.ran_seconds) * gpu.count
        GPU_SECONDS.labels(bot_namespace=namespace, resource=gpu.resource).inc(seconds)


def count_interrupted_gpu_time(
    namespace: str, before: TweetBotStatus, after: TweetBotStatus, left: dict[str, float]
) -> None:
    """Count the seconds `left` to count, by resource, of a training that another run or execution has just replaced.

    Its status is gone, so it cannot gain them. The seconds until its Pods end, at most the grace period, are lost.
    """
    was, now = before.current_run, after.current_run
    if was is None or now is None or was.outcome is not None:
        return
    if (was.id, was.number, was.execution) != (now.id, now.number, now.execution):
        for resource, seconds in left.items():
            GPU_SECONDS.labels(bot_namespace=namespace, resource=resource).inc(seconds)


def count_posts(namespace: str, before: TweetBotStatus, after: TweetBotStatus) -> None:
    """Count the posts that a run paid for and those that it lost, when its dataset comes into the status."""
    was, now = before.current_run, after.current_run
    if was is None or now is None or after.data is None or was.dataset or not now.dataset:
        return
    for source, posts in (after.data.billed or {}).items():
        POSTS_BILLED.labels(bot_namespace=namespace, source=source).inc(posts)
    for cause in ("missing", "unreadable", "truncated"):
        if posts := getattr(after.data, cause):  # no series for each namespace that lost nothing
            POSTS_LOST.labels(bot_namespace=namespace, cause=cause).inc(posts)


def _normalize_reason(reason: str | None) -> str:
    """Return Other for an unknown reason, e.g. of a newer trainer: no Pod may create a label."""
    return reason if reason in BY_NAME else "Other"
