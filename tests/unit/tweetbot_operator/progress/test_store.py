"""What is known live, and of whom Prometheus hears."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from prometheus_client import REGISTRY

from builders.operator import a_run, seconds_after_noon
from builders.progress import Training
from tweetbot_operator.progress.errors import Outdated
from tweetbot_operator.types.progress import LatestReport, Report


@pytest.fixture
def training() -> Iterator[Training]:
    """A training whose figures are gone afterwards: the registry is the process's."""
    training = Training("boarded")
    yield training
    training.board.clear()


def shown(figure: str) -> float | None:
    return REGISTRY.get_sample_value(f"tweetbot_run_{figure}", {"bot_namespace": "team-a", "bot": "boarded"})


def test_a_report_is_live_at_once(training: Training) -> None:
    training.board.take(training.run, training.pod, Report(42, 21, 50, 90, train_loss=2.5))
    assert (shown("progress_percent"), shown("eta_seconds"), shown("step"), shown("train_loss")) == (42, 90, 21, 2.5)
    assert shown("eval_loss") is None
    live = training.board.get(training.run.key)
    assert live == LatestReport(training.run.run, training.pod.uid, Report(42, 21, 50, 90, train_loss=2.5))


def test_an_estimate_that_is_not_repeated_is_shown_no_longer(training: Training) -> None:
    training.board.take(training.run, training.pod, Report(42, eta_seconds=90))
    training.board.take(training.run, training.pod, Report(43))
    assert (shown("progress_percent"), shown("eta_seconds")) == (43, None)


def test_a_step_back_is_refused_and_changes_nothing(training: Training) -> None:
    training.board.take(training.run, training.pod, Report(42, 21))
    with pytest.raises(Outdated):
        training.board.take(training.run, training.pod, Report(43, 20))
    assert shown("progress_percent") == 42


def test_a_new_attempt_begins_anew(training: Training) -> None:
    training.board.take(training.run, training.pod, Report(42, 21, eval_loss=2.0))
    second = replace(training.pod, uid="second", created_at=seconds_after_noon(60))
    training.board.take(training.run, second, Report(1, 1))
    assert (shown("progress_percent"), shown("eval_loss")) == (1, None)
    with pytest.raises(Outdated):
        training.board.take(training.run, training.pod, Report(99, 99))


def test_a_pass_is_asked_for_every_five_points_and_no_oftener(training: Training) -> None:
    for percent in range(101):
        for _ in range(3):
            training.board.take(training.run, training.pod, Report(percent))
    assert training.passes == [training.run.key] * 21


@pytest.mark.parametrize("end", ["outcome", "stage", "another run", "no run", "gone"])
def test_the_figures_go_when_the_run_ends(training: Training, end: str) -> None:
    training.board.take(training.run, training.pod, Report(42))
    run = a_run(training.bot, stage="Train")
    training.board.prune(training.run.key, run)
    assert shown("progress_percent") == 42
    match end:
        case "outcome":
            training.board.prune(training.run.key, run.model_copy(update={"outcome": "Succeeded"}))
        case "stage":
            training.board.prune(training.run.key, run.model_copy(update={"stage": "Prepare"}))
        case "another run":
            training.board.prune(training.run.key, run.model_copy(update={"id": "0" * 16}))
        case "no run":
            training.board.prune(training.run.key, None)
        case _:
            training.board.forget(training.run.key)
    assert (shown("progress_percent"), training.board.get(training.run.key)) == (None, None)
