"""Renders a bench's JSON into its section of docs/benchmarks.md, between two markers."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def insert_section(page: str, name: str, section: str) -> str:
    """Insert the section between the markers of that name. Raises ValueError if the page lacks them."""
    begin, end = (f"<!-- {name}: rendered, {which} -->" for which in ("begin", "end"))
    before, found_begin, rest = page.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise ValueError(f"the page needs the lines {begin} and {end}")
    return f"{before}{begin}\n{section}\n{end}{after}"


def render_page(name: str, rendered: Callable[[Mapping[str, Any]], str]) -> None:
    """Render the JSON file that is the first argument into the page that is the second."""
    run, page = (Path(argument) for argument in sys.argv[1:3])
    page.write_text(insert_section(page.read_text(), name, rendered(json.loads(run.read_text()))))
