"""The files for people agree with each other, with the code and with the versions."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tweetbot_cluster.binaries import MODULES, kubernetes_version

ROOT = Path(__file__).parents[3]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
CHART: dict[str, Any] = yaml.safe_load((ROOT / "charts/tweetbot-operator/Chart.yaml").read_text(encoding="utf-8"))
FILES = ("ADOPTERS", "CODE_OF_CONDUCT", "CONTRIBUTING", "GOVERNANCE", "MAINTAINERS", "ROADMAP", "SECURITY", "SUPPORT")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FILES)
def test_the_readme_leads_to_every_file_for_people(name: str) -> None:
    assert f"({name}.md" in read("README.md")


def test_the_newest_version_is_supported_on_what_is_tested_and_on_what_the_chart_takes() -> None:
    rows = re.findall(r"^\| (\d+\.\d+) \| ([\d.]+) and newer \| ([^|]+) \|", read("SUPPORT.md"), flags=re.MULTILINE)
    newest, oldest, tested = rows[0]
    assert newest == VERSION.rpartition(".")[0]
    assert CHART["kubeVersion"] == f">={oldest}.0-0"
    built = {kubernetes_version(path.name) for path in MODULES.glob("kubernetes*")}
    assert tested.split(", ") == sorted({version.lstrip("v").rpartition(".")[0] for version in built})


def test_security_promises_what_support_does() -> None:
    for page in ("SECURITY.md", "SUPPORT.md"):
        assert "three months after the newest came" in re.sub(r"\s+", " ", read(page))


def test_what_support_calls_experimental_is_a_field() -> None:
    (line,) = (line for line in read("SUPPORT.md").splitlines() if "experimental" in line)
    reference = read("docs/api-reference.md")
    fields = re.findall(r"`([^`]+)`", line.split("|")[1])
    assert fields
    assert [field for field in fields if f"| `{field}` |" not in reference] == []


def test_the_charts_page_on_artifact_hub_says_what_there_is() -> None:
    notes = {key.removeprefix("artifacthub.io/"): value for key, value in CHART["annotations"].items()}
    assert [image["image"].split("@")[0].rpartition(":")[2] for image in yaml.safe_load(notes["images"])] == [
        VERSION
    ] * 2
    crds = {path.stem for path in (ROOT / "crds").glob("*.tweetbot.dev.yaml")}
    assert {crd["name"] for crd in yaml.safe_load(notes["crds"])} == crds
    assert {change["kind"] for change in yaml.safe_load(notes["changes"])} <= {
        "added",
        "changed",
        "fixed",
        "removed",
        "security",
    }
    assert all(
        each["url"].startswith("https://artifacthub.io/packages/") for each in yaml.safe_load(notes["recommendations"])
    )


@pytest.mark.parametrize("name", ["charts/artifacthub-repo.yml", "integrations/kubectl/krew.yaml"])
def test_a_template_explains_each_of_its_blanks(name: str) -> None:
    text = read(name)
    said = set(re.findall(r"^#\s+(<[A-Z0-9]+>)", text, flags=re.MULTILINE))
    assert said == set(re.findall(r"<[A-Z0-9]+>", re.sub(r"#.*", "", text)))


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml")), ids=lambda path: path.stem
)
def test_an_issues_form_asks_for_something(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= set(form)
    assert any(part.get("validations", {}).get("required") for part in form["body"])
