"""SIGTERM at every stage of a run, and every fault that a run can meet: its exit code and reason, nothing published."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

#: Before torch is loaded: whatever needs shared memory for itself fails from the start.
PROGRAM = """
from tweetbot_fakes.no_room import no_shared_memory
no_shared_memory()
from tweetbot_fakes.interrupted_stages import main
main()
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of every leg; one process loads torch for all of them."""
    command = [sys.executable, "-c", PROGRAM, str(tmp_path_factory.mktemp("interrupted"))]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    content: dict[str, Any] = json.loads(ended.stdout)
    return content


def failed(code: int, reason: str) -> dict[str, Any]:
    return {"code": code, "reason": reason, "published": False}


def test_sigterm_ends_every_stage_and_publishes_nothing_before_the_manifest(told: dict[str, Any]) -> None:
    legs = told["stopped"]["legs"]
    assert list(legs) == [
        "reading",
        "cleaning",
        "writing the dataset",
        "before the record",
        "loading the base",
        "training",
        "evaluation",
        "sampling",
        "writing the report",
        "upload",
        "before the manifest",
        "after the manifest",
    ]
    after = legs.pop("after the manifest")
    assert [leg for leg in legs.values() if leg != failed(143, "Stopped")] == []
    assert after == {"code": 0, "reason": "TrainSucceeded", "published": True}


def test_a_run_stopped_at_every_stage_publishes_the_same_weights(told: dict[str, Any]) -> None:
    assert told["stopped"]["weights"] == told["undisturbed"]


def test_no_stage_needs_shared_memory(told: dict[str, Any]) -> None:
    assert (told["without shared memory"], len(told["undisturbed"])) == (True, 64)


@pytest.mark.parametrize(
    ("fault", "code", "reason"),
    [
        ("one post", 12, "TooFewPosts"),
        ("all posts the same", 12, "TooFewPosts"),
        ("no finite loss", 13, "Diverged"),
        ("a base cut short", 10, "BaseModelRefused"),
        ("a base changed after prepare", 10, "BaseModelRefused"),
        ("a disk of 100000 bytes", 75, "DiskFull"),
        ("a disk of 300000 bytes", 75, "DiskFull"),
        ("a disk of 370000 bytes", 75, "DiskFull"),
    ],
)
def test_a_fault_has_its_exit_code_and_reason_and_publishes_nothing(
    told: dict[str, Any], fault: str, code: int, reason: str
) -> None:
    assert told["faults"][fault] == failed(code, reason)
