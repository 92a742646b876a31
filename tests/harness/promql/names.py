"""What a PromQL query reads: parsed by the parser of GreptimeDB's project, walked for names and labels."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser as promql

#: Labels that Prometheus adds to every series of a target.
TARGET = frozenset({"cluster", "job", "namespace", "pod", "instance"})


@dataclass(frozen=True)
class Reading:
    """One selector: a metric, the labels that the query names about it, and the values it wants, alternatives apart."""

    metric: str
    selected: frozenset[str]
    """Labels that it selects by."""
    grouped: frozenset[str]
    """Labels that aggregations keep apart, further labels of inner ones included."""
    values: frozenset[tuple[str, str]]

    @property
    def labels(self) -> frozenset[str]:
        """All labels that the query names about it."""
        return self.selected | self.grouped


def readings(query: str) -> list[Reading]:
    """Return every selector of a query. Raises ValueError when it is no PromQL."""
    query = query.replace("$__rate_interval", "5m")  # as Grafana does; others of its variables stand in texts
    return list(_walk(promql.parse(re.sub(r"\$\w+", ".*", query)), frozenset()))


def _walk(node: Any, grouped: frozenset[str]) -> Iterator[Reading]:
    match node:
        case promql.VectorSelector():
            yield _reading(node, grouped)
        case promql.MatrixSelector():
            yield _reading(node.vector_selector, grouped)
        case promql.AggregateExpr(modifier=modifier, expr=inner):
            yield from _walk(inner, grouped | frozenset(modifier.labels if modifier else ()))
        case _:
            for part in _parts(node):
                yield from _walk(part, grouped)


def _parts(node: Any) -> list[Any]:
    match node:
        case promql.BinaryExpr():
            return [node.lhs, node.rhs]
        case promql.Call():
            return list(node.args)
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            return [node.expr]
        case promql.NumberLiteral() | promql.StringLiteral():
            return []
        case _:
            raise ValueError(f"no reading of {type(node).__name__}")


def _reading(selector: Any, grouped: frozenset[str]) -> Reading:
    matchers = [matcher for matcher in selector.matchers.matchers if matcher.name != "__name__"]
    wanted = {
        (matcher.name, value)
        for matcher in matchers
        for value in matcher.value.split("|")
        if re.fullmatch(r"[A-Za-z0-9]+", value)
    }
    return Reading(selector.name, frozenset(matcher.name for matcher in matchers), grouped, frozenset(wanted))


def labels_in(template: str) -> frozenset[str]:
    """Return the labels that a legend or an annotation names, `{{kind}}` or `{{ $labels.kind }}`."""
    return frozenset(re.findall(r"{{\s*(?:\$labels\.)?([a-z_]+)\s*}}", template))
