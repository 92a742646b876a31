"""How many TweetBots are in which phase, and how their runs ended: figures for Prometheus, without anybody's name."""

from tweetbot_contract.reasons import BY_NAME
from tweetbot_contract.status import TweetBotStatus
from tweetbot_operator.metrics import RUN_SECONDS, RUNS, RUNS_FINISHED
from tweetbot_operator.times import moment_of
from tweetbot_operator.views import Key


class Census:
    """Keeps the last known phase of each TweetBot."""

    def __init__(self) -> None:
        self._phases: dict[Key, str] = {}

    def enter(self, key: Key, phase: str) -> None:
        """Count a TweetBot in this phase, and no longer in the one before."""
        if self._phases.get(key) != phase:
            self.leave(key)
            self._phases[key] = phase
            RUNS.labels(phase=phase).inc()

    def leave(self, key: Key) -> None:
        """Count a TweetBot no longer."""
        if phase := self._phases.pop(key, None):
            RUNS.labels(phase=phase).dec()

    def count_end(self, before: TweetBotStatus, after: TweetBotStatus) -> None:
        """Count a run that has just ended. A trainer of another version may know reasons that we do not."""
        run = after.current_run
        if run is None or run.outcome is None or run == before.current_run:
            return
        reason = run.reason if run.reason in BY_NAME else "Other"
        RUNS_FINISHED.labels(outcome=run.outcome, reason=reason).inc()
        if run.finished_at:
            seconds = (moment_of(run.finished_at) - moment_of(run.started_at)).total_seconds()
            RUN_SECONDS.labels(outcome=run.outcome).observe(max(seconds, 0.0))
