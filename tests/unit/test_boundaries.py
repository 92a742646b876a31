"""What the project promises about itself."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pinned(name: str) -> dict[str, str]:
    """Return the distributions that a requirements file pins, by name."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", text, flags=re.MULTILINE))


def pinned_for(half: str) -> dict[str, str]:
    """Return the distributions that are in an image, by name."""
    return pinned(half) | (pinned("torch") if half == "trainer" else {})


def normal(requirement: str) -> str:
    """Return the distribution's name of a requirement, as requirement files spell it."""
    return re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def test_the_operator_image_holds_no_machine_learning() -> None:
    assert {"torch", "transformers", "wandb", "boto3", "tweepy"} & set(pinned("operator")) == set()


def test_the_trainer_image_holds_no_operator_framework() -> None:
    assert {"kopf", "kubernetes"} & set(pinned_for("trainer")) == set()


def test_torch_with_its_libraries_is_pinned_apart() -> None:
    assert "torch" in pinned("torch")
    assert set(pinned("torch")) & set(pinned("trainer")) == set()


@pytest.mark.parametrize("half", ["operator", "trainer"])
def test_requirements_are_in_step_with_the_project(half: str) -> None:
    wanted = PROJECT["project"]["dependencies"] + PROJECT["project"]["optional-dependencies"][half]
    assert {normal(requirement) for requirement in wanted} <= set(pinned_for(half))


def test_what_builds_the_images_is_pinned() -> None:
    assert {normal(requirement) for requirement in PROJECT["dependency-groups"]["images"]} <= set(pinned("images"))


def test_development_has_everything_and_the_images_versions() -> None:
    groups = PROJECT["project"]["optional-dependencies"], {"dev": PROJECT["dependency-groups"]["dev"]}
    wanted = {normal(requirement) for group in groups for names in group.values() for requirement in names}
    assert wanted <= set(pinned("development"))
    for half in ("operator", "trainer"):
        assert set(pinned_for(half).items()) <= set(pinned("development").items())


def test_what_drives_the_browser_is_pinned() -> None:
    assert {normal(requirement) for requirement in PROJECT["dependency-groups"]["browser"]} <= set(pinned("browser"))


def test_what_builds_the_site_is_pinned() -> None:
    assert {normal(requirement) for requirement in PROJECT["dependency-groups"]["docs"]} <= set(pinned("docs"))


def test_the_benchmark_has_its_peers_and_our_versions() -> None:
    assert {normal(requirement) for requirement in PROJECT["dependency-groups"]["bench"]} <= set(pinned("bench"))
    assert set(pinned_for("trainer").items()) <= set(pinned("bench").items())


def test_the_notebook_has_what_it_runs_in_and_our_versions() -> None:
    assert {normal(requirement) for requirement in PROJECT["dependency-groups"]["notebook"]} <= set(pinned("notebook"))
    assert set(pinned_for("trainer").items()) <= set(pinned("notebook").items())


@pytest.mark.parametrize(
    "name",
    ["operator", "trainer", "torch", "images", "development", "bench", "browser", "docs", "notebook", "bootstrap"],
)
def test_every_pin_has_a_hash(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("folder", ["operator", "trainer", "crds", "integrations/kubectl"])
def test_no_folder_shadows_the_standard_library(folder: str) -> None:
    assert not (ROOT / folder / "__init__.py").exists()


def test_operator_is_the_standard_librarys() -> None:
    command = [sys.executable, "-c", "import operator; operator.eq"]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0


FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


@pytest.mark.parametrize("part", ["crds", "operator", "trainer", "charts", "integrations", "tests"])
def test_files_and_functions_keep_their_budget(part: str) -> None:
    for path in sorted((ROOT / part).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, FUNCTION)]
        assert len(text.splitlines()) <= 300 or path.name.startswith("test_"), path  # a list of sentences may be longer
        assert [node.name for node in functions if (node.end_lineno or 0) - node.lineno >= 40] == [], path


def test_nothing_names_this_machine() -> None:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    here = re.compile(r"/work/(main|shared|\.library)|/root/")
    names = [name for name in tracked.split("\0") if name and (ROOT / name).is_file()]
    texts = {name: (ROOT / name).read_bytes().decode("utf-8", "ignore") for name in names}
    assert [name for name, text in texts.items() if here.search(text) and name != "tests/unit/test_boundaries.py"] == []
