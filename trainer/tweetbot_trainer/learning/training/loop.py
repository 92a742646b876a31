"""Our own loop over a GPT-2: steps of about equal label tokens, a cosine, the best weights kept, and checkpoints."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from transformers import GPT2LMHeadModel

from tweetbot_contract import reasons
from tweetbot_trainer.learning.batches.forward import nats_of
from tweetbot_trainer.learning.batches.windows import Step, Window, planned_steps
from tweetbot_trainer.learning.training.callbacks import Hooks, TrainingOutcome
from tweetbot_trainer.learning.training.device import Processor
from tweetbot_trainer.learning.training.gradients import Gradients
from tweetbot_trainer.learning.training.metrics import MetricsRow, Progress
from tweetbot_trainer.learning.training.schedule import learning_rate, past_its_best
from tweetbot_trainer.learning.training.setup import made_trainable, optimizer_of
from tweetbot_trainer.learning.training.state import (
    Best,
    Course,
    TrainingState,
    captured,
    misfit,
    put_weights,
    restore,
    weights_of,
)
from tweetbot_trainer.learning.values import TrainingValues
from tweetbot_trainer.runtime.errors import Diverged, SpecRefused, Stopped

#: How many steps at either end make the first and the last training loss.
ENDS = 10


def train(
    model: GPT2LMHeadModel,
    windows: Sequence[Window],
    validation: Sequence[Window],
    values: TrainingValues,
    *,
    processor: Processor,
    hooks: Hooks,
    stop_early: bool,
    clock: Callable[[], float] = time.monotonic,
) -> TrainingOutcome:
    """Fine-tune the model in place, on the processor, and leave it there in evaluation mode.

    It goes on from the newest of `hooks.checkpoints`; on a CPU with the same number of threads, that gives the same
    weights as a training that was never stopped. With `stop_early` it keeps the best weights, and ends before its
    last epoch where the validation loss has clearly risen (early_stopping.past_its_best); without, it keeps the last
    weights. Raises Stopped when `hooks.stop` says so, a checkpoint kept; Diverged when the loss is no number;
    SpecRefused (OutOfMemory) when a GPU's memory is too small for half a pass as well.
    """
    model.to(processor.device)
    try:
        with _repeatable(processor):
            optimizer = optimizer_of(model, values)
            gradients = Gradients(model, processor, hooks.halved)
            run = _Run(model, validation, values, processor, hooks, clock, optimizer, gradients, begun=clock())
            return run.through(windows, stop_early=stop_early)
    except torch.OutOfMemoryError as error:
        text = f"{processor.name} has too little memory: lower training.batchTokens, or ask for a larger GPU."
        raise SpecRefused(reasons.OUT_OF_MEMORY, text) from error


@dataclass(slots=True)
class _Run:
    model: GPT2LMHeadModel
    validation: Sequence[Window]
    values: TrainingValues
    processor: Processor
    hooks: Hooks
    clock: Callable[[], float]
    optimizer: torch.optim.Optimizer
    gradients: Gradients
    begun: float
    rows: list[MetricsRow] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    tokens: int = 0
    step_seconds: float = 0.0
    eval_loss: float | None = None
    best: Best | None = None
    epoch: int = 1
    done: int = 0

    def through(self, windows: Sequence[Window], *, stop_early: bool) -> TrainingOutcome:
        plan = _plan(windows, self.values)
        total = sum(map(len, plan))
        self._begin()
        while self.epoch <= len(plan):
            self._finish_epoch(plan[self.epoch - 1], total)
            loss = self._evaluate(self.epoch)
            if stop_early:
                self._keep_if_best(loss)
                if past_its_best(self._losses_by_epoch()):
                    break
            self.epoch, self.done = self.epoch + 1, 0
        epochs = min(self.epoch, len(plan))
        if self.best is not None:
            put_weights(self.model, self.best.weights)
        self.model.eval()
        return self._outcome(epochs, self.best.epoch if self.best else epochs)

    def _begin(self) -> None:
        """Go on from the newest checkpoint, or begin."""
        state = self.hooks.checkpoints.newest(self.processor, lambda found: misfit(found, self.model, self.optimizer))
        if state is None:
            torch.manual_seed(self.values.seed)
            self._evaluate(0)
            return
        restore(state, self.model, self.optimizer)
        course = state.course
        self.epoch, self.done, self.best, self.eval_loss = course.epoch, course.done, state.best, course.eval_loss
        self.tokens, self.step_seconds = course.tokens, course.step_seconds
        self.losses, self.rows = list(course.losses), list(course.rows)
        self.begun -= course.seconds
        self.hooks.resumed(course.rows)

    def _finish_epoch(self, steps: Sequence[Step], total: int) -> None:
        made_trainable(self.model, self.values.dropout, self.values.attention_dropout)
        for step in steps[self.done :]:
            if self.hooks.stop():
                self.hooks.checkpoints.save(self._state(), last=True)
                text = f"The Pod was asked to end, after {len(self.losses)} steps of training; nothing was published."
                raise Stopped(reasons.STOPPED, text)
            self._step(step, total=total, epoch=self.epoch - 1 + (self.done + 1) / len(steps))
            self.done += 1
            if self.hooks.checkpoints.due():
                self.hooks.checkpoints.save(self._state())

    def _state(self) -> TrainingState:
        course = Course(
            epoch=self.epoch,
            done=self.done,
            tokens=self.tokens,
            step_seconds=self.step_seconds,
            seconds=self.clock() - self.begun,
            eval_loss=self.eval_loss,
            losses=tuple(self.losses),
            rows=tuple(self.rows),
            processor=self.processor.name,
            threads=self.processor.threads,
            best_loss=self.best.loss if self.best else None,
            best_epoch=self.best.epoch if self.best else None,
        )
        return captured(course, self.model, self.optimizer, self.best)

    def _step(self, step: Step, *, total: int, epoch: float) -> None:
        begun = self.clock()
        rate = learning_rate(len(self.losses), total, peak=self.values.peak_rate(total), warmup=self.values.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        labels = sum(window.labels for window in step)
        loss = self._finite(self.gradients.of(step), "training")
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.values.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self._note(loss, labels, self.clock() - begun, total=total, epoch=epoch, rate=rate)

    def _note(self, loss: float, labels: int, seconds: float, *, total: int, epoch: float, rate: float) -> None:
        self.losses.append(loss)
        self.tokens += labels
        self.step_seconds += seconds
        done, speed = len(self.losses), self.tokens / max(self.step_seconds, 1e-9)
        self._record(MetricsRow(done, epoch, train_loss=loss, learning_rate=rate, tokens_per_second=speed))
        left = self.step_seconds / done * (total - done)
        self.hooks.progress(Progress(done, total, epoch, train_loss=loss, eval_loss=self.eval_loss, eta_seconds=left))

    def _evaluate(self, epoch: int) -> float:
        nats = nats_of(self.model, self.validation)
        loss = self._finite(nats / sum(window.labels for window in self.validation), "validation")
        self.eval_loss = loss
        self._record(MetricsRow(len(self.losses), float(epoch), eval_loss=loss))
        return loss

    def _keep_if_best(self, loss: float) -> None:
        if self.best is None or loss < self.best.loss:
            self.best = Best(loss, self.epoch, weights_of(self.model))

    def _losses_by_epoch(self) -> list[float]:
        """Return the validation loss after each epoch; that before the first step is none of them."""
        return [row.eval_loss for row in self.rows if row.eval_loss is not None and row.epoch > 0]

    def _record(self, row: MetricsRow) -> None:
        self.rows.append(row)
        self.hooks.record(row)

    def _finite(self, loss: float, kind: str) -> float:
        if math.isfinite(loss):
            return loss
        text = (
            f"The {kind} loss became {loss} at step {len(self.losses) + 1} with learning rate "
            f"{self.values.learning_rate:g}: lower training.learningRate, or leave it unset."
        )
        raise Diverged(reasons.DIVERGED, text)

    def _outcome(self, epochs: int, best_epoch: int) -> TrainingOutcome:
        ends = max(1, min(ENDS, len(self.losses) // 10))
        return TrainingOutcome(
            steps=len(self.losses),
            epochs=epochs,
            best_epoch=best_epoch,
            first_train_loss=sum(self.losses[:ends]) / ends,
            train_loss=sum(self.losses[-ends:]) / ends,
            tokens=self.tokens,
            tokens_per_second=self.tokens / max(self.step_seconds, 1e-9),
            seconds=self.clock() - self.begun,
            processor=self.processor,
            rows=tuple(self.rows),
            halved_to=self.gradients.halved_to,
        )


def _plan(windows: Sequence[Window], values: TrainingValues) -> list[list[Step]]:
    return planned_steps(
        windows,
        batch_tokens=values.batch_tokens,
        epochs=values.epochs,
        seed=values.seed,
        weights=values.source_weights,
    )


@contextmanager
def _repeatable(processor: Processor) -> Iterator[None]:
    """On a GPU take kernels that give the same sums each time; a CPU's do with the same thread count."""
    if processor.device == "cpu":
        yield
        return
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
