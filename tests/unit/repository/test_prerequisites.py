"""What must be there before the first command is one thing in every file."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
PYTHON = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"].lstrip(">=")
MODULES = sorted((ROOT / "tests" / "cluster" / "go").glob("*/go.mod"))
#: The newest Go that one of the cluster's modules asks for, without its patch.
GO = max(
    (re.findall(r"^go (\d+)\.(\d+)", file.read_text(), re.MULTILINE)[0] for file in MODULES),
    key=lambda two: int(two[1]),
)
PAGES = ("README.md", "CONTRIBUTING.md", "docs/tutorial.md", "tests/cluster/README.md")


@pytest.mark.parametrize("page", PAGES)
def test_each_page_that_names_what_is_needed_names_the_same(page: str) -> None:
    text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
    assert set(re.findall(r"Go (\d+\.\d+) or newer", text)) == {".".join(GO)}
    assert set(re.findall(r"Python (\d+\.\d+) or newer", text)) <= {PYTHON}
    assert set(re.findall(r"builds? [^.]*? about (\w+) minutes", text)) | {"ten"} == {"ten"}
    assert re.search(r"about ten minutes", text)


def test_the_programs_say_the_same_as_the_pages() -> None:
    assert f"Python {PYTHON} or newer" in (ROOT / "Makefile").read_text()
    builder = (ROOT / "tests/cluster/tweetbot_cluster/binaries.py").read_text()
    assert set(re.findall(r"Go (\d+\.\d+) or newer", builder)) == {".".join(GO)}
    steps = yaml.safe_load((ROOT / ".github/actions/setup/action.yaml").read_text())["runs"]["steps"]
    given = {key: value for step in steps for key, value in step.get("with", {}).items() if key.endswith("-version")}
    assert given == {"python-version": PYTHON, "go-version": ".".join(GO)}
