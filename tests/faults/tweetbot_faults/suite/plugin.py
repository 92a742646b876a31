"""A plugin of pytest: writes how each test ended, one a line, as soon as that is known."""

import json
import os
from pathlib import Path

import pytest

#: The variable with the file that is written to.
VARIABLE = "FAULTS_RESULTS"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Write one line per call, and one per set-up that failed; of workers, only what reaches the controller counts."""
    if "PYTEST_XDIST_WORKER" in os.environ or not (report.when == "call" or report.failed):
        return
    line = {
        "test": report.nodeid,
        "passed": report.passed,
        "seconds": report.duration,
        "why": report.longreprtext[-300:],
    }
    with Path(os.environ[VARIABLE]).open("a") as file:
        file.write(json.dumps(line) + "\n")
