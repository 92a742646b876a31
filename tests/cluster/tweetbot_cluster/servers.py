"""One server of the cluster: how it is started, and how to see that it serves."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from tweetbot_cluster.processes import ProcessRecord, end, read_record, spawn
from tweetbot_cluster.state import StateFolder


class StartFailed(Exception):
    """A server ended at once or did not become ready in time; the message quotes the end of its log."""


@dataclass(frozen=True, slots=True)
class Server:
    """A named command; `ready` is asked until it says yes, `grace` is how many seconds its end may take."""

    name: str
    command: tuple[str, ...]
    ready: Callable[[], bool]
    env: Mapping[str, str] = field(default_factory=dict)
    grace: float = 10
    patience: float = 60

    def with_flags(self, flags: Mapping[str, str]) -> Server:
        """Return the same with further flags; the last one of a name counts."""
        return replace(self, command=(*self.command, *(f"--{name}={value}" for name, value in flags.items())))

    def start(self, state: StateFolder, base_env: Mapping[str, str]) -> bool:
        """Start the server unless it runs already; answers whether it was started."""
        if running(state, self.name):
            return False
        spawn(self.command, state.pids / self.name, log=state.logs / f"{self.name}.log", env={**base_env, **self.env})
        return True

    def wait(self, state: StateFolder) -> None:
        """Wait until the server is ready. Raises StartFailed if it ends or takes longer than `patience` seconds."""
        deadline = time.monotonic() + self.patience
        while not self.ready():
            record = running(state, self.name)
            if record is None or time.monotonic() > deadline:
                what = "is not ready in time" if record else "ended at once"
                log = state.logs / f"{self.name}.log"
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
                raise StartFailed(f"{self.name} {what}; the end of {log}:\n{tail}")
            record.wait(0.05)


def running(state: StateFolder, name: str) -> ProcessRecord | None:
    """Return the record of a server that runs now, or None."""
    record = read_record(state.pids / name)
    return record if record and record.alive else None


def stop(state: StateFolder, name: str, *, grace: float) -> bool:
    """End the server if it runs and forget it; answers whether it ran."""
    record = running(state, name)
    if record:
        end(record, grace=grace)
    (state.pids / name).unlink(missing_ok=True)
    return record is not None


def answers(url: str) -> bool:
    """Tell whether a server on this machine answers 200; no proxy is asked."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
