"""The operator, forked from a process that has loaded its libraries, for tests that start it often.

Loading them takes longer than most of these tests' runs. Our own code is loaded after the fork, as in a process of its
own; tests of that process itself, and whatever runs a whole cluster, start the program.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["aiohttp.web", "kopf", "kubernetes.aio.client", "prometheus_client", "pydantic"])


class ForkedOperator:
    """What `subprocess.Popen` offers of a process: `poll`, `send_signal` and `wait`."""

    def __init__(self, env: Mapping[str, str], log: Path) -> None:
        self._process = _FORKS.Process(target=_operate, args=(dict(env), log))
        self._process.start()

    def poll(self) -> int | None:
        """Return the exit code, below 0 after a signal, or None while it runs."""
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens if it has ended."""
        if self.poll() is None and self._process.pid:
            os.kill(self._process.pid, number)

    def wait(self, seconds: float) -> int:
        """Wait for the end; answers the exit code. Raises TimeoutError."""
        self._process.join(seconds)
        code = self.poll()
        if code is None:
            raise TimeoutError(f"the operator did not end within {seconds} s")
        return code


def _operate(env: dict[str, str], log: Path) -> None:
    """Be the program in this environment."""
    os.environ.clear()
    os.environ.update(env)
    with log.open("ab") as output:
        os.dup2(output.fileno(), sys.stdout.fileno())
        os.dup2(output.fileno(), sys.stderr.fileno())
    from kubernetes.aio.config import kube_config

    from harness.hasty_operator import main

    kube_config.KUBE_CONFIG_DEFAULT_LOCATION = env["KUBECONFIG"]  # read from the environment before the fork
    sys.exit(main())
