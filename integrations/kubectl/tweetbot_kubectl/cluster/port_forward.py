"""A port of a Pod on this machine's loopback, by a kubectl that runs as a child."""

import re
import subprocess
import threading
from collections.abc import Sequence

_FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")
#: Seconds that kubectl has to end before it is killed.
_END_SECONDS = 5


class ForwardFailed(Exception):
    """kubectl ended without forwarding; the message has its words."""


class PortForward:
    """Runs kubectl port-forward, and again when asked to: it ends at the first connection that the Pod refuses."""

    def __init__(self, command: Sequence[str], pod_port: int, local_port: int = 0) -> None:
        """`command` is kubectl with all options but the ports; `local_port` 0 lets it choose."""
        self.local_port = local_port
        self._command, self._pod_port = tuple(command), pod_port
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def alive(self) -> bool:
        """Whether kubectl runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> int:
        """Start kubectl, wait until it listens, and return the local port. Raises ForwardFailed."""
        self.stop()
        self._process = process = subprocess.Popen(
            [*self._command, f"{self.local_port or ''}:{self._pod_port}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # Ctrl-C is ours
        )
        said: list[str] = []
        for line in process.stdout or ():
            if found := _FORWARDING.search(line):
                self.local_port = int(found[1])
                self._reader = threading.Thread(target=_read_to_end, args=(process,), daemon=True)
                self._reader.start()
                return self.local_port
            said.append(line.strip())
        self.stop()
        raise ForwardFailed(" ".join(said) or "kubectl port-forward ended")

    def stop(self) -> None:
        """End kubectl, if it runs."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._reader:
            self._reader.join(_END_SECONDS)
            self._reader = None
        if process.stdout:
            process.stdout.close()


def _read_to_end(process: "subprocess.Popen[str]") -> None:
    """Read what kubectl says of each connection, or it would wait for us."""
    for _ in process.stdout or ():
        pass
