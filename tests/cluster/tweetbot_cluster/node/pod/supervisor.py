"""The parent of one container's main process, so that its exit code outlives the agent (as containerd's shim does).

Run as `python -S -m tweetbot_cluster.node.supervisor FOLDER`. It reads `launch.json`, writes `supervisor` and `main`
(process records), and when the main process has ended `exit.json`, whole or not at all. It then kills what is left of
the process group: when a container's first process ends, all of its processes end.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tweetbot_cluster.processes import record_of, write_record

TIME = "%Y-%m-%dT%H:%M:%SZ"
KILLED = "killed"  # a file that says that the container shall not live, also when its process has no record yet
NOT_STARTED = 128  # the exit code that container runtimes give to a command that cannot be started


@dataclass(frozen=True, slots=True)
class Launch:
    """What to run: a command with its environment, the folder to run it in and the file for its output."""

    command: tuple[str, ...]
    env: dict[str, str]
    folder: str
    log: str

    def write(self, file: Path) -> None:
        """Write the launch for a supervisor; it holds secrets, so only the owner may read it."""
        file.touch(mode=0o600)
        file.write_text(json.dumps(asdict(self)))


@dataclass(frozen=True, slots=True)
class Exit:
    """How a container ended; `error` says why it could not start, `code` is 128 + n after signal n."""

    code: int
    started_at: str
    finished_at: str
    error: str | None = None


def read_exit(folder: Path) -> Exit | None:
    """Return how the container in this folder ended, or None if no supervisor has said so."""
    try:
        return Exit(**json.loads((folder / "exit.json").read_text()))
    except FileNotFoundError:
        return None


def now() -> str:
    """Return the time as Kubernetes writes it, to the second."""
    return datetime.now(UTC).strftime(TIME)


def supervise(folder: Path) -> None:
    """Run the container of this folder to its end."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    write_record(folder / "supervisor", record_of(os.getpid()))
    launch = Launch(**json.loads((folder / "launch.json").read_text()))
    ended = _run(launch, folder)
    partial = folder / "exit.partial"
    partial.write_text(json.dumps(asdict(ended)))
    partial.replace(folder / "exit.json")


def _run(launch: Launch, folder: Path) -> Exit:
    started = now()
    try:
        with open(launch.log, "ab") as log:
            process = subprocess.Popen(
                launch.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=launch.env, cwd=launch.folder,
                start_new_session=True, preexec_fn=_default_signals,
            )  # fmt: skip
    except OSError as error:
        return Exit(NOT_STARTED, started, now(), f"failed to start the container: {error}")
    try:
        write_record(folder / "main", record_of(process.pid))
        if (folder / KILLED).exists():
            _kill(process)
    except OSError:  # the folder is gone, and with it everybody who could end this process later
        _kill(process)
    code = process.wait()
    _kill(process)
    return Exit(code if code >= 0 else 128 - code, started, now())


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _default_signals() -> None:
    """Undo our own ignoring, which a child would inherit."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


if __name__ == "__main__":
    supervise(Path(sys.argv[1]))
