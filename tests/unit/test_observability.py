"""Alerts, dashboard and docs use the metrics that the operator exports, with their names and labels."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from matplotlib.text import Text
from prometheus_client import REGISTRY

from harness.promql.names import TARGET, Reading, labels_in, readings
from tweetbot_contract import reasons
from tweetbot_contract.generate.crd import build_root_schema
from tweetbot_contract.handover import GROUP, KIND, VERSION
from tweetbot_contract.status import Phase
from tweetbot_demo.dashboard_picture import Series, draw_dashboard
from tweetbot_operator.decisions.progress import _SERVICES as SERVICES
from tweetbot_operator.telemetry import metrics

ROOT = Path(__file__).parents[2]
ALL_RULES = [
    rule
    for group in yaml.safe_load((ROOT / "integrations" / "prometheus" / "rules.yaml").read_text())["spec"]["groups"]
    for rule in group["rules"]
]
RULES = [rule for rule in ALL_RULES if "alert" in rule]
RECORDINGS = [rule for rule in ALL_RULES if "record" in rule]
DASHBOARD = json.loads((ROOT / "integrations" / "grafana" / "dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
SHOWN = [each["expr"] for panel in PANELS for each in panel["targets"]]
QUERIES = [rule["expr"] for rule in ALL_RULES] + SHOWN
PAGE = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
_SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
_OUTCOMES = {"Succeeded", "Failed"}
#: What tells installations apart, within one Prometheus and across clusters.
INSTALLATION = {"cluster", "namespace", "job"}


def exported() -> dict[str, frozenset[str]]:
    """Return the labels of every series that a query may name."""
    found = {"process_resident_memory_bytes": frozenset[str]()}
    for metric in vars(metrics).values():
        if name := getattr(metric, "_name", ""):
            for suffix in _SUFFIXES[metric._type]:
                found[name + suffix] = frozenset({*metric._labelnames, *(["le"] if suffix == "_bucket" else [])})
    recorded = {rule["record"]: readings(rule["expr"])[0].grouped - TARGET for rule in RECORDINGS}
    return found | recorded


EXPORTED = exported()
#: Values that a label may have, where the code knows them.
KNOWN = {
    "phase": set(get_args(Phase)),
    "reason": {*reasons.BY_NAME, "Other"},
    "outcome": _OUTCOMES,
    "result": {"done", "retry", "bug"},
}


def faults(query: str) -> list[str]:
    """Return what is wrong with a query."""
    return [fault for reading in readings(query) for fault in _faults(reading)]


def _faults(reading: Reading) -> list[str]:
    if reading.metric not in EXPORTED:
        return [f"{reading.metric} is not exported"]
    strange = reading.labels - EXPORTED[reading.metric] - TARGET
    unknown = {f"{label}={value}" for label, value in reading.values if value not in KNOWN.get(label, {value})}
    return sorted(f"{reading.metric} has no {each}" for each in strange | unknown)


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_reads_what_is_exported(query: str) -> None:
    assert readings(query) != []
    assert faults(query) == []


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("tweetbot_reconciles_total", "tweetbot_reconciles_total is not exported"),
        ("rate(tweetbot_reconcile[5m])", "tweetbot_reconcile is not exported"),
        ("sum by (verb) (tweetbot_runs)", "tweetbot_runs has no verb"),
        ('tweetbot_runs{phase="Waiting"}', "tweetbot_runs has no phase=Waiting"),
        ('1 - (tweetbot_runs{reason=~"Unschedulable|Nope"} > 0)', "tweetbot_runs has no reason=Nope"),
        ("sum by (le) (tweetbot_queue_latency_seconds_count)", "tweetbot_queue_latency_seconds_count has no le"),
    ],
)
def test_a_query_that_matches_nothing_is_found(query: str, fault: str) -> None:
    assert faults(query) == [fault]


def test_invalid_promql_is_found() -> None:
    with pytest.raises(ValueError, match="parenthesis"):
        readings("sum by (phase (tweetbot_runs)")


def test_a_series_is_on_the_registry_for_every_name() -> None:
    """The names come from the client's own naming, not from ours."""
    named = {family.name for family in REGISTRY.collect()}
    ours = {name for name in EXPORTED if ":" not in name}
    assert {re.sub("_(total|bucket|count|sum)$", "", name) for name in ours} <= named


