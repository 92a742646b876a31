"""Tells the operator how far a training is, by Kubeflow's KEP-2779, on a thread of its own.

Progress is a courtesy: whatever the operator does, or does not, no step waits for it and no training fails by it.
"""

import json
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tweetbot_contract.handover import PROGRESS_CA_ENV, PROGRESS_TOKEN_ENV, PROGRESS_URL_ENV
from tweetbot_trainer.learning.training.metrics import TrainingProgress
from tweetbot_trainer.runtime.log import Log

#: Seconds that one report may take.
_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class ProgressEndpoint:
    """Where reports go: the address, the file of the token, that of the certificates to trust (or the system's)."""

    url: str
    token: Path
    certificates: Path | None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "ProgressEndpoint | None":
        """Return what the environment says, None where nobody asks for reports."""
        url, token, certificates = (env.get(name) for name in (PROGRESS_URL_ENV, PROGRESS_TOKEN_ENV, PROGRESS_CA_ENV))
        return cls(url, Path(token), Path(certificates) if certificates else None) if url and token else None

    def post(self, body: bytes) -> None:
        """Send one report. Raises OSError (urllib's are), ValueError. The token file is read each time: it changes."""
        headers = {
            "Authorization": f"Bearer {self.token.read_text(encoding='ascii').strip()}",
            "Content-Type": "application/json",
        }
        request = urllib.request.Request(self.url, body, headers, method="POST")  # noqa: S310 - the operator's own URL
        with self._build_opener().open(request, timeout=_TIMEOUT):
            pass

    def _build_opener(self) -> urllib.request.OpenerDirector:
        """No proxy stands between Pod and operator, and no redirect may carry the token elsewhere."""
        context = ssl.create_default_context(cafile=str(self.certificates) if self.certificates else None)
        https = urllib.request.HTTPSHandler(context=context)
        return urllib.request.build_opener(urllib.request.ProxyHandler({}), https, _NoRedirects())


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *given: Any) -> None:
        """Follow nothing."""


#: Seconds between two reports, as KubeflowCallback has it, and the longest pause while nobody takes them.
INTERVAL, LONGEST_PAUSE = 5.0, 60.0
#: Seconds that the end of a training waits for its last report.
_LAST_WORD = 3.0
#: A training that still goes on is never done: 100 comes with its end.
_ALMOST = 99


class Estimate:
    """How long a training will still take, by its pace since the first step: evaluations count, a warm-up does not."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: tuple[int, float] | None = None

    def estimate_seconds_left(self, progress: TrainingProgress) -> float | None:
        """Return the seconds; None before the second step."""
        now = self._clock()
        if self._first is None:
            self._first = (progress.step, now)
        step, began = self._first
        if progress.step == step:
            return None
        return (now - began) / (progress.step - step) * (progress.total_steps - progress.step)


class ProgressReporter:
    """Sends the latest of what it is given, every few seconds at most."""

    def __init__(self, post: Callable[[bytes], None], log: Log, estimate: Estimate | None = None) -> None:
        self._post, self._log = post, log
        self._estimate = estimate or Estimate()
        self._latest: tuple[TrainingProgress, float | None, bool] | None = None
        self._given, self._ended, self._done = threading.Event(), threading.Event(), threading.Event()
        self._complained = False
        threading.Thread(target=self._work, name="progress", daemon=True).start()

    def __call__(self, progress: TrainingProgress) -> None:
        """Take where the training stands; returns at once."""
        self._latest = (progress, self._estimate.estimate_seconds_left(progress), False)
        self._given.set()

    def end(self, *, well: bool) -> None:
        """Send the last report, 100 % if the training ended well; waits for it, but not for long."""
        if self._latest and well:
            self._latest = (self._latest[0], 0.0, True)
        self._ended.set()
        self._given.set()
        self._done.wait(_LAST_WORD)

    def _work(self) -> None:
        pause = INTERVAL
        self._given.wait()
        while not self._ended.is_set():
            self._given.clear()
            pause = INTERVAL if self._send_latest() else min(pause * 2, LONGEST_PAUSE)
            self._ended.wait(pause)
            self._given.wait()
        self._send_latest()
        self._done.set()

    def _send_latest(self) -> bool:
        latest = self._latest
        if latest is None:
            return True
        try:
            self._post(build_body(*latest))
        except Exception as error:  # noqa: BLE001  # a courtesy: whatever it is, the training goes on
            self._complain(error)
            return False
        return True

    def _complain(self, error: Exception) -> None:
        if not self._complained:
            self._complained = True
            self._log.warning("progress.not_taken", message=f"{type(error).__name__}: {error}")


def build_body(progress: TrainingProgress, seconds_left: float | None, ended: bool) -> bytes:
    """Return the report; metrics are named as Hugging Face's Trainer names them."""
    figures = {
        "loss": progress.train_loss,
        "eval_loss": progress.eval_loss,
        "current_step": progress.step,
        "total_steps": progress.total_steps,
        "current_epoch": round(progress.epoch, 2),
    }
    status: dict[str, Any] = {
        "lastUpdatedTime": datetime.now(UTC).isoformat(),
        "progressPercentage": 100 if ended else min(progress.percent, _ALMOST),
        "metrics": [{"name": name, "value": str(value)} for name, value in figures.items() if value is not None],
    }
    if seconds_left is not None:
        status["estimatedRemainingSeconds"] = round(seconds_left)
    return json.dumps({"trainerStatus": status}).encode()


@contextmanager
def report_progress(endpoint: ProgressEndpoint | None, log: Log) -> Iterator[Callable[[TrainingProgress], None]]:
    """Give what takes a training's progress; without a place it goes nowhere."""
    if endpoint is None:
        yield lambda progress: None
        return
    reporter = ProgressReporter(endpoint.post, log)
    try:
        yield reporter
    except BaseException:
        reporter.end(well=False)
        raise
    reporter.end(well=True)
