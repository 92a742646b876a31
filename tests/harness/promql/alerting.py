"""Evaluates a file of rules over time as Prometheus does: recordings first, then alerts with what they wait for."""

from pathlib import Path
from typing import Any

import promql_parser as promql
import yaml

from harness.promql.evaluation import evaluate
from harness.promql.samples import NAME, Labels, Samples, select

#: An alert's name, and its labels.
Firing = tuple[str, Labels]


class Alerting:
    """The rules of a PrometheusRule, what they have recorded, and which alerts are pending."""

    def __init__(self, file: Path) -> None:
        spec = yaml.safe_load(file.read_text(encoding="utf-8"))["spec"]
        rules = [(rule, promql.parse(rule["expr"])) for group in spec["groups"] for rule in group["rules"]]
        self._recordings = [each for each in rules if "record" in each[0]]
        self._alerts = [each for each in rules if "alert" in each[0]]
        self._active: dict[Firing, tuple[float, float]] = {}
        """Since when an alert's expression holds, and when it last held."""

    def evaluate(self, samples: Samples, at: float) -> set[Firing]:
        """Return which alerts fire at a time."""
        recorded = {
            select(labels, without={NAME}) | {(NAME, rule["record"])}: value
            for rule, parsed in self._recordings
            for labels, value in self._ask(parsed, samples, at).items()
        }
        samples.record(at, recorded)
        return {
            alert for rule, parsed in self._alerts for alert in self._update(rule, self._ask(parsed, samples, at), at)
        }

    def _ask(self, parsed: Any, samples: Samples, at: float) -> dict[Labels, float]:
        answer = evaluate(parsed, samples, at)
        assert isinstance(answer, dict)
        return answer

    def _update(self, rule: dict[str, Any], answer: dict[Labels, float], at: float) -> list[Firing]:
        holds = {(rule["alert"], select(labels, without={NAME})) for labels in answer}
        keep = _seconds(rule.get("keep_firing_for", "0s"))
        for alert in holds:
            self._active[alert] = (self._active.get(alert, (at, at))[0], at)
        for alert, (_, last) in [*self._active.items()]:
            if alert[0] == rule["alert"] and alert not in holds and at - last >= keep:
                del self._active[alert]
        wait = _seconds(rule.get("for", "0s"))
        return [
            each for each, (since, last) in self._active.items() if each[0] == rule["alert"] and last - since >= wait
        ]


def _seconds(span: str) -> float:
    return float(span[:-1]) * {"s": 1, "m": 60, "h": 3600}[span[-1]]
