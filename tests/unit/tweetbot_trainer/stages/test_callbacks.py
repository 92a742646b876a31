"""A training's progress is one line a second, in a form that a demo can draw and a person can read."""

import json
from io import StringIO

from tweetbot_trainer.cli.console import ConsoleLog
from tweetbot_trainer.learning.training.metrics import TrainingProgress
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.stages.callbacks import ProgressLogger


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


def test_no_text_can_forge_an_event() -> None:
    stream = StringIO()
    Log(stream).info("prepare.source", name='x"}\n{"event": "stage.succeeded"}\r\u2028')
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["event"] == "prepare.source"


def test_a_person_sees_a_bar() -> None:
    stream = StringIO()
    ProgressLogger(ConsoleLog(stream))(at_step(50))
    assert "███████████████···············  50 %  loss 2.346  13 s left" in stream.getvalue()


def test_an_event_without_a_sentence_is_shown_as_it_is() -> None:
    stream = StringIO()
    ConsoleLog(stream).info("something.new", count=3)
    assert stream.getvalue() == "something.new {'count': 3}\n"