# ---- which installation, and which team


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: str(rule.get("alert") or rule["record"]))
def test_a_rule_tells_installations_apart(rule: dict[str, Any]) -> None:
    found = readings(rule["expr"])
    assert rule["expr"].count('job=~".+"') == len(found)  # what the chart puts its own in place of
    counted = found[1:] if rule["expr"].startswith("absent(") else found
    assert [reading.metric for reading in counted if not reading.grouped >= INSTALLATION] == []


#: Alerts about an installation as a whole: what teams' runs have in common is the news.
WHOLE = {"TweetBotRunsFail", "TweetBotNothingMoves"}


@pytest.mark.parametrize("rule", [rule for rule in ALL_RULES if rule.get("alert") not in WHOLE])
def test_a_rule_about_runs_names_the_team(rule: dict[str, Any]) -> None:
    teams = [reading for reading in readings(rule["expr"]) if "bot_namespace" in EXPORTED[reading.metric]]
    assert [reading.metric for reading in teams if "bot_namespace" not in reading.grouped] == []


@pytest.mark.parametrize("query", SHOWN)
def test_a_panel_shows_the_chosen_installations_and_teams(query: str) -> None:
    found = readings(query)
    for reading in found:
        team = {"bot_namespace"} & EXPORTED[reading.metric]
        assert reading.selected >= INSTALLATION | team
    for label in INSTALLATION:
        assert query.count(f'{label}=~"${label}"') >= len(found)


def test_the_dashboard_offers_what_its_panels_ask_for() -> None:
    variables = {each["name"]: each for each in DASHBOARD["templating"]["list"]}
    assert set(variables) == {"datasource", "bot_namespace"} | INSTALLATION
    for name, each in variables.items():
        if found := re.fullmatch(r"label_values\((.*), (\w+)\)", each["query"]):
            (reading,) = readings(found[1])
            assert found[2] == name
            assert (reading.selected <= set(variables), faults(found[1])) == (True, [])


# ---- alerts


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_it_is_and_where_help_is(rule: dict[str, Any]) -> None:
    notes = rule["annotations"]
    assert set(notes) == {"summary", "description", "runbook"}
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    page = (ROOT / notes["runbook"]).read_text(encoding="utf-8")
    assert page.startswith(f"# {rule['alert']}\n")
    assert re.findall("^## (.*)$", page, flags=re.MULTILINE) == ["Effect", "Where to look", "What to do"]
    kept = {label for reading in readings(rule["expr"]) for label in reading.labels}
    assert labels_in(notes["summary"]) | labels_in(notes["description"]) <= kept


def test_every_runbook_has_its_alert_and_is_in_the_docs() -> None:
    alerts = {rule["alert"] for rule in RULES}
    assert {page.stem for page in (ROOT / "docs" / "runbooks").glob("*.md")} == alerts
    assert set(re.findall(r"^\| (TweetBot\w+) \|", PAGE, flags=re.MULTILINE)) == alerts


def test_every_reason_in_which_a_run_may_wait_is_in_one_alert_for_who_must_act() -> None:
    alerts = {"Platform": "TweetBotWaitsForPlatform", "Author": "TweetBotWaitsForAuthor", "Nobody": "TweetBotWaits"}
    waits = {rule["alert"]: rule for rule in RULES if rule["alert"] in alerts.values()}
    for actor, name in alerts.items():
        wanted = {reason.name for reason in reasons.ALL if reason.lasting_actor == actor}
        wanted |= {"Other"} if actor == "Platform" else set()
        (reading,) = readings(waits[name]["expr"])
        assert {value for label, value in reading.values if label == "reason"} == wanted != set()


def test_a_reason_for_which_a_stage_waits_is_none_that_no_alert_has() -> None:
    services = {reason for reason in reasons.ALL if reason.name in SERVICES}
    assert len(services) == len(SERVICES)
    assert {reason.name for reason in services if reason.lasting_actor is None} == set()


