"""The chart's values: rendered from types, complete, strict, and in step with operator and contract."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import to_jsonable_python

from builders.operator import a_bot_in, a_run
from harness.chart.wrong_values import Walk
from tweetbot_chart import generate
from tweetbot_chart.job_form import build_job_form
from tweetbot_chart.policy_values import Relation, SourceKind
from tweetbot_chart.render import build_values_type
from tweetbot_chart.settings_values import ELSEWHERE
from tweetbot_contract.class_manifest import parse_class
from tweetbot_contract.generate.class_crd import build_class_crd
from tweetbot_contract.generate.crd import build_crd
from tweetbot_contract.generate.files import find_stale
from tweetbot_contract.handover import MANAGED_BY, MANAGED_BY_LABEL, STAGE_LABEL
from tweetbot_contract.manifest import parse
from tweetbot_contract.platform_class.limits import ClassLimits
from tweetbot_contract.spec.sources import Source
from tweetbot_contract.status import Stage
from tweetbot_contract.status.tasks import ForgetStatus, PinStatus
from tweetbot_operator.jobs.cleanup import build_cleanup_job, build_forget_job, build_pin_job
from tweetbot_operator.jobs.job import build_job
from tweetbot_operator.settings import OperatorSettings

ROOT = Path(__file__).parents[3]
CHART = ROOT / generate.CHART
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
TEMPLATES = {path.name: path.read_text() for path in (CHART / "templates").rglob("*.*")}


def test_generated_files_are_up_to_date() -> None:
    assert find_stale(generate.render_files()) == []


def test_every_setting_of_the_operator_is_a_value_with_its_default() -> None:
    known = OperatorSettings.model_fields.items()
    named = {
        to_camel(name): to_jsonable_python(field.default, by_alias=True)
        for name, field in known
        if name not in ELSEWHERE
    }
    assert DEFAULTS["settings"] == named


def test_every_setting_has_its_reason() -> None:
    assert [name for name, field in OperatorSettings.model_fields.items() if not field.description] == []


VALUES = build_values_type()


def test_the_defaults_are_values() -> None:
    assert VALUES.model_validate(DEFAULTS).model_dump(by_alias=True) == VALUES().model_dump(by_alias=True)


@pytest.mark.parametrize("file", sorted((CHART / "ci").glob("*.yaml")), ids=lambda file: file.stem)
def test_the_ci_files_contain_valid_values(file: Path) -> None:
    VALUES.model_validate(yaml.safe_load(file.read_text()) or {})


def objects(schema: Any) -> list[dict[str, Any]]:
    """Return every schema of an object with properties, at any depth."""
    if isinstance(schema, list):
        return [found for item in schema for found in objects(item)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if isinstance(schema.get("properties"), dict) and schema.get("type") == "object" else []
    return own + [found for item in schema.values() for found in objects(item)]


def test_only_what_helm_fills_and_what_kubernetes_defines_takes_unknown_keys() -> None:
    found = {each["title"]: each["additionalProperties"] for each in objects(SCHEMA)}
    assert {title for title, open_ in found.items() if open_} == {"Global", "Container", "Mount", "Named"}
    assert len(found) > 20


def test_every_leaf_has_a_form_or_bounds_but_those_that_may_be_anything() -> None:
    """Annotations and variables are texts of others, and a negative toleration means none."""
    anything = {
        "/commonAnnotations/key", "/crds/annotations/key", "/podAnnotations/key", "/serviceAccount/annotations/key",
        "/metrics/dashboard/annotations/key", "/tenants/0/serviceAccount/annotations/key", "/extraEnv/0/value",
        "/tolerations/0/tolerationSeconds", "/deploymentAnnotations/key", "/service/annotations/key",
    }  # fmt: skip
    assert {str(wrong) for wrong in Walk(SCHEMA).list_all() if wrong.free} == anything


@pytest.mark.parametrize(
    "values",
    [
        {"replica": 3},
        {"settings": {"worker": 1}},
        {"settings": {"logLevel": "debug"}},
        {"metrics": {"serviceMonitor": {"enable": True}}},
        {"tenants": [{"name": "team-a"}]},
        {"admissionPolicies": {"sources": {"kinds": ["rss"]}}},
        {"image": {"digest": "latest"}},
        {"image": {"repository": "https://registry.example.com/operator"}},
        {"settings": {"allowedNetworks": "the cluster"}},
        {"commonLabels": {"te am": "a"}},
        {"resources": {"limits": {"memory": "lots"}}},
        {"podDisruptionBudget": {"minAvailable": "150%"}},
        {"tenants": [{"namespace": "Team A"}]},
        {"replicas": "two"},
        {"extraEnv": [{"name": "TWEETBOT_WORKERS", "value": "3"}]},
        {"tenants": [{"namespace": "team-a", "serviceAccount": {"imagePullSecrets": ["registry"]}}]},
        {"networkPolicy": {"apiServerPorts": []}},  # to Kubernetes no port is every port
    ],
)
def test_an_unknown_value_is_rejected(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        VALUES.model_validate(values)


def used(templates: str) -> set[str]:
    return set(re.findall(r"\.Values\.(\w+)", templates))


def test_templates_use_every_value_but_the_one_for_parent_charts() -> None:
    assert used("\n".join(TEMPLATES.values())) | {"enabled"} == set(DEFAULTS)


def test_chart_and_project_have_one_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert (chart["version"], str(chart["appVersion"])) == (version, version)
    listed = {each["image"] for each in yaml.safe_load(chart["annotations"]["artifacthub.io/images"])}
    assert listed == {f"{DEFAULTS[value]['repository']}:{version}" for value in ("image", "trainerImage")}


def test_the_chart_s_listing_names_every_resource_with_an_example_that_is_valid() -> None:
    notes = yaml.safe_load((CHART / "Chart.yaml").read_text())["annotations"]
    kinds = {build["metadata"]["name"]: build["spec"]["names"]["kind"] for build in (build_crd(), build_class_crd())}
    listed = {each["name"]: each["kind"] for each in yaml.safe_load(notes["artifacthub.io/crds"])}
    examples = {each["kind"]: each for each in yaml.safe_load(notes["artifacthub.io/crdsExamples"])}
    assert (listed, set(examples)) == (kinds, set(kinds.values()))
    assert parse(examples["TweetBot"]).spec
    assert parse_class(examples["TweetBotClass"]).error == ""


def test_templates_know_trainers_by_the_operator_s_label() -> None:
    assert f"{MANAGED_BY_LABEL}: {MANAGED_BY}" in TEMPLATES["_helpers.tpl"]


SPEC = build_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]


def described(schema: dict[str, Any], path: str = "") -> list[tuple[str, str]]:
    """Return the path and the description of every field."""
    found = []
    for name, field in schema.get("properties", {}).items():
        found.append((f"{path}{name}", field.get("description", "")))
        found += described(field.get("items", field), f"{path}{name}.")
    return found


def test_the_policy_on_secrets_checks_every_secret_that_a_spec_names() -> None:
    """A new field that names a Secret must come into the policy, or it is a way round it."""
    named = {path.removeprefix("sources.") for path, _ in described(SPEC) if path.endswith("Secret")}
    policy = TEMPLATES["admission-policies.yaml"].replace(".?", ".")  # what may be left out
    looked_at = re.findall(r"(?:object\.spec|source)\.([\w.]+Secret)\.name", policy)
    assert set(looked_at) == named


def test_the_policy_on_the_operators_jobs_knows_every_task_variable_and_mount() -> None:
    """One more would have every Job refused."""
    form = build_job_form()
    bot = a_bot_in("Train", model={"base": "pvc://models/gpt2"}, caBundle={"name": "ca", "key": "ca.crt"})
    settings = OperatorSettings(allowed_networks="10.0.0.0/8")
    jobs = [build_job(bot, a_run(bot, stage=stage), settings) for stage in get_args(Stage)]
    pin = PinStatus(version="1" * 16, requested_at="2026-01-01T12:00:00Z", generation=1)
    forget = ForgetStatus(request="now", requested_at="2026-01-01T12:00:00Z")
    jobs += [build_pin_job(bot, pin, settings), build_forget_job(bot, forget, settings)]
    for job in (*jobs, build_cleanup_job(bot, settings)):
        assert job["metadata"]["labels"][STAGE_LABEL] in form["stages"]
        (container,) = job["spec"]["template"]["spec"]["containers"]
        names = {each["name"] for each in container["env"] if not each["name"].startswith("TWEETBOT_")}
        assert names <= set(form["variables"])
        assert {each["mountPath"] for each in container["volumeMounts"]} <= set(form["mountPaths"])


def test_the_policies_know_every_kind_of_source_and_every_relation() -> None:
    assert set(get_args(SourceKind)) == {name for name in Source.model_fields} - {"weight", "max_missing_percent"}
    assert set(get_args(Relation)) == set(SPEC["properties"]["subject"]["properties"]["relation"]["enum"])


def test_the_policy_on_classes_knows_every_kind_of_source_and_every_limit() -> None:
    """The operator alone can check a schedule."""
    policy = TEMPLATES["class-policy.yaml"]
    assert all(f'"{kind}"' in policy for kind in get_args(SourceKind))
    limits = {str(field.alias) for field in ClassLimits.model_fields.values()}
    assert {limit for limit in limits if limit not in policy} == {"minScheduleSeconds", "scheduleHours"}


def test_the_policy_on_buckets_checks_every_s3_address() -> None:
    """Whatever a spec may read from s3:// is held to the tenant's prefixes."""
    addresses = [path for path, text in described(SPEC) if "s3://" in text and path != "output.s3.uri"]
    exports = [f"sources.{kind}.uri" for kind in ("mastodon", "threads", "instagram", "reddit")]
    assert addresses == ["sources.archive.uri", "sources.posts.uri", "sources.bluesky.car", *exports, "model.base"]
    policy = TEMPLATES["admission-policies.yaml"].replace(".?", ".")
    assert [path for path in addresses if path.replace("sources.", "source.") not in policy] == []


def test_values_in_the_docs_are_valid() -> None:
    """An ellipsis stands for a digest."""
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    offered = re.findall(r"^```yaml\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    assert len(offered) >= 2
    for text in offered:
        VALUES.model_validate(yaml.safe_load(text.replace("…", "0" * 64)))
