"""How far a stage is, kept in memory and served at GET /progress on a thread that no stage waits for."""

import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

from tweetbot_contract.handover import RunDocument
from tweetbot_contract.progress import (
    LONGEST_ETA,
    PROGRESS_PATH,
    PROGRESS_PORT,
    WAITING_MESSAGE_LIMIT,
    ProgressReport,
    Waiting,
)
from tweetbot_trainer.runtime.log import Log

#: Seconds that a client may stay silent before its connection is closed.
_SILENCE = 2.0
#: Seconds after which a request without an answer is a wait; a busy server takes less.
SILENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Wait:
    """What a thread waits for. Times are in seconds of time.time()."""

    reason: str
    message: str
    since: float
    shown_at: float
    beside: bool

    def build_part(self) -> Waiting:
        """Return it as a part of the report. Raises ValueError."""
        since = datetime.fromtimestamp(self.since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        message = self.message[:WAITING_MESSAGE_LIMIT]
        return Waiting(reason=self.reason, message=message, since=since, beside=self.beside)


class StageProgress:
    """How far a stage is and what it waits for. What the stage writes is checked where the server reads it."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._figures: dict[str, Any] = {}
        self._waits: dict[int, _Wait] = {}
        self._tracking: str | None = None
        self._lock, self._now = threading.Lock(), now

    def update(self, **figures: float | None) -> None:
        """Replace the figures, named as the fields of ProgressReport."""
        self._figures = figures

    def note_degraded_tracking(self, message: str) -> None:
        """Note why tracking does less than the spec asks for."""
        self._tracking = message[:WAITING_MESSAGE_LIMIT]

    def begin_request(self, reason: str, message: str, *, beside: bool = False) -> None:
        """Note a request that this thread sends; it is a wait if no answer comes for SILENCE_SECONDS."""
        self._note(reason, message, SILENCE_SECONDS, beside)

    def begin_wait(self, reason: str, message: str, *, beside: bool = False) -> None:
        """Note what this thread waits for, since the first call of this or `begin_request` until `end_wait`.

        `beside` says that the stage goes on meanwhile.
        """
        self._note(reason, message, 0, beside)

    def _note(self, reason: str, message: str, seconds: float, beside: bool) -> None:
        thread, now = threading.get_ident(), self._now()
        with self._lock:
            known = self._waits.get(thread)
            shown_at = min(known.shown_at, now + seconds) if known else now + seconds
            self._waits[thread] = _Wait(reason, message, known.since if known else now, shown_at, beside)

    def end_wait(self) -> None:
        """Note that this thread waits no longer; it need not have waited."""
        with self._lock:
            self._waits.pop(threading.get_ident(), None)

    def build_report(self, run: RunDocument, pod_uid: str) -> ProgressReport:
        """Return the current report. Of several waits it names the oldest that holds up the stage, else the oldest.

        Raises ValueError, OverflowError.
        """
        now = self._now()
        with self._lock:
            waits = [wait for wait in self._waits.values() if wait.shown_at <= now]
        first = min(waits, key=lambda wait: (wait.beside, wait.since), default=None)
        waiting = first.build_part() if first else None
        fields = {**self._figures, "run_id": run.run_id, "stage": run.stage, "pod_uid": pod_uid, "waiting": waiting}
        fields["tracking_degraded"] = self._tracking
        if (eta := fields.get("eta_seconds")) is not None:
            fields["eta_seconds"] = min(max(round(eta), 0), LONGEST_ETA)
        return ProgressReport.model_validate(fields)


@contextmanager
def serve_progress(progress: StageProgress, run: RunDocument, pod_uid: str, pod_ip: str, log: Log) -> Iterator[None]:
    """Answer GET /progress at the Pod's address meanwhile. Nobody asks outside a Pod, so nothing is served there.

    A stage whose address or port cannot be had goes on unseen.
    """
    if not pod_ip:
        yield
        return
    stop = threading.Event()
    try:
        server = Server((pod_ip, PROGRESS_PORT), lambda: progress.build_report(run, pod_uid).encode())
        threading.Thread(target=server.serve_until, args=(stop,), name="progress", daemon=True).start()
    except (OSError, RuntimeError) as error:  # no address, or no thread
        log.warning("progress.not_served", message=f"{type(error).__name__}: {error}")
    try:
        yield
    finally:
        stop.set()


class Server(socketserver.TCPServer):
    """One request after the other; http.server's own HTTPServer would ask DNS for its name first."""

    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], build_body: Callable[[], bytes]) -> None:
        """`build_body` is called for each answer. Raises OSError when the address cannot be had."""
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.build_body = build_body
        super().__init__(address, _Handler)

    def serve_until(self, stop: threading.Event) -> None:
        """Answer until `stop` is set, which is seen within a second; nobody waits for that."""
        self.timeout = 1.0
        with self:
            while not stop.is_set():
                self.handle_request()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away: stderr carries the stage's events."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = _SILENCE

    def do_GET(self) -> None:
        """Answer with the report."""
        if self.path != PROGRESS_PATH:
            self.send_error(404)
            return
        body = self.server.build_body()
        self.send_response_only(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""
