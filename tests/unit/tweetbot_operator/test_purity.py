"""What decides is given the time and never asks for it. That it imports nothing that acts is an import contract."""

import ast
from pathlib import Path

import pytest

import tweetbot_operator

PACKAGE = Path(tweetbot_operator.__file__).parent
PURE = sorted(path for room in ("decisions", "jobs", "types") for path in (PACKAGE / room).glob("*.py"))
#: Methods of datetime and date that read the clock, and builtins that read or write beside the arguments.
IMPURE = {"now", "utcnow", "today", "open", "input", "print"}


def names_of_calls(path: Path) -> set[str]:
    calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    attributes = {call.attr for call in calls if isinstance(call, ast.Attribute)}
    return attributes | {call.id for call in calls if isinstance(call, ast.Name)}


@pytest.mark.parametrize("path", PURE, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_decides_never_asks_for_the_time(path: Path) -> None:
    assert not names_of_calls(path) & IMPURE
