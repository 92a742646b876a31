"""The figures and the page of `make faults`: complete, well-formed, and honest about what was not played."""

import json
import re
from dataclasses import replace

import pytest

from harness.layout import ROOT
from tweetbot_faults.point import NeverCame, Point, Verdict, Violation
from tweetbot_faults.report import Report, Tooth, compute_bound, render
from tweetbot_faults.rows import ROWS
from tweetbot_faults.runner import play_point

PAGE = ROOT / "docs" / "reliability.md"
KEPT = Verdict("memory/write/succeed/0/409", 16, "memory", True, 0.02)
LOST = Verdict("live/write/fail/1/500", 6, "live", False, 3.0, ("O3: 2 writes after the end", "O1: `x` | y"))
REPORT = Report("abc123", 7, 21.4, 4, (KEPT, LOST), (Tooth("a bug", "O4", ("O2", "O4")), Tooth("other", "O7", ())))


def rows_of(page: str) -> list[list[str]]:
    """Return the cells of the matrix."""
    return [line[2:-2].split(" | ") for line in page.splitlines() if re.match(r"\| \d+ \|", line)]


def test_the_headline_says_all_that_makes_a_figure_worth_something() -> None:
    assert REPORT.headline.startswith("1 of 2 points survived, over 2 faults, 95 % bound")
    assert REPORT.headline.endswith("teeth 1/2; seed 7, commit abc123, 21 min")


def test_without_a_loss_the_bound_is_three_in_n() -> None:
    assert (compute_bound(0, 600), compute_bound(0, 0), compute_bound(0, 2)) == (0.005, 1.0, 1.0)
    assert compute_bound(1, 600) > compute_bound(0, 600)


def test_a_loss_is_listed_with_the_command_that_repeats_it() -> None:
    page = render(REPORT)
    assert '`make faults ARGS="--only live/write/fail/1/500"`' in page
    assert "`O1: 'x' | y`" in page


def test_what_was_not_reached_is_told() -> None:
    assert "2 of the 4 planned points were not reached in time." in render(REPORT)


def test_points_whose_write_never_came_count_as_nothing_and_are_told() -> None:
    page = render(replace(REPORT, never_came=2))
    assert "2 of the 4 planned points played nothing." in page
    assert "not reached in time" not in page
    assert replace(REPORT, never_came=2).is_thin
    assert not REPORT.is_thin


def test_a_point_whose_write_never_came_has_not_been_played() -> None:
    def play() -> list[Violation]:
        raise NeverCame

    verdict = play_point(Point("live/write/fail/9/500", 6, "live", play))
    assert (verdict.played, verdict.seen) == (False, ())
    assert Verdict.from_dict(verdict.to_dict()) == verdict


def test_json_says_what_the_page_says() -> None:
    content = json.loads(REPORT.to_json())
    assert content["headline"] == REPORT.headline
    assert content["rows"]["16"] == {"played": 1, "survived": 1, "levels": {"memory": 1}}
    assert [tooth["caught"] for tooth in content["teeth"]] == [True, False]


@pytest.mark.parametrize("page", [render(REPORT), PAGE.read_text(encoding="utf-8")], ids=["new", "kept"])
def test_a_page_has_every_row_and_says_why_one_was_not_played(page: str) -> None:
    rows = rows_of(page)
    assert [int(row[0]) for row in rows] == [row.number for row in ROWS] == list(range(1, 73))
    assert {len(row) for row in rows} == {6}
    assert [row[0] for row in rows if row[4] == "–" and not row[5]] == []


def test_the_kept_page_says_which_run_it_is_of() -> None:
    figures = r"\d+ of \d+ points survived, over \d+ faults, [^;]+; teeth \d+/\d+"
    assert re.search(rf"^\*\*{figures}; seed \d+, commit [0-9a-f]{{12}}\+?, \d+ min\.\*\*$", PAGE.read_text(), re.M)
