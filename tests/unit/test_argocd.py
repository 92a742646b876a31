"""Argo CD's own tests of a resource customization, run as Argo CD runs them: its Lua, its formats, real resources."""

import re
from copy import deepcopy
from typing import Any

import pytest
import yaml

from builders.manifests import a_manifest
from harness.lua_checks import FOLDER, health_of, run
from tweetbot_contract.handover import RETRAIN_ANNOTATION

HEALTH = yaml.safe_load((FOLDER / "health_test.yaml").read_text())["tests"]
ACTIONS = yaml.safe_load((FOLDER / "actions" / "action_test.yaml").read_text())
#: Argo CD's tests put this in place of what an action took from the clock.
NO_TIME = "0001-01-01T00:00:00Z"


def resource(path: str, folder: str = ".") -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / folder / path).read_text(encoding="utf-8"))
    return found


def without_empty(value: Any) -> Any:
    """Return a resource without empty maps and lists: Lua has one kind of table for both."""
    if isinstance(value, dict):
        return {key: kept for key, each in value.items() if (kept := without_empty(each)) not in ({}, [])}
    return [without_empty(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("test", HEALTH, ids=lambda test: str(test["inputPath"]))
def test_a_resource_is_as_healthy_as_the_table_says(test: dict[str, Any]) -> None:
    expected = test["healthStatus"]
    assert health_of(resource(test["inputPath"])) == (expected["status"], expected["message"])


def test_every_file_has_its_test_and_every_health_is_seen() -> None:
    assert {test["inputPath"] for test in HEALTH} == {
        f"testdata/{file.name}" for file in (FOLDER / "testdata").iterdir()
    }
    assert {test["healthStatus"]["status"] for test in HEALTH} == {"Healthy", "Progressing", "Degraded", "Suspended"}


@pytest.mark.parametrize("status", [None, {}, {"observedGeneration": 1}, {"observedGeneration": 1, "conditions": []}])
def test_a_resource_with_little_or_no_status_is_never_healthy(status: dict[str, Any] | None) -> None:
    manifest = a_manifest() | ({} if status is None else {"status": status})
    assert health_of(manifest) == ("Progressing", "Waiting for the TweetBot operator")


def test_a_condition_that_the_operator_may_add_later_changes_nothing() -> None:
    published = resource("testdata/published.yaml")
    published["status"]["conditions"].insert(0, {"type": "Novel", "status": "True", "reason": "New"})
    assert health_of(published)[0] == "Healthy"


@pytest.mark.parametrize("test", ACTIONS["discoveryTests"], ids=lambda test: str(test["inputPath"]))
def test_the_actions_offered_are_those_that_make_sense(test: dict[str, Any]) -> None:
    offered = run(FOLDER / "actions" / "discovery.lua", resource(test["inputPath"], "actions"))
    assert offered == {each.pop("name"): each for each in deepcopy(test["result"])}


@pytest.mark.parametrize("test", ACTIONS["actionTests"], ids=lambda test: str(test["action"]))
def test_an_action_changes_what_it_says_and_nothing_else(test: dict[str, Any]) -> None:
    changed = run(FOLDER / "actions" / test["action"] / "action.lua", resource(test["inputPath"], "actions"))
    annotations = changed["metadata"].get("annotations", {})
    if time := annotations.get(RETRAIN_ANNOTATION):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time)
        annotations[RETRAIN_ANNOTATION] = NO_TIME
    expected = resource(test["expectedOutputPath"], "actions")
    assert without_empty(changed) == without_empty(expected)


def test_every_action_is_offered_and_tested() -> None:
    scripts = {file.parent.name for file in (FOLDER / "actions").glob("*/action.lua")}
    assert scripts == {test["action"] for test in ACTIONS["actionTests"]}
    assert scripts == {each["name"] for each in ACTIONS["discoveryTests"][0]["result"]}
