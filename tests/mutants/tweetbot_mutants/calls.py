"""Which tests call which function of the module, and how long each takes: a mutant's tests are those, fastest first."""

import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest


class CallRecorder:
    """Notes the functions of one file that each test calls.

    What fixtures call counts for all tests of the file, as some of them outlive a test; what is called while tests are
    collected counts for all.
    """

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._called: dict[str, set[str]] = defaultdict(set)
        self._seconds: dict[str, float] = {}
        self._files: dict[str, str] = {}
        self._where = ""
        self._began = 0.0

    def start(self) -> None:
        """Begin to listen, in this thread and those that it starts."""
        threading.settrace(self._note)
        sys.settrace(self._note)

    def _note(self, frame: FrameType, event: str, argument: object) -> None:
        """Note a call; as nothing is returned, nothing else of it is traced."""
        code = frame.f_code
        if code.co_filename == self._path:
            self._called[self._where].add(code.co_qualname.replace(".<locals>", ""))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._where = self._files[item.nodeid] = str(item.path)
        self._began = time.monotonic()
        try:
            return (yield)
        finally:
            self._seconds[item.nodeid] = time.monotonic() - self._began

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        self._where = item.nodeid
        try:
            return (yield)
        finally:
            self._where = str(item.path)

    def write(self, file: Path) -> None:
        """Write {function: {test: seconds}}, the fastest test first; the name of no function stands for all tests."""
        tests: dict[str, dict[str, float]] = defaultdict(dict)
        for test, seconds in sorted(self._seconds.items(), key=lambda pair: pair[1]):
            places = ("", self._files[test], test)
            for name in {""}.union(*(self._called.get(place, set()) for place in places)):
                tests[name][test] = round(seconds, 3)
        file.write_text(json.dumps(tests))


def read_calls(file: Path) -> dict[str, dict[str, float]]:
    """Return {function: {test: seconds}}, as `CallRecorder.write` has it."""
    return {str(name): dict(tests) for name, tests in json.loads(file.read_text()).items()}
