"""The pure middle: what decides imports no client, no clock and no kopf, and knows nothing of the thin edge."""

import ast
from pathlib import Path

import pytest

import tweetbot_operator

PACKAGE = Path(tweetbot_operator.__file__).parent
PURE = sorted(
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    for room in ("decisions", "jobs", "types")
    for path in (PACKAGE / room).glob("*.py")
)
ALLOWED = {
    "collections.abc", "dataclasses", "datetime", "functools", "hashlib", "json", "math", "pydantic",
    "pydantic.alias_generators", "re", "typing", "cronsim", "zoneinfo", "tweetbot_contract",
}  # fmt: skip


def imports_of(module: str) -> set[str]:
    tree = ast.parse((PACKAGE / f"{module.replace('.', '/')}.py").read_text())
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


@pytest.mark.parametrize("module", PURE)
def test_what_decides_imports_only_what_cannot_act(module: str) -> None:
    ours = {f"tweetbot_operator.{name}" for name in [*PURE, "settings"]}
    foreign = {
        name for name in imports_of(module) if name not in ours and name.split(".")[0] not in {"tweetbot_contract"}
    }
    assert foreign <= ALLOWED


@pytest.mark.parametrize("module", PURE)
def test_what_decides_never_asks_for_the_time(module: str) -> None:
    source = (PACKAGE / f"{module.replace('.', '/')}.py").read_text()
    assert "now()" not in source
    assert "utcnow" not in source
