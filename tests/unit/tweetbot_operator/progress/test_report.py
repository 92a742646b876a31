"""What a report may say, and what a body that is none is told."""

import pytest

from builders.progress import a_report
from tweetbot_operator.progress.errors import Unreadable
from tweetbot_operator.progress.report import parse_report
from tweetbot_operator.types.progress import Report


def test_a_report_is_read_by_the_names_of_hugging_face() -> None:
    body = a_report(42, 90, loss=2.5, eval_loss=2.75, current_step=42, total_steps=100, current_epoch=1.5)
    assert parse_report(body) == Report(42, 42, 100, 90, train_loss=2.5, eval_loss=2.75)


def test_what_is_not_said_is_not_invented() -> None:
    assert parse_report(b'{"trainerStatus": {}}') == Report()


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999", "much", "", "0x10"])
def test_a_figure_that_is_no_finite_number_says_nothing(value: str) -> None:
    assert parse_report(a_report(1, loss=value, current_step=value)) == Report(percent=1)


def test_fields_of_a_later_version_are_passed_over() -> None:
    assert parse_report(b'{"kind": "x", "trainerStatus": {"progressPercentage": 7, "phase": "warmup"}}') == Report(7)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", "body"),
        (b"[]", "body"),
        (b"\xff", "body"),
        (b"{}", "trainerStatus"),
        (b'{"trainerStatus": 1}', "trainerStatus"),
        (a_report(101), "trainerStatus.progressPercentage"),
        (a_report(-1), "trainerStatus.progressPercentage"),
        (a_report(1, -1), "trainerStatus.estimatedRemainingSeconds"),
        (a_report(1, 10**12), "trainerStatus.estimatedRemainingSeconds"),
        (a_report(1, **{"a" * 65: 1}), "trainerStatus.metrics.0.name"),
        (a_report(1, loss="9" * 65), "trainerStatus.metrics.0.value"),
        (a_report(1, **{f"m{number}": 1 for number in range(257)}), "trainerStatus.metrics"),
        (b"[" * 50_000, "body"),
    ],
)
def test_a_body_that_is_no_report_is_refused_by_field(body: bytes, place: str) -> None:
    with pytest.raises(Unreadable, match=f"^{place}: "):
        parse_report(body)


def test_a_report_keeps_what_was_known_except_the_estimate() -> None:
    former = Report(40, 4, 10, 90, train_loss=2.5, eval_loss=2.75)
    assert Report(percent=50, train_loss=2.0).merge(former) == Report(50, 4, 10, None, train_loss=2.0, eval_loss=2.75)


@pytest.mark.parametrize(
    ("report", "behind"),
    [(Report(40, 4), False), (Report(39), True), (Report(step=3), True), (Report(), False), (Report(41, 3), True)],
)
def test_a_training_never_goes_back(report: Report, behind: bool) -> None:
    assert report.is_behind(Report(40, 4)) is behind
