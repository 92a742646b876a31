"""Play mutants, each in a forked process that has the libraries already, a few at a time."""

import contextlib
import importlib
import os
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tweetbot_mutants.calls import read_calls
from tweetbot_mutants.child import list_preloads, measure, play
from tweetbot_mutants.mutations import Mutant, compile_mutant
from tweetbot_mutants.targets import Target

#: Before a mutant counts as one that hangs: some of the time of its tests, and more for a busy machine.
_LEAST_SECONDS, _TIMES = 10.0, 4.0
#: Within it the tests must pass on the module itself.
_MEASURING_SECONDS = 600
#: Exit codes: pytest's for no tests, and ours for a process that did not come to run them.
_FAULT = 70
_BROKEN = (5, _FAULT)


@dataclass(frozen=True)
class Outcome:
    """Whether the tests noticed, and by which test; that is empty where the module did not load, or hung."""

    killed: bool
    by: str = ""


@dataclass
class _Process:
    pid: int
    scratch: Path
    deadline: float


class TestsFail(Exception):
    """The tests fail on the module as it is, so they say nothing about mutants."""


class Player:
    """Plays the mutants of one module, after its tests have passed on the module itself."""

    def __init__(self, target: Target, jobs: int) -> None:
        self._target, self._jobs = target, jobs
        self._source = target.path.read_text()
        self._killers: list[str] = []
        self._scratch = Path(tempfile.mkdtemp(prefix="mutants-"))

    def play(self, mutants: list[Mutant]) -> Iterator[tuple[Mutant, Outcome]]:
        """Yield each mutant's outcome as it comes. Raises TestsFail."""
        try:
            self._warm_up()
            calls = self._measure()
            waiting, running = list(reversed(mutants)), list[tuple[Mutant, _Process]]()
            while waiting or running:
                while waiting and len(running) < self._jobs:
                    mutant = waiting.pop()
                    # Python shows no tracer what an audit hook calls.
                    tests = calls.get(mutant.function) or calls[""]
                    running.append((mutant, self._start(mutant, tests)))
                time.sleep(0.02)
                for mutant, process in [*running]:
                    if (outcome := self._check(process)) is not None:
                        running.remove((mutant, process))
                        yield mutant, outcome
        finally:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _warm_up(self) -> None:
        """Import what the tests need, and nothing that imports the module: a fork would keep it as it is."""
        names = self._scratch / "preloads"
        pid = fork(lambda: names.write_text("\n".join(list_preloads(self._target, self._scratch))) and 0)
        os.waitpid(pid, 0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name in names.read_text().split():
                with contextlib.suppress(Exception):  # a library's optional part; the tests import what they need
                    importlib.import_module(name)
        if self._target.module in sys.modules:
            raise TestsFail(f"{self._target.module} is loaded already, so that no mutant would take its place")

    def _measure(self) -> dict[str, dict[str, float]]:
        """Run the tests on the module as it is; returns for each function the tests that call it, with seconds."""
        target, scratch = self._target, self._scratch
        pid = fork(lambda: measure(target.path, target.test_files, scratch))
        process = _Process(pid, scratch, time.monotonic() + _MEASURING_SECONDS)
        while (outcome := self._check(process)) is None:
            time.sleep(0.02)
        if outcome.killed:
            raise TestsFail(f"the tests of {target.module} fail on the module as it is: {outcome.by}")
        return read_calls(scratch / "calls")

    def _start(self, mutant: Mutant, seconds: Mapping[str, float]) -> _Process:
        """Begin with the tests that noticed the last faults, then the fastest."""
        scratch = Path(tempfile.mkdtemp(dir=self._scratch))
        target, source = self._target, self._source
        tests = [*dict.fromkeys([*(test for test in self._killers if test in seconds), *seconds])]

        def run() -> int:
            return play(target.module, compile_mutant(source, mutant, str(target.path)), tests, scratch)

        limit = _LEAST_SECONDS + _TIMES * sum(seconds.values())
        return _Process(fork(run), scratch, time.monotonic() + limit)

    def _check(self, process: _Process) -> Outcome | None:
        """Return the outcome of a process that has ended, or that must end now; None while it may run."""
        pid, status = os.waitpid(process.pid, os.WNOHANG)
        if not pid and time.monotonic() < process.deadline:
            return None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if not pid:
            os.waitpid(process.pid, 0)
        killer = process.scratch / "killer"
        by = killer.read_text() if killer.exists() else ""
        if process.scratch != self._scratch:
            shutil.rmtree(process.scratch, ignore_errors=True)
        if by:
            self._killers = [by, *(each for each in self._killers if each != by)]
        if pid and os.waitstatus_to_exitcode(status) in _BROKEN:
            raise TestsFail(f"no test of {self._target.module} was run; see pytest by hand")
        return Outcome(not (pid and status == 0), by)


def fork(run: Callable[[], int]) -> int:
    """Run a function in a silent process group of its own; its answer is the exit code."""
    pid = os.fork()
    if pid:
        return pid
    code = _FAULT
    try:
        os.setsid()
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        code = run()
    finally:
        os._exit(code)
