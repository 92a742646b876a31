"""An interrupted run goes on where it was, and never mixes what does not belong together."""

from pathlib import Path

import pytest

from tweetbot_faults.ledger import Header, Ledger
from tweetbot_faults.point import Verdict

HEADER = Header("abc123", 7)
VERDICT = Verdict("memory/1", 1, "memory", True, 0.1, faults=2)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file of a run that ended after one verdict."""
    file = tmp_path / "faults" / "state.jsonl"
    Ledger(HEADER, file, resume=False).add(VERDICT, 12.5)
    return file


def test_a_run_that_is_resumed_has_what_was_played(file: Path) -> None:
    ledger = Ledger(HEADER, file, resume=True)
    assert (ledger.verdicts, ledger.seconds) == ({VERDICT.id: VERDICT}, 12.5)
    assert ledger.filter_unplayed(["memory/1", "memory/2"]) == ["memory/2"]


@pytest.mark.parametrize("header", [Header("other", 7), Header("abc123", 8)])
def test_another_commit_or_seed_begins_again(file: Path, header: Header) -> None:
    assert Ledger(header, file, resume=True).verdicts == {}


def test_without_resume_it_begins_again(file: Path) -> None:
    assert Ledger(HEADER, file, resume=False).verdicts == {}


def test_a_line_that_was_cut_by_a_kill_is_left(file: Path) -> None:
    with file.open("a") as lines:
        lines.write('{"id": "memory/2", "row"')
    assert list(Ledger(HEADER, file, resume=True).verdicts) == ["memory/1"]
