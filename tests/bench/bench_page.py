"""A section of docs/benchmarks.md that a bench's JSON is rendered into, between two marks."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def placed(page: str, name: str, section: str) -> str:
    """Return the page with the section between the marks of that name. Raises ValueError when the page lacks them."""
    begin, end = (f"<!-- {name}: rendered, {which} -->" for which in ("begin", "end"))
    before, found_begin, rest = page.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise ValueError(f"the page needs the lines {begin} and {end}")
    return f"{before}{begin}\n{section}\n{end}{after}"


def render(name: str, rendered: Callable[[Mapping[str, Any]], str]) -> None:
    """Render the run named first on the command line into the page named second."""
    run, page = (Path(argument) for argument in sys.argv[1:3])
    page.write_text(placed(page.read_text(), name, rendered(json.loads(run.read_text()))))
