"""Counts TweetBots by phase and reason, how runs ended, and what they used.

No label is a TweetBot's name, which would make a series per TweetBot; only usage and lost posts have the namespace.
"""

from tweetbot_contract.reasons import BY_NAME
from tweetbot_contract.spec.scheduling import Gpu
from tweetbot_contract.status import TweetBotStatus
from tweetbot_operator.telemetry.metrics import GPU_SECONDS, POSTS_BILLED, POSTS_LOST, RUN_SECONDS, RUNS, RUNS_FINISHED
from tweetbot_operator.types.objects import Key
from tweetbot_operator.types.times import parse_time


class RunMetrics:
    """Keeps the last known phase and reason of each TweetBot, and shows them while this replica leads."""

    def __init__(self) -> None:
        self._labels: dict[Key, tuple[str, str]] = {}
        self._shown = True

    def show(self, leads: bool) -> None:
        """Show what is known, or nothing: else a former leader's counts would add to those of the current one."""
        if leads != self._shown:
            self._shown = leads
            for labels in self._labels.values():
                RUNS.labels(*labels).inc(1 if leads else -1)

    def enter(self, key: Key, status: TweetBotStatus) -> None:
        """Count a TweetBot by its status, and no longer by the one before."""
        progressing = status.find_condition("Progressing")
        labels = (status.phase, _normalize_reason(progressing.reason if progressing else None))
        if self._labels.get(key) != labels:
            self.leave(key)
            self._labels[key] = labels
            RUNS.labels(*labels).inc(self._shown)

    def leave(self, key: Key) -> None:
        """Stop counting a TweetBot."""
        if labels := self._labels.pop(key, None):
            RUNS.labels(*labels).dec(self._shown)


def count_finished_run(before: TweetBotStatus, after: TweetBotStatus) -> None:
    """Count a run if it has just ended."""
    run = after.current_run
    if run is None or run.outcome is None or run == before.current_run:
        return
    RUNS_FINISHED.labels(outcome=run.outcome, reason=_normalize_reason(run.reason)).inc()
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
