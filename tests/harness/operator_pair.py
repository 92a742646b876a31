"""Two operators with one Lease, each behind a proxy that can hit it right after a write, before it hears of it."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from harness.cutting_proxy import CuttingProxy
from harness.operator_process import OperatorProcess, until

Blow = Literal["kill", "stop"]


@dataclass(frozen=True)
class Replica:
    """One operator and the proxy before it."""

    process: OperatorProcess
    proxy: CuttingProxy


@dataclass(frozen=True)
class Hit:
    """Who was hit, and when, in seconds of the steady clock."""

    replica: Replica
    at: float


class OperatorPair:
    """As a context manager: both are ready inside, one of them leads, and both are ended after."""

    def __init__(self, kubeconfig: Path, folder: Path, env: Mapping[str, str]) -> None:
        self._kubeconfig, self._folder, self._env = kubeconfig, folder, dict(env)
        self._stack = ExitStack()
        self.replicas: list[Replica] = []

    def __enter__(self) -> Self:
        for name in ("first", "second"):
            home = self._folder / name
            home.mkdir()
            proxy = self._stack.enter_context(CuttingProxy(self._kubeconfig, home))
            process = self._stack.enter_context(OperatorProcess(proxy.kubeconfig, home / "log", self._env))
            self.replicas.append(Replica(process, proxy))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, traceback)

    def until(self, holds: Callable[[], bool], *, down: Sequence[Hit] = ()) -> None:
        """Wait until something holds; one that ends meanwhile is restarted, as by a kubelet, except `down`."""

        def looked_after() -> bool:
            for replica in self.replicas:
                if replica not in [hit.replica for hit in down] and not replica.process.alive:
                    replica.process.start()
            return holds()

        until(looked_after, 300)

    def aim(self, blow: Blow, write: int) -> list[Hit]:
        """Hit the leader right after this many further writes; the list gets the hit once it has happened.

        On a busy machine a Lease of two seconds may change hands before, so both are aimed at.
        """
        self.until(lambda: any([replica.process.leads for replica in self.replicas]))
        hits: list[Hit] = []

        def strike(replica: Replica) -> None:
            for each in self.replicas:
                each.proxy.at = None
            hits.append(Hit(replica, time.monotonic()))
            (replica.process.kill if blow == "kill" else replica.process.pause)()

        for replica in self.replicas:
            replica.proxy.cut = partial(strike, replica)
            replica.proxy.at = len(replica.proxy.trace) + write
        return hits

    def await_successor(self, hits: list[Hit]) -> tuple[Hit, float]:
        """Wait until one is hit and the other leads; answers the hit, and the seconds since then."""
        self.until(lambda: bool(hits), down=hits)
        (other,) = (replica for replica in self.replicas if replica is not hits[0].replica)
        self.until(lambda: other.process.leads, down=hits)
        return hits[0], time.monotonic() - hits[0].at

    def revive(self, target: Replica) -> None:
        """Let what was stopped go on; having lost its lease it ends by itself, and is started again."""
        stopped = target.process.alive
        target.process.resume()
        if stopped:
            until(lambda: not target.process.alive, 300)
        target.process.start()
