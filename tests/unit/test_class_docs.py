"""The examples are valid, and docs/classes.md says of a class and its five lines what the code does."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders.operator import an_observed
from builders.plans import run_in
from tweetbot_contract.class_manifest import TweetBotClass, parse_class
from tweetbot_contract.generate.class_crd import build_class_schema
from tweetbot_contract.handover import CLASS_KIND
from tweetbot_contract.manifest import TweetBot, parse
from tweetbot_contract.platform_class.class_spec import TweetBotClassSpec
from tweetbot_contract.platform_class.resolve import ATOMIC, DEFAULTABLE
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_contract.status import TweetBotStatus
from tweetbot_operator.client.parse import parse_cached_bot, parse_tweetbot
from tweetbot_operator.decisions.plan import Plan, plan
from tweetbot_operator.decisions.platform.class_choice import resolve_class

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "classes.md").read_text(encoding="utf-8")
EXAMPLES = {path.stem: path for path in sorted((ROOT / "crds" / "examples").glob("*.yaml"))}


def read_example(name: str) -> dict[str, Any]:
    """Return an example as the API server would have it in team-41."""
    manifest = dict(yaml.safe_load(EXAMPLES[name].read_text(encoding="utf-8")))
    stored = {"namespace": "team-41", "uid": "u", "generation": 1, "resourceVersion": "1"}
    return {**manifest, "metadata": {**manifest["metadata"], **stored}}


def resolve(manifest: dict[str, Any], *classes: TweetBotClass) -> TweetBot:
    stored = parse_tweetbot(parse_cached_bot(manifest).document)
    resolved = resolve_class(replace(an_observed(stored), classes=classes))
    assert isinstance(resolved, TweetBot), resolved
    return resolved


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_valid_and_has_no_unknown_field(name: str) -> None:
    manifest = read_example(name)
    if manifest["kind"] == CLASS_KIND:
        assert parse_class(manifest).error == ""
        TweetBotClassSpec.model_validate(manifest["spec"], extra="forbid")
    elif "className" in manifest["spec"]:
        assert resolve(manifest, parse_class(read_example("class"))).class_name
    else:
        assert parse(manifest).spec


def test_the_example_of_five_lines_has_five_and_gets_the_rest_from_the_class() -> None:
    manifest = read_example("five-lines")
    assert set(manifest["spec"]) == {"className", "subject", "sources"}
    bot = resolve(manifest, parse_class(read_example("class")))
    assert bot.spec.output.s3.uri == "s3://team-41/models"
    assert bot.spec.scheduling.prepare
    assert (bot.spec.scheduling.node_selector, bot.spec.scheduling.prepare.node_selector) == (
        {"pool": "gpu"},
        {"pool": "cpu"},
    )
    assert bot.class_pods["caBundle"] == {"name": "platform-ca"}


def test_the_page_names_what_is_taken_whole_and_what_is_the_authors_alone() -> None:
    section = " ".join(PAGE.partition("## Defaults\n")[2].partition("\n## ")[0].split())
    parts = {part.removeprefix("scheduling.").removeprefix("prepare.") for part in ATOMIC}
    assert [part for part in parts if f"`{part}`" not in section] == []
    authors = {str(field.alias) for field in TweetBotSpec.model_fields.values()} - DEFAULTABLE
    assert [part for part in authors if f"`{part}`" not in section.partition("alone.")[0]] == []


def test_the_page_names_every_field_of_limits_and_pods() -> None:
    for part in ("limits", "pods"):
        model = TweetBotClassSpec.model_fields[part].annotation
        assert model
        section = PAGE.partition(f"## {part.title()}\n")[2].partition("\n## ")[0]
        fields = [str(field.alias or name) for name, field in model.model_fields.items()]
        assert [field for field in fields if f"`{field}`" not in section] == []


def test_every_value_of_the_chart_that_the_page_moves_to_a_class_exists() -> None:
    rows = re.findall(
        r"^\| `((?:settings|tenants|admissionPolicies)[^`]+)`(?:, `\.\w+`)? \| `([\w.]+)`", PAGE, re.MULTILINE
    )
    assert len(rows) == 8
    schema = json.loads((ROOT / "charts" / "tweetbot-operator" / "values.schema.json").read_text(encoding="utf-8"))
    assert [value for value, _ in rows if not has_path(schema, value.replace("[]", ""))] == []
    class_schema = build_class_schema()["properties"]["spec"]
    assert [field for _, field in rows if not has_path(class_schema, field)] == []


def has_path(schema: dict[str, Any], path: str) -> bool:
    """Tell whether a schema has a field; lists stand for their items, references for what they name."""
    node = schema
    for step in path.split("."):
        node = node.get("items", node)
        node = schema["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node
        node = node.get("properties", {}).get(step)
        if node is None:
            return False
    return True


def look(spec: dict[str, Any], status: TweetBotStatus | None = None, *classes: TweetBotClass) -> Plan:
    """Return what the operator does with a spec that the API server has like this."""
    manifest = {**read_example("quickstart"), "spec": spec, "status": status.to_dict() if status else {}}
    bot = parse_tweetbot(parse_cached_bot(manifest).document)
    return plan(replace(an_observed(bot), classes=classes))


def test_dropping_what_an_earlier_schema_filled_in_starts_nothing() -> None:
    """docs/upgrades.md promises it, also where there is a default class by then."""
    written = {key: read_example("quickstart")["spec"][key] for key in ("subject", "sources", "output")}
    filled = TweetBotSpec.model_validate(written).model_dump(mode="json", by_alias=True, exclude_none=True)
    assert filled.keys() > written.keys() | {"evaluation", "tracking", "resources", "scheduling", "run", "history"}
    began = run_in(look(filled))
    standard = parse_class(read_example("class"))
    assert run_in(look(written, look(filled).status, standard)) == began
    assert began.run_class is None
