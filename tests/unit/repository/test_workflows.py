"""What .github runs is what a person types: each job calls the Makefile, with pinned actions and few rights."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tweetbot_cluster.binaries import MODULES

ROOT = Path(__file__).parents[3]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yaml"))
FILES = [*WORKFLOWS, *sorted((ROOT / ".github" / "actions").glob("*/action.yaml"))]
TARGETS = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
#: One command: make, perhaps as root with the environment of who calls, a target or a job's variable, and variables.
COMMAND = re.compile(r'(?:sudo -E env "PATH=\$PATH" )?make (?P<target>\$[A-Z]+|[a-z0-9-]+)(?: [A-Z]+=[\w.${}#=-]+)*')
#: What a job may be given beyond reading the repository, and by which workflow.
RIGHTS = {
    "release": {"contents", "packages", "id-token", "attestations"},
    "dependencies": {"contents", "pull-requests"},
}
PINNED = re.compile(r"uses: (?:\./\S+|[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$")


def by_name(path: Path) -> str:
    return str(path.relative_to(ROOT / ".github"))


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def iter_jobs(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from read(path)["jobs"].items()


def list_targets(job: dict[str, Any]) -> set[str]:
    """Return the targets that a job calls, with its matrix in place of its variables."""
    matrix = job.get("strategy", {}).get("matrix", {})
    found = set()
    for step in job.get("steps", ()):
        if command := step.get("run"):
            call = COMMAND.fullmatch(command)
            assert call, f"{command}: a job calls one target of the Makefile, and nothing else"
            names = re.findall(r"WHAT=\$WHAT", command) and matrix["what"]
            found |= {call["target"]} if not call["target"].startswith("$") else set(matrix["target"])
            found |= set(names or ())
    return found


@pytest.mark.parametrize("path", WORKFLOWS, ids=by_name)
def test_every_job_calls_targets_that_the_makefile_has(path: Path) -> None:
    called = {target.split()[0] for _, job in iter_jobs(path) for target in list_targets(job)}
    assert called - TARGETS == set()


@pytest.mark.parametrize("path", FILES, ids=by_name)
def test_every_action_is_pinned_by_the_digest_of_a_version(path: Path) -> None:
    uses = re.findall(r"uses: .*", path.read_text(encoding="utf-8"))
    assert [line for line in uses if not PINNED.match(line)] == []


def test_an_action_has_the_same_digest_everywhere() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
    pins = set(re.findall(r"uses: ([\w-]+/[\w-]+)@([0-9a-f]{40})", text))
    assert len(pins) == len({action for action, _ in pins})


@pytest.mark.parametrize("path", WORKFLOWS, ids=by_name)
def test_a_workflow_may_read_and_a_job_of_a_release_little_more(path: Path) -> None:
    assert read(path)["permissions"] == {"contents": "read"}
    given = {right for _, job in iter_jobs(path) for right in job.get("permissions", ())}
    assert given == RIGHTS.get(path.stem, set())


@pytest.mark.parametrize("path", WORKFLOWS, ids=by_name)
def test_a_workflow_neither_waits_behind_itself_nor_runs_for_ever(path: Path) -> None:
    assert "group" in read(path)["concurrency"]
    assert [name for name, job in iter_jobs(path) if "uses" not in job and "timeout-minutes" not in job] == []


def test_a_checkout_leaves_no_key_behind() -> None:
    steps = [step for path in WORKFLOWS for _, job in iter_jobs(path) for step in job.get("steps", ())]
    checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert [step for step in checkouts if step["with"]["persist-credentials"]] == []


def test_changes_are_tested_on_every_kubernetes_that_is_built_here() -> None:
    older = sorted(path.name.removeprefix("kubernetes-") for path in MODULES.glob("kubernetes-1.*"))
    (matrix,) = (job["strategy"]["matrix"]["target"] for _, job in iter_jobs(WORKFLOWS[0]) if "strategy" in job)
    tested = [target.removeprefix("older KUBERNETES=") for target in matrix if target.startswith("older ")]
    assert "integration" in matrix
    assert sorted(tested) == older


def test_a_tag_is_released_only_once_everything_has_passed() -> None:
    jobs = dict(iter_jobs(ROOT / ".github" / "workflows" / "release.yaml"))
    assert jobs["ci"]["uses"] == "./.github/workflows/ci.yaml"
    assert jobs["release"]["needs"] == "ci"
    assert jobs["release"]["environment"] == "release"
    commands = [COMMAND.fullmatch(step["run"]) for step in jobs["release"]["steps"] if "run" in step]
    assert [command and command["target"] for command in commands] == ["release", "publish"]


def test_dependabot_raises_actions_and_leaves_what_make_lock_pins_to_it() -> None:
    updates = read(ROOT / ".github" / "dependabot.yml")["updates"]
    assert [update["package-ecosystem"] for update in updates] == ["github-actions"]
    called = {
        target
        for _, job in iter_jobs(ROOT / ".github" / "workflows" / "dependencies.yaml")
        for target in list_targets(job)
    }
    assert called == {"lock", "check", "unit", "propose"}


def test_the_docs_name_no_target_that_does_not_exist() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").glob("*.md")]
    calls = re.compile(r"(?:`|^(?:\$ )?)make ([a-z][a-z0-9-]*)", re.MULTILINE)
    named = {(page.name, target) for page in pages for target in calls.findall(page.read_text(encoding="utf-8"))}
    assert {(page, target) for page, target in named if target not in TARGETS} == set()
