"""Runs the tests that play rows of the matrix, and takes each for a point."""

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tweetbot_faults.ledger import ROOT
from tweetbot_faults.point import Verdict
from tweetbot_faults.runner import Select
from tweetbot_faults.suite.cases import INTEGRATION, UNIT, Case
from tweetbot_faults.suite.plugin import VARIABLE

TESTS = ROOT / "tests"


@dataclass(frozen=True)
class Test:
    """A test function, with all its cases, that plays a row."""

    row: int
    file: str
    name: str

    @property
    def id(self) -> str:
        return f"suite/{self.row}/{self.file}::{self.name}"

    @property
    def node(self) -> str:
        return f"tests/{self.file}::{self.name}"


def list_tests(cases: Iterable[Case]) -> list[Test]:
    """Return the tests of these cases. Raises LookupError for a case that names none, as after a renaming."""
    tests = []
    for case in cases:
        found = [name for name in _list_functions(TESTS / case.file) if re.search(case.pattern, name)]
        if not found:
            raise LookupError(f"row {case.row}: no test of {case.file} has a name like {case.pattern}")
        tests += [Test(case.row, case.file, name) for name in found]
    return tests


def _list_functions(file: Path) -> list[str]:
    body = ast.parse(file.read_text(encoding="utf-8")).body
    functions = [node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [name for name in functions if name.startswith("test_")]


def play_suite(
    cases: tuple[Case, ...], options: tuple[str, ...], select: Select, seed: int, deadline: float
) -> Iterator[Verdict]:
    """Run the tests by pytest, and yield a verdict for each that ended."""
    tests = list_tests(cases)
    chosen = set(select([test.id for test in tests]))
    wanted = [test for test in tests if test.id in chosen]
    if not wanted:
        return
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        results = Path(folder) / "results"
        results.touch()
        nodes = sorted({test.node for test in wanted})
        command = [sys.executable, "-m", "pytest", "-q", "-p", "tweetbot_faults.suite.plugin", "-p", "no:cacheprovider"]
        environment = os.environ | {VARIABLE: str(results), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen([*command, *options, *nodes], cwd=ROOT, env=environment, stdout=log, stderr=log)
            _await_end(process, deadline)
        lines = [json.loads(line) for line in results.read_text().splitlines()]
    for test in wanted:
        if mine := [line for line in lines if line["test"].partition("[")[0] == test.node]:
            yield _judge(test, mine)


def _await_end(process: subprocess.Popen[bytes], deadline: float) -> None:
    try:
        process.wait(max(deadline - time.monotonic(), 1))
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait(60)


def _judge(test: Test, lines: list[dict[str, object]]) -> Verdict:
    failed = [line for line in lines if not line["passed"]]
    seen = tuple(f"{str(line['test']).rpartition('::')[2]}: {line['why']}"[:400] for line in failed)
    seconds = sum(float(str(line["seconds"])) for line in lines)
    return Verdict(test.id, test.row, "suite", not failed, round(seconds, 3), seen, len(lines))


play_units = partial(play_suite, UNIT, ("-n", "2"))
play_integrations = partial(play_suite, INTEGRATION, ("-n", "2", "--dist", "loadfile", "--integration"))
