"""The operator as a child process: started, measured by /proc and /metrics, ended."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tweetbot_cluster.state import free_ports
from tweetbot_operator_bench.arithmetic import find_last_busy, sum_samples

_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
_TICKS = os.sysconf("SC_CLK_TCK")
_TIMEOUT = 300.0
#: An operator is idle once it has used less than this share of a core for this many seconds.
_IDLE_SHARE, _IDLE_SECONDS = 0.1, 3.0


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds so far, user and system; resident memory now and at its peak, in MiB."""

    cpu: float
    rss_mib: float
    peak_mib: float


class Operator:
    """`python -m tweetbot_operator`; as a context manager it is ready inside and ended after."""

    def __init__(self, kubeconfig: Path, log: Path, env: Mapping[str, str] | None = None) -> None:
        (self.port,) = free_ports(1)
        self.log = log
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        own = {"KUBECONFIG": str(kubeconfig), "TWEETBOT_HTTP_HOST": "127.0.0.1", "TWEETBOT_HTTP_PORT": str(self.port)}
        self._env = {**kept, **own, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it without waiting; return the moment by the monotonic clock."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "tweetbot_operator"]
            self._process = subprocess.Popen(command, env=self._env, stderr=log, stdout=log)
        return time.monotonic()

    def wait_until_ready(self) -> None:
        """Wait until it has listed and watches the cluster. Raises RuntimeError if it ends or takes too long."""
        deadline = time.monotonic() + _TIMEOUT
        while not self._is_answering("/readyz"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the operator is not ready: {self.log.read_text()[-2000:]}")
            time.sleep(0.1)

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The running process. Raises LookupError before the start."""
        if self._process is None:
            raise LookupError("the operator was not started")
        return self._process

    def _is_answering(self, path: str) -> bool:
        try:
            return bool(self._read(path))
        except OSError:
            return False

    def _read(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return str(answer.read().decode())

    def read_metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples with these labels."""
        return sum_samples(self._read("/metrics"), name, **labels)

    def count_series(self, name: str) -> int:
        """Return how many series a metric has."""
        return sum(line.startswith(f"{name}{{") for line in self._read("/metrics").splitlines())

    @property
    def is_leader(self) -> bool:
        """Tell whether it is the leader."""
        try:
            return self.read_metric("tweetbot_leader") == 1
        except OSError:
            return False

    def read_usage(self) -> Usage:
        """Read /proc."""
        folder = Path(f"/proc/{self.process.pid}")
        fields = (folder / "stat").read_text(encoding="ascii").rpartition(") ")[2].split()
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        rss, peak = (int(status[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
        return Usage((int(fields[11]) + int(fields[12])) / _TICKS, rss, peak)

    def wait_until_idle(self) -> float:
        """Wait until it is idle; return the last moment of work by the monotonic clock."""
        samples = [(time.monotonic(), self.read_usage().cpu)]
        while True:
            time.sleep(0.25)
            samples.append((time.monotonic(), self.read_usage().cpu))
            worked = find_last_busy(samples, _IDLE_SHARE) or samples[0][0]
            if samples[-1][0] - worked > _IDLE_SECONDS:
                return worked

    def kill(self) -> None:
        """Kill it, as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)

    def stop(self) -> None:
        """Terminate it, if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(60)

    def __enter__(self) -> Self:
        self.start()
        self.wait_until_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
