"""What a TweetBotClass does not allow, by the field that asks for it."""

from typing import Any

import pytest

from builders.operator import a_bot, a_class
from tweetbot_operator.decisions.platform.limits import find_violation

X = {"x": {"handle": "gull", "tokenSecret": {"name": "x", "key": "token"}, "acceptTerms": True}}
#: Limits, a spec that breaks them, what is said of it, and a spec that keeps them.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str, dict[str, Any]]] = {
    "bases": (
        {"bases": ["hf://gpt2", "s3://bases/*"]},
        {"model": {"base": "hf://gpt2-xl"}},
        "spec.model.base: write one of hf://gpt2, s3://bases/*",
        {"model": {"base": "s3://bases/gulls"}},
    ),
    "sources": ({"sources": ["archive"]}, {"sources": [X]}, "spec.sources: write archive", {}),
    "relations": (
        {"relations": ["Self", "Consented"]},
        {"subject": {"handle": "gull", "relation": "Parody"}},
        "spec.subject.relation: write one of Self, Consented",
        {"subject": {"handle": "gull", "relation": "Self"}},
    ),
    "buckets": (
        {"buckets": ["s3://{namespace}"]},
        {"output": {"s3": {"uri": "s3://team-ab/models"}}},
        "spec.output.s3.uri: write s3://team-a",
        {"output": {"s3": {"uri": "s3://team-a/models"}}},
    ),
    "no GPU": (
        {"maxGpuCount": 0},
        {},
        "spec.resources.gpu.count: write at most 0",
        {"resources": {"gpu": {"count": 0}}},
    ),
    "kinds of GPU": (
        {"gpuResources": ["amd.com/gpu"]},
        {},
        "spec.resources.gpu.resource: write amd.com/gpu",
        {"resources": {"gpu": {"count": 0}}},
    ),
    "deadlines": (
        {"maxActiveDeadlineSeconds": 3600},
        {},
        "spec.run.activeDeadlineSeconds: write at most 3600",
        {"run": {"activeDeadlineSeconds": 3600}},
    ),
    "schedules": (
        {"minScheduleSeconds": 86400},
        {"schedule": {"cron": "0 3,4 * * *"}},
        "spec.schedule.cron: write times at least 86400 seconds apart",
        {"schedule": {"cron": "0 3 * * *"}},
    ),
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_limit_names_the_field_and_what_it_allows(case: str) -> None:
    limits, broken, words, kept = CASES[case]
    allowed = a_class(limits=limits)
    assert allowed.error == ""
    assert find_violation(a_bot(**broken), allowed.spec.limits) == words
    assert find_violation(a_bot(**kept), allowed.spec.limits) is None


def test_without_limits_everything_is_allowed() -> None:
    assert find_violation(a_bot(sources=[X]), a_class().spec.limits) is None


@pytest.mark.parametrize(
    ("hours", "field"),
    [
        ({"start": 4, "end": 4}, "spec.limits.scheduleHours.end: write two different hours"),
        ({"start": 4, "end": 6, "timeZone": "Mars/Olympus"}, "spec.limits.scheduleHours.timeZone: write a name of"),
    ],
)
def test_hours_that_mean_nothing_are_refused(hours: dict[str, Any], field: str) -> None:
    assert a_class(limits={"scheduleHours": hours}).error.startswith(field)
