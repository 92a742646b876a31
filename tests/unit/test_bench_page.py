"""Where a bench's figures go on the page."""

import json
import sys
from pathlib import Path

import pytest

from bench_page import insert_section, render_page

PAGE = "before\n<!-- speed: rendered, begin -->\nold\n<!-- speed: rendered, end -->\nafter\n"


def test_a_run_takes_the_place_of_the_former_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, page = tmp_path / "run.json", tmp_path / "page.md"
    run.write_text(json.dumps({"rate": 7}))
    page.write_text(PAGE)
    monkeypatch.setattr(sys, "argv", ["render", str(run), str(page)])
    render_page("speed", lambda figures: f"{figures['rate']} a second")
    assert page.read_text() == PAGE.replace("old", "7 a second")


def test_a_page_without_the_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the lines"):
        insert_section("# Figures\n", "speed", "")