def test_counters_whose_increase_alerts_use_exist_from_the_start() -> None:
    """Prometheus sees no increase in a series that begins at 1, so the first of its kind would raise no alarm."""
    assert REGISTRY.get_sample_value("tweetbot_reconcile_total", {"result": "bug"}) is not None


# ---- dashboard


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: str(panel["title"]))
def test_a_panel_asks_the_chosen_data_source_and_names_its_series(panel: dict[str, Any]) -> None:
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert panel["fieldConfig"]["defaults"]["unit"]
    for target in panel["targets"]:
        labels = {label for reading in readings(target["expr"]) for label in EXPORTED[reading.metric] | TARGET}
        assert labels_in(target["legendFormat"]) <= labels


def test_panels_have_their_own_ids_and_places() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = [
        (column, row)
        for place in (panel["gridPos"] for panel in panels)
        for column in range(place["x"], place["x"] + place["w"])
        for row in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(column for column, _ in taken) < 24


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {reading.metric for panel in PANELS for each in panel["targets"] for reading in readings(each["expr"])}
    bases = {re.sub("_bucket$", "", name) for name in shown}
    assert {name for name in EXPORTED if not name.endswith(("_bucket", "_count", "_sum")) and ":" not in name} <= bases


# ---- kube-state-metrics

STATE_METRICS = yaml.safe_load((ROOT / "integrations/kube-state-metrics/customresourcestate.yaml").read_text())
(RESOURCE,) = STATE_METRICS["spec"]["resources"]
#: The schema of a TweetBot, with the fields of its metadata that every object has.
SCHEMA = build_root_schema()
SCHEMA["properties"]["metadata"] = {"properties": {name: {} for name in ("name", "namespace", "generation")}}


def find_field(schema: dict[str, Any], path: list[str]) -> dict[str, Any] | None:
    """Return the schema of a field, None if there is none; a list stands for its items."""
    for name in path:
        known = schema.get("items", schema).get("properties", {})
        if name not in known:
            return None
        schema = known[name]
    return schema


@pytest.mark.parametrize("metric", RESOURCE["metrics"], ids=lambda metric: str(metric["name"]))
def test_kube_state_metrics_is_asked_for_fields_that_exist(metric: dict[str, Any]) -> None:
    (options,) = (options for name, options in metric["each"].items() if name != "type")
    assert metric["each"]["type"].lower() in {name.lower() for name in metric["each"]}
    field = find_field(SCHEMA, options["path"])
    assert field is not None
    inner = [*options.get("labelsFromPath", {}).values(), *([each] if (each := options.get("valueFrom")) else [])]
    assert [path for path in inner if find_field(field, path) is None] == []
    if "list" in options:
        assert options["list"] == field["enum"]


def test_kube_state_metrics_knows_each_tweetbot_by_its_names() -> None:
    group, version = RESOURCE["groupVersionKind"]["group"], RESOURCE["groupVersionKind"]["version"]
    assert (group, version, RESOURCE["groupVersionKind"]["kind"]) == (GROUP, VERSION, KIND)
    assert None not in [find_field(SCHEMA, path) for path in RESOURCE["labelsFromPath"].values()]


# ---- docs


def test_every_metric_is_documented_as_it_is() -> None:
    documented = re.findall(r"^\| `(tweetbot_\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \|$", PAGE, flags=re.MULTILINE)
    ours = [
        (
            metric._name + ("_total" if metric._type == "counter" else ""),
            metric._type,
            ", ".join(f"`{label}`" for label in metric._labelnames),
            metric._documentation,
        )
        for metric in vars(metrics).values()
        if hasattr(metric, "_name")
    ]
    assert sorted(documented) == sorted(ours)


class SameAnswer:
    """A Prometheus with two series for every panel."""

    start, end = 1_700_000_000.0, 1_700_000_060.0

    def read(self, panel: dict[str, Any]) -> Series:
        times = [self.start, self.end]
        return [("Training", times, [1.0, 2.0]), ("Failed", times, [0.0, 50.0])]


def test_the_picture_of_the_dashboard_has_every_panel() -> None:
    texts = {text.get_text() for text in draw_dashboard(SameAnswer()).findobj(Text)}
    assert {panel["title"] for panel in PANELS} <= texts
    assert {"— Training", "— Failed", "Training", "50 %", "50 s"} <= texts
