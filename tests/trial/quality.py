"""The standing set: made-up accounts of real shapes, read and cleaned, compared with the figures accepted last.

    python -m trial.quality [--accept]        with PYTHONPATH=tests and that of the Makefile

Prints the figures as JSON and as a table, and fails where they differ from figures.json. `--accept` writes them there
and into docs/cleaning.md, with what prepare costs on this machine.
"""

import argparse
import difflib
import json
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bench_page import insert_section
from trial.accounts import ACCOUNTS
from trial.figures import measure_all
from trial.machine import measure_machine

ACCEPTED = Path(__file__).with_name("figures.json")
PAGE = Path(__file__).parents[2] / "docs/cleaning.md"
SECTION = "standing set"
_COLUMNS = {
    "account": "---",
    "claimed": "---:",
    "read": "---:",
    "left out or dropped": "---",
    "kept": "---:",
    "names, before → after": "---:",
    "others' names": "---:",
    "links' remains": "---:",
    "others' words": "---:",
    "cut": "---:",
}


def render_table(accounts: Mapping[str, Any]) -> str:
    """Render the figures as a table in Markdown."""
    rows = (_COLUMNS, _COLUMNS.values(), *(_list_cells(name, one) for name, one in accounts.items()))
    return "\n".join(_join_cells(row) for row in rows)


def _list_cells(name: str, one: Mapping[str, Any]) -> tuple[object, ...]:
    reasons = ", ".join(f"{reason} {count}" for reason, count in one["reasons"].items()) or "–"
    shares = (f"{one[key]:g} %" for key in ("persons", "remains", "others"))
    names = f"{one['namesInSource']:g} → {one['names']:g} %"
    claimed = "–" if one["claimed"] is None else one["claimed"]
    return f"{ACCOUNTS[name].about} (`{name}`)", claimed, one["read"], reasons, one["kept"], names, *shares, one["cut"]


def _join_cells(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def render_section(found: Mapping[str, Any]) -> str:
    """Render the section of the docs."""
    machine = found["machine"]
    kinds = ((machine["archived"], "archived posts"), (machine["many"], "posts of a file"))
    costs = " and ".join(f"{_render_costs(one)} for {one['downloaded']:,} {kind}" for one, kind in kinds)
    return f"{render_table(found['accounts'])}\n\nOn a busy machine, a whole prepare took {costs}."


def _render_costs(one: Mapping[str, Any]) -> str:
    return f"{one['cpuSeconds']} s of CPU and at most {one['peakMiB']} MiB"


def compare(accounts: Mapping[str, Any], accepted: Mapping[str, Any]) -> str:
    """Return what differs from the accepted figures, as a diff of their tables; empty if nothing does."""
    before, after = (json.dumps(one, indent=1).splitlines() for one in (accepted, accounts))
    return "\n".join(difflib.unified_diff(before, after, "accepted", "now", n=3, lineterm=""))


def accept(found: Mapping[str, Any]) -> None:
    """Write the figures into the file and the docs."""
    ACCEPTED.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(insert_section(page, SECTION, render_section(found)), encoding="utf-8")


def read_accepted() -> dict[str, Any]:
    """Return the accepted figures, empty ones before the first."""
    found: dict[str, Any] = {"accounts": {}}
    return json.loads(ACCEPTED.read_text(encoding="utf-8")) if ACCEPTED.exists() else found


def main() -> None:
    """Measure, print, and accept or compare. Exits with 1 where the figures differ."""
    parser = argparse.ArgumentParser(description="Measure the standing set.")
    parser.add_argument(
        "--accept", action="store_true", help="write the figures into figures.json and docs/cleaning.md"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = {"accounts": measure_all(), "machine": measure_machine(Path(folder))}
    print(json.dumps(found, indent=1), render_section(found), sep="\n\n")
    if arguments.accept:
        accept(found)
    elif difference := compare(found["accounts"], read_accepted()["accounts"]):
        sys.exit(
            f"\nThe figures differ from the accepted ones. If that is meant: make trial ARGS=--accept\n{difference}"
        )


if __name__ == "__main__":
    main()
