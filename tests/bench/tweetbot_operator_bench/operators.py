"""An operator as a process of the bench's own: started, watched from outside by /proc and /metrics, ended."""

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
from tweetbot_operator_bench.arithmetic import last_busy, sample_of

_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE = 300.0
#: An operator is quiet once it has used less than this share of a core for so many seconds.
_CALM_SHARE, _CALM_SECONDS = 0.1, 3.0


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds so far, user and system; resident memory now and at its highest, in MiB."""

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
        """Start it without waiting; answers the moment by the steady clock."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "tweetbot_operator"]
            self._process = subprocess.Popen(command, env=self._env, stderr=log, stdout=log)
        return time.monotonic()

    def wait_until_ready(self) -> None:
        """Wait until it has read the cluster and watches it. Raises RuntimeError if it ends or takes too long."""
        deadline = time.monotonic() + _PATIENCE
        while not self._answers("/readyz"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the operator is not ready: {self.log.read_text()[-2000:]}")
            time.sleep(0.1)

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The running process. Raises LookupError before the start."""
        if self._process is None:
            raise LookupError("the operator was not started")
        return self._process

    def _answers(self, path: str) -> bool:
        try:
            return bool(self._read(path))
        except OSError:
            return False

    def _read(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return str(answer.read().decode())

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples with these labels."""
        return sample_of(self._read("/metrics"), name, **labels)

    @property
    def leads(self) -> bool:
        """Whether it is the replica that acts."""
        try:
            return self.metric("tweetbot_leader") == 1
        except OSError:
            return False

    def usage(self) -> Usage:
        """Read /proc."""
        folder = Path(f"/proc/{self.process.pid}")
        fields = (folder / "stat").read_text(encoding="ascii").rpartition(") ")[2].split()
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        rss, peak = (int(status[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
        return Usage((int(fields[11]) + int(fields[12])) / _TICKS, rss, peak)

    def wait_until_calm(self) -> float:
        """Wait until it does nothing any more; answers the last moment of work by the steady clock."""
        samples = [(time.monotonic(), self.usage().cpu)]
        while True:
            time.sleep(0.25)
            samples.append((time.monotonic(), self.usage().cpu))
            worked = last_busy(samples, _CALM_SHARE) or samples[0][0]
            if samples[-1][0] - worked > _CALM_SECONDS:
                return worked

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)

    def stop(self) -> None:
        """End it in good order, if it runs."""
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
