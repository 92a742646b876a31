"""The CRD and the pages that are rendered from the types."""

import re
from typing import Any

import pytest
import yaml

from tweetbot_contract.generate import files as generate
from tweetbot_contract.generate.crd import build_crd, build_root_schema
from tweetbot_contract.reasons import ALL
from tweetbot_contract.status import TweetBotStatus


def nodes(schema: dict[str, Any], path: str = "") -> list[tuple[str, dict[str, Any]]]:
    inner = [node for name, field in schema.get("properties", {}).items() for node in nodes(field, f"{path}.{name}")]
    items = nodes(schema["items"], f"{path}[]") if "items" in schema else []
    return [(path, schema), *inner, *items]


ROOT = build_root_schema()
SPEC = nodes(ROOT["properties"]["spec"], "spec")
EVERYTHING = SPEC + nodes(ROOT["properties"]["status"], "status")


@pytest.fixture(scope="module")
def rendered() -> Any:
    return generate.render_files()


def test_generated_files_are_up_to_date(rendered: Any) -> None:
    assert generate.find_stale(rendered) == []


def test_the_check_notices_a_change(rendered: Any, tmp_path: Any) -> None:
    assert set(generate.find_stale(rendered, tmp_path)) == set(rendered)


def test_every_field_is_described_and_typed() -> None:
    assert [path for path, node in EVERYTHING if "description" not in node and not path.endswith("[]")] == []
    assert {path for path, node in EVERYTHING if "type" not in node} == {"spec.resources.cpu", "spec.resources.memory"}


def test_every_description_stands_alone() -> None:
    """`kubectl explain` shows one field, without the one above it."""
    leaning = re.compile(r"(The same|Its|It|Their|Whose|Of|This|That)\b")
    assert [path for path, node in EVERYTHING if leaning.match(node.get("description", ""))] == []


def test_every_string_list_and_map_of_the_spec_is_bounded() -> None:
    """Unbounded ones let the API server refuse the CRD for the cost of its rules."""
    bounds = {"string": "maxLength", "array": "maxItems"}
    open_ended = [
        path
        for path, node in SPEC
        if (bound := bounds.get(node.get("type", "string"))) and bound not in node and "enum" not in node
    ]
    assert open_ended == []
    assert [path for path, node in SPEC if "additionalProperties" in node and "maxProperties" not in node] == []


def test_a_spec_has_no_floats() -> None:
    assert [path for path, node in SPEC if node.get("type") == "number"] == []


def test_a_resource_that_no_operator_has_seen_says_so_in_conditions_that_the_schema_itself_accepts() -> None:
    status = TweetBotStatus.model_validate(ROOT["properties"]["status"]["default"])
    assert (status.observed_generation, status.phase) == (-1, "Pending")
    said = {(each.status, each.reason, each.message) for each in status.conditions}
    assert [each.type for each in status.conditions] == ["Progressing", "Ready"]
    assert said == {("Unknown", "WaitingForOperator", "Waiting for the operator.")}


def test_no_reference_crosses_a_namespace() -> None:
    assert [path for path, _ in SPEC if path.endswith("namespace")] == []


@pytest.mark.parametrize("name", ["kind", "shortNames", "categories"])
def test_it_is_found_by_its_names(name: str) -> None:
    assert build_crd()["spec"]["names"][name] in ("TweetBot", ["tb"], ["ml"])


def test_the_file_is_what_the_function_returns(rendered: Any) -> None:
    assert yaml.load(rendered[next(iter(rendered))], Loader=yaml.CSafeLoader) == build_crd()


def test_reasons_are_camel_case_and_unique() -> None:
    names = [reason.name for reason in ALL]
    assert len(names) == len(set(names))
    assert all(name[0].isupper() and name.isalnum() for name in names)
