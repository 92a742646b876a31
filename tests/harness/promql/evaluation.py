"""Answers PromQL over samples as Prometheus' engine does: the part of the language that our alerts use."""

import operator
import re
from collections.abc import Callable, Iterator
from itertools import groupby, pairwise
from typing import Any

import promql_parser as promql

from harness.promql.samples import NAME, Labels, Samples, select

#: Seconds for which a sample stands for its series, unless a scrape lacks it.
LOOKBACK = 300.0
Vector = dict[Labels, float]
Value = Vector | float
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda one, other: one / other if other else one * float("inf"),
}
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
_AGGREGATES: dict[str, Callable[[list[float]], float]] = {
    "sum": sum,
    "min": min,
    "max": max,
    "count": lambda values: float(len(values)),
}


def evaluate(node: Any, samples: Samples, at: float) -> Value:
    """Return what a parsed query answers at a time. Raises ValueError for what our alerts do not use."""
    match node:
        case promql.NumberLiteral():
            return float(node.val)
        case promql.ParenExpr():
            return evaluate(node.expr, samples, at)
        case promql.VectorSelector():
            offset = node.offset.total_seconds() if node.offset else 0.0
            found = samples.read(_matcher(node), at - offset - LOOKBACK, at - offset)
            return {labels: points[-1][1] for labels, points in found if points[-1][1] is not None}
        case promql.AggregateExpr():
            return _aggregate(node, _as_vector(evaluate(node.expr, samples, at)))
        case promql.BinaryExpr():
            sides = (evaluate(side, samples, at) for side in (node.lhs, node.rhs))
            return _combine(str(node.op), *sides)
        case promql.Call():
            return _call(node, samples, at)
        case _:
            raise ValueError(f"no answer to {type(node).__name__}")


def _matcher(selector: Any) -> Callable[[Labels], bool]:
    tests = [(NAME, True, re.escape(selector.name))]
    for each in selector.matchers.matchers:
        wanted = each.op in (promql.MatchOp.Equal, promql.MatchOp.Re)
        literal = each.op in (promql.MatchOp.Equal, promql.MatchOp.NotEqual)
        tests.append((each.name, wanted, re.escape(each.value) if literal else each.value))

    def matches(labels: Labels) -> bool:
        known = dict(labels)
        return all(bool(re.fullmatch(form, known.get(name, ""))) == wanted for name, wanted, form in tests)

    return matches


def _call(node: Any, samples: Samples, at: float) -> Value:
    name, arguments = node.func.name, list(node.args)
    match name:
        case "time":
            return at
        case "absent":
            return {} if evaluate(arguments[0], samples, at) else {frozenset(): 1.0}
        case "increase" | "rate":
            seconds = arguments[0].range.total_seconds()
            found = samples.read(_matcher(arguments[0].vector_selector), at - seconds, at)
            ranges = (
                (select(labels, without={NAME}), _extrapolate(points, at - seconds, at)) for labels, points in found
            )
            return {
                labels: value / (seconds if name == "rate" else 1.0) for labels, value in ranges if value is not None
            }
        case "histogram_quantile":
            return dict(_find_quantiles(arguments[0].val, _as_vector(evaluate(arguments[1], samples, at))))
        case _:
            raise ValueError(f"no answer to {name}")


def _extrapolate(found: list[tuple[float, float | None]], start: float, end: float) -> float | None:
    """Return a counter's increase between two times, as Prometheus' extrapolatedRate does."""
    points = [(at, value) for at, value in found if value is not None]
    if len(points) < 2:
        return None
    (first, low), (last, _) = points[0], points[-1]
    grown = sum(now - then if now >= then else now for (_, then), (_, now) in pairwise(points))
    sampled, mean = last - first, (last - first) / (len(points) - 1)
    before, after = (gap if gap < 1.1 * mean else mean / 2 for gap in (first - start, end - last))
    if grown > 0:
        before = min(before, sampled * low / grown)
    return grown * (sampled + before + after) / sampled


def _aggregate(node: Any, vector: Vector) -> Vector:
    kept = set(node.modifier.labels) if node.modifier else set()
    groups: dict[Labels, list[float]] = {}
    for labels, value in vector.items():
        groups.setdefault(select(labels, only=kept), []).append(value)
    return {labels: _AGGREGATES[str(node.op)](values) for labels, values in groups.items()}


def _as_vector(value: Value) -> Vector:
    if isinstance(value, float):
        raise ValueError("a number stands where series are wanted")
    return value


def _combine(op: str, left: Value, right: Value) -> Value:
    if op in ("and", "or", "unless"):
        return _combine_sets(op, _as_vector(left), _as_vector(right))
    if isinstance(left, float) and isinstance(right, float):
        return _ARITHMETIC[op](left, right)
    return dict(_combine_values(op, left, right))


def _combine_sets(op: str, left: Vector, right: Vector) -> Vector:
    plain = {select(labels, without={NAME}) for labels in (left if op == "or" else right)}
    if op == "or":
        return left | {labels: value for labels, value in right.items() if select(labels, without={NAME}) not in plain}
    return {
        labels: value for labels, value in left.items() if (select(labels, without={NAME}) in plain) == (op == "and")
    }


def _combine_values(op: str, left: Value, right: Value) -> Iterator[tuple[Labels, float]]:
    series = left if isinstance(left, dict) else _as_vector(right)
    for labels, value in series.items():
        plain = select(labels, without={NAME})
        one, other = (_pick(side, plain) for side in (left, right))
        if one is None or other is None:
            continue
        if op in _ARITHMETIC:
            yield plain, _ARITHMETIC[op](one, other)
        elif _COMPARISONS[op](one, other):
            yield labels, value


def _pick(side: Value, plain: Labels) -> float | None:
    if isinstance(side, float):
        return side
    return next((value for labels, value in side.items() if select(labels, without={NAME}) == plain), None)


def _find_quantiles(quantile: float, vector: Vector) -> Iterator[tuple[Labels, float]]:
    """Yield the quantile of each histogram, linear within its bucket."""
    buckets = [
        (select(labels, without={"le", NAME}), float(dict(labels)["le"]), count) for labels, count in vector.items()
    ]
    buckets.sort(key=lambda bucket: (sorted(bucket[0]), bucket[1]))
    for labels, group in groupby(buckets, key=lambda bucket: bucket[0]):
        steps = [(bound, count) for _, bound, count in group]
        wanted, low, before = quantile * steps[-1][1], 0.0, 0.0
        for bound, count in steps:
            if count >= wanted and count > 0:
                yield (
                    labels,
                    low if bound == float("inf") else low + (bound - low) * (wanted - before) / (count - before),
                )
                break
            low, before = bound, count
