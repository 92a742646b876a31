"""Two operators with one Lease, each behind a proxy that can hit it right after a write, before it hears of it."""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from cutting_proxy import CuttingProxy
from operator_process import OperatorProcess, until

Blow = Literal["kill", "stop"]


@dataclass(frozen=True)
class Replica:
    """One operator and the proxy before it."""

    process: OperatorProcess
    proxy: CuttingProxy


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

    def until(self, holds: Callable[[], bool], *, down: Replica | None = None) -> None:
        """Wait until something holds; whoever ends meanwhile is started again, as a kubelet does, but for `down`."""

        def looked_after() -> bool:
            for replica in self.replicas:
                if replica is not down and not replica.process.alive:
                    replica.process.start()
            return holds()

        until(looked_after, 300)

    def aim(self, blow: Blow, write: int) -> tuple[Replica, list[float]]:
        """Have the leader hit right after so many further writes; the list gets the moment when that has happened."""
        leading: dict[int, bool] = {}

        def somebody_leads() -> bool:
            leading.update({number: one.process.leads for number, one in enumerate(self.replicas)})
            return any(leading.values())

        self.until(somebody_leads)
        target, hit_at = next(one for number, one in enumerate(self.replicas) if leading[number]), list[float]()

        def hit() -> None:
            (target.process.kill if blow == "kill" else target.process.pause)()
            hit_at.append(time.monotonic())

        target.proxy.cut = hit
        target.proxy.at = len(target.proxy.trace) + write
        return target, hit_at

    def await_successor(self, target: Replica, hit_at: list[float]) -> float:
        """Wait until the other one leads; answers the seconds since the blow."""
        (other,) = (replica for replica in self.replicas if replica is not target)
        self.until(lambda: bool(hit_at) and other.process.leads, down=target)
        return time.monotonic() - hit_at[0]

    def revive(self, target: Replica) -> None:
        """Let what was stopped go on; having lost its lease it ends by itself, and is started again."""
        stopped = target.process.alive
        target.process.resume()
        if stopped:
            until(lambda: not target.process.alive, 300)
        target.process.start()
