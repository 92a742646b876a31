"""Alerts, dashboard and docs use the metrics that the operator exports, with their names and labels."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from matplotlib.text import Text
from prometheus_client import REGISTRY

from harness.promql_names import TARGET, Reading, labels_in, readings
from tweetbot_contract import reasons
from tweetbot_contract.status import Phase
from tweetbot_demo.dashboard_picture import Series, draw_dashboard
from tweetbot_operator.telemetry import metrics

ROOT = Path(__file__).parents[2]
RULES = [
    rule
    for group in yaml.safe_load((ROOT / "integrations" / "prometheus" / "rules.yaml").read_text())["spec"]["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((ROOT / "integrations" / "grafana" / "dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [rule["expr"] for rule in RULES] + [each["expr"] for panel in PANELS for each in panel["targets"]]
PAGE = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
_SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
_OUTCOMES = {"Succeeded", "Failed"}


def exported() -> dict[str, frozenset[str]]:
    """Return the labels of every series that a query may name."""
    found = {"process_resident_memory_bytes": frozenset[str]()}
    for metric in vars(metrics).values():
        if name := getattr(metric, "_name", ""):
            for suffix in _SUFFIXES[metric._type]:
                found[name + suffix] = frozenset({*metric._labelnames, *(["le"] if suffix == "_bucket" else [])})
    return found


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
    assert {re.sub("_(total|bucket|count|sum)$", "", name) for name in EXPORTED} <= named


# ---- alerts


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_it_is_and_where_help_is(rule: dict[str, Any]) -> None:
    notes = rule["annotations"]
    assert set(notes) == {"summary", "description", "runbook"}
    assert rule["labels"]["severity"] in ("critical", "warning")
    page = (ROOT / notes["runbook"]).read_text(encoding="utf-8")
    assert page.startswith(f"# {rule['alert']}\n")
    assert re.findall("^## (.*)$", page, flags=re.MULTILINE) == ["Effect", "Where to look", "What to do"]
    kept = {label for reading in readings(rule["expr"]) for label in reading.labels}
    assert labels_in(notes["description"]) <= kept


def test_every_runbook_has_its_alert_and_is_in_the_docs() -> None:
    alerts = {rule["alert"] for rule in RULES}
    assert {page.stem for page in (ROOT / "docs" / "runbooks").glob("*.md")} == alerts
    assert set(re.findall(r"^\| (TweetBot\w+) \|", PAGE, flags=re.MULTILINE)) == alerts


def test_the_platform_alert_covers_every_reason_for_the_platform_team() -> None:
    (rule,) = [rule for rule in RULES if rule["alert"] == "TweetBotPlatformFault"]
    wanted = {reason.name for reason in reasons.ALL if reason.actor == "Platform"}
    for reading in readings(rule["expr"]):
        assert {value for label, value in reading.values if label == "reason"} == wanted


def test_counters_whose_increase_alerts_use_exist_from_the_start() -> None:
    """Prometheus sees no increase in a series that begins at 1, so the first of its kind would raise no alarm."""
    failed = [{"outcome": "Failed", "reason": reason} for reason in KNOWN["reason"]]
    assert None not in [REGISTRY.get_sample_value("tweetbot_runs_finished_total", labels) for labels in failed]
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
    assert {name for name in EXPORTED if not name.endswith(("_bucket", "_count", "_sum"))} <= bases


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
