"""Processes that outlive the program that started them, known by pid and start time.

A pid alone is no name: the system gives it to somebody else once its process has ended. The pair of pid and
start time (in clock ticks since boot, field 22 of `/proc/<pid>/stat`, proc(5)) with the boot's id is one.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """One process that was started: `ticks` is its start time since boot, `boot` the boot's id."""

    pid: int
    ticks: int
    boot: str

    @property
    def alive(self) -> bool:
        """Whether this very process still runs; a zombie does not."""
        return _stat(self.pid) == (self.ticks, True) and boot_id() == self.boot

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to the process group that this process leads; nothing happens if it has ended."""
        if self.alive:
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                return

    def wait(self, seconds: float | None) -> bool:
        """Wait for the end without polling, for ever without a limit; answers whether it came in time."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            if not self.alive:
                return True
            return bool(select.select([descriptor], [], [], seconds)[0])
        finally:
            os.close(descriptor)


def record_of(pid: int) -> ProcessRecord:
    """Return the record of a running process. Raises ProcessLookupError if there is none."""
    stat = _stat(pid)
    if stat is None:
        raise ProcessLookupError(f"no process {pid}")
    return ProcessRecord(pid, stat[0], boot_id())


def boot_id() -> str:
    """Return the id of this boot of the machine: start times of another boot mean nothing."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def write_record(file: Path, record: ProcessRecord) -> None:
    """Write the record whole or not at all."""
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.write_text(json.dumps(asdict(record)))
    partial.replace(file)


def read_record(file: Path) -> ProcessRecord | None:
    """Return what `write_record` wrote, or None if the file is missing or cut off."""
    try:
        return ProcessRecord(**json.loads(file.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def spawn(command: Sequence[str], file: Path, *, log: Path, env: Mapping[str, str]) -> ProcessRecord:
    """Start a process as leader of its own session and record it in `file`; its output is appended to `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=dict(env), start_new_session=True
        )
    record = record_of(process.pid)
    write_record(file, record)
    process.returncode = 0  # ours no longer: it lives on after us, and the interpreter must not warn of that
    return record


def end(record: ProcessRecord, *, grace: float) -> None:
    """End the process and its group: SIGTERM, then SIGKILL after `grace` seconds. Reaps it if it is our child."""
    record.signal_group(signal.SIGTERM)
    if not record.wait(grace):
        record.signal_group(signal.SIGKILL)
        record.wait(10)
    reap(record.pid)


def reap(pid: int) -> None:
    """Take the exit status of a child that has ended, so that it leaves no zombie; other processes are not ours."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def _stat(pid: int) -> tuple[int, bool] | None:
    """Return (start ticks, whether it runs), or None if there is no such process."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()  # the name in parentheses may itself hold spaces and parentheses
    return int(fields[19]), fields[0] not in "ZX"
