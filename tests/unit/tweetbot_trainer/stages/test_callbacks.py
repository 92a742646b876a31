"""A training's progress is one line a second, in a form that a demo can draw and a person can read."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

from builders.stages import a_local_run
from tweetbot_trainer.cli.console import ConsoleLog
from tweetbot_trainer.learning.evaluation.memorization import Memorization
from tweetbot_trainer.learning.training.metrics import TrainingProgress
from tweetbot_trainer.publishing.tracking.interface import NullTracker
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.progress import StageProgress
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.stages.callbacks import Estimate, ProgressLogger, ProgressReporter, training_callbacks


def at_step(step: int, *, total: int = 100) -> TrainingProgress:
    return TrainingProgress(step, total, 0.5, train_loss=2.34567, eval_loss=None, eta_seconds=12.7)


def test_a_progress_line_tells_all_that_a_bar_needs() -> None:
    stream = StringIO()
    ProgressLogger(Log(stream, stage="Train"))(at_step(7))
    told = json.loads(stream.getvalue())
    assert (told["event"], told["stage"], told["percent"], told["step"]) == ("progress", "Train", 7, 7)
    assert (told["totalSteps"], told["etaSeconds"], told["trainLoss"]) == (100, 13, 2.3457)


def test_at_most_one_line_a_second_and_the_last_step_always() -> None:
    stream, now = StringIO(), [0.0]
    lines = ProgressLogger(Log(stream), clock=lambda: now[0])
    for step in range(1, 101):
        now[0] = step * 0.25
        lines(at_step(step))
    steps = [json.loads(line)["step"] for line in stream.getvalue().splitlines()]
    assert steps == [*range(1, 100, 4), 100]


def test_steps_that_are_halved_are_logged_and_noted(tmp_path: Path) -> None:
    noted, log = list[str](), StringIO()
    metrics, progress = tmp_path / "metrics.jsonl", StageProgress()
    with training_callbacks(
        metrics, NullTracker(), Log(log), StopRequest(), progress=progress, note=noted.append
    ) as callbacks:
        callbacks.on_reduce(512)
    assert json.loads(log.getvalue())["positions"] == 512
    assert [message.startswith("The GPU ran out of memory") for message in noted] == [True]


def test_no_text_can_forge_an_event() -> None:
    stream = StringIO()
    Log(stream).info("prepare.source", name='x"}\n{"event": "stage.succeeded"}\r\u2028')
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["event"] == "prepare.source"


def test_a_person_sees_a_bar() -> None:
    stream = StringIO()
    ProgressLogger(ConsoleLog(stream))(at_step(50))
    assert "███████████████···············  50 %  loss 2.346  13 s left" in stream.getvalue()


def test_a_notebook_sees_one_line_that_is_overwritten() -> None:
    stream = StringIO()
    log = ConsoleLog(stream, overwrite=True)
    ProgressLogger(log)(at_step(50))
    log.info("train.trained", processor="a processor")
    shown, end = stream.getvalue().split("\r")
    assert (shown.count("\n"), end) == (0, "\ntrained on a processor\n")


def test_the_measurement_of_copies_is_a_sentence() -> None:
    stream = StringIO()
    found = Memorization(1000, 0.487, 0.9, 0.1, unseen_rate=0.1, leaked=0, distinct=(0.1, 0.2, 0.3), has_passages=True)
    ConsoleLog(stream).info("train.evaluated", **found.as_json(), style={})
    assert stream.getvalue() == "1000 texts written: 48.7% repeat 50 characters of a training post\n"


def test_an_event_without_a_sentence_is_shown_as_it_is() -> None:
    stream = StringIO()
    ConsoleLog(stream).info("something.new", count=3)
    assert stream.getvalue() == "something.new {'count': 3}\n"


# ---- what the operator reads


def test_the_operator_reads_every_figure_of_the_latest_step() -> None:
    progress = StageProgress()
    report = ProgressReporter(progress)
    report(at_step(7))
    report(at_step(8))
    shown = progress.build_report(a_local_run(Path("/nowhere")), "uid")
    assert (shown.percent, shown.step, shown.total_steps, shown.train_loss) == (8, 8, 100, 2.3457)
    assert shown.eta_seconds is not None


def test_a_training_is_done_when_its_stage_has_ended() -> None:
    progress = StageProgress()
    ProgressReporter(progress)(at_step(100))
    assert progress.build_report(a_local_run(Path("/nowhere")), "uid").percent == 99


# ---- the estimate


def estimates(seconds_of: Callable[[int], float], *, steps: int = 200) -> list[float]:
    """Return the error of each estimate as a share of the whole training, for steps of these lengths."""
    now = [0.0]
    estimate, ends = Estimate(clock=lambda: now[0]), sum(seconds_of(step) for step in range(1, steps + 1))
    errors = []
    for step in range(1, steps + 1):
        now[0] += seconds_of(step)
        left = estimate.estimate_seconds_left(at_step(step, total=steps))
        if left is not None:
            errors.append(abs(now[0] + left - ends) / ends)
    return errors


PACES: dict[str, Callable[[int], float]] = {
    "steady": lambda step: 1.0,
    "warm-up": lambda step: 60.0 if step == 1 else 1.0,
    "evaluations": lambda step: 21.0 if step % 50 == 0 else 1.0,
    "uneven": lambda step: 0.5 + (step * 7919 % 11) / 10,
    "slower": lambda step: 1.0 if step < 100 else 2.0,
}


@pytest.mark.parametrize("pace", PACES)
def test_the_estimate_converges(pace: str) -> None:
    errors = estimates(PACES[pace])
    assert errors[-1] < 1e-9
    assert max(errors[-20:]) < 0.1
    assert sum(errors[100:]) < sum(errors[:100]) + 1e-6


def test_a_warm_up_does_not_spoil_the_estimate() -> None:
    assert max(estimates(PACES["warm-up"])) < 1e-9


def test_nothing_is_estimated_from_one_step() -> None:
    assert Estimate().estimate_seconds_left(at_step(1)) is None
