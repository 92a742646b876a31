"""One container as a process under a supervisor, in a folder that an agent started later finds again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from tweetbot_cluster.node.pod.supervisor import KILLED, TIME, Exit, Launch, read_exit
from tweetbot_cluster.processes import read_record, reap, record_of, write_record

PACKAGES = Path(__file__).resolve().parents[3]


class Container:
    """The process of one container; `folder` holds its launch, its records and its exit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def launched(self) -> bool:
        """Whether this or an earlier agent has launched it; it is launched again only after `forget`."""
        return (self.folder / "launch.json").exists()

    def forget(self) -> None:
        """Forget the last run, so that the container can be launched again."""
        for name in ("exit.json", "main", "supervisor", KILLED, "launch.json"):
            (self.folder / name).unlink(missing_ok=True)

    def launch(self, launch: Launch) -> None:
        """Start the supervisor. The launch is on disk first: an agent that dies here does not launch again."""
        launch.write(self.folder / "launch.json")
        command = [sys.executable, "-S", "-m", "tweetbot_cluster.node.pod.supervisor", str(self.folder)]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, env={"PYTHONPATH": str(PACKAGES)}, start_new_session=True
        )
        with contextlib.suppress(ProcessLookupError):
            write_record(self.folder / "supervisor", record_of(process.pid))
        process.returncode = 0  # it outlives us, and the interpreter must not warn of that

    async def started(self) -> Exit | str | None:
        """Wait for the start; answers its time, or how it failed, or None if the supervisor is gone without a word."""
        while True:
            if ended := read_exit(self.folder):
                return ended
            if (file := self.folder / "main").exists():
                return datetime.fromtimestamp(file.stat().st_mtime, UTC).strftime(TIME)
            supervisor = read_record(self.folder / "supervisor")
            if supervisor is None or not supervisor.alive:
                return read_exit(self.folder)
            await asyncio.sleep(0.02)

    async def wait(self) -> Exit | None:
        """Wait for the end; None if the supervisor itself was killed, so that nobody knows the exit code."""
        supervisor = read_record(self.folder / "supervisor")
        if supervisor and supervisor.alive:
            await _end_of(supervisor.pid)
            reap(supervisor.pid)
        if ended := read_exit(self.folder):
            return ended
        self.kill()
        return None

    def terminate(self) -> None:
        """Send SIGTERM to the main process alone, as a container runtime does."""
        record = read_record(self.folder / "main")
        if record and record.alive:
            os.kill(record.pid, signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL to all of the container's processes; one that is just being started does not live either."""
        if self.launched:
            (self.folder / KILLED).touch()
        if record := read_record(self.folder / "main"):
            record.signal_group(signal.SIGKILL)


async def _end_of(pid: int) -> None:
    """Wait for a process that need not be our child, without polling."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
