"""Our own loop over a GPT-2: steps of about equal label tokens, a cosine, and the best weights kept."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import GPT2LMHeadModel

from tweetbot_contract import reasons
from tweetbot_trainer.errors import Diverged, SpecRefused, Stopped
from tweetbot_trainer.evaluation import nats_of
from tweetbot_trainer.training.forward import summed_loss
from tweetbot_trainer.training.model_setup import made_trainable, optimizer_of
from tweetbot_trainer.training.outcome import Hooks, MetricsRow, Progress, TrainingOutcome
from tweetbot_trainer.training.processors import Processor
from tweetbot_trainer.training.schedule import learning_rate
from tweetbot_trainer.training.values import TrainingValues
from tweetbot_trainer.training.windows import Step, Window, padded, planned_steps

#: Positions, padding included, of one forward and backward pass; a larger step is summed from several.
POSITIONS = 8192
#: How many steps at either end make the first and the last training loss.
ENDS = 10

Weights = dict[str, torch.Tensor]


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

    With `stop_early` it ends after the first epoch that does not lower the validation loss, and keeps the best
    weights; without, it keeps the last. Raises Stopped when `hooks.stop` says so, Diverged when the loss is no number,
    SpecRefused (OutOfMemory) when a GPU's memory is too small.
    """
    model.to(processor.device)
    try:
        with _repeatable(processor):
            return _Run(model, validation, values, processor, hooks, clock).through(windows, stop_early=stop_early)
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
    rows: list[MetricsRow] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    tokens: int = 0
    step_seconds: float = 0.0
    eval_loss: float | None = None
    best: tuple[float, int, Weights] | None = None

    def through(self, windows: Sequence[Window], *, stop_early: bool) -> TrainingOutcome:
        values = self.values
        begun = self.clock()
        plan = planned_steps(
            windows,
            batch_tokens=values.batch_tokens,
            epochs=values.epochs,
            seed=values.seed,
            weights=values.source_weights,
        )
        total = sum(map(len, plan))
        optimizer = optimizer_of(self.model, values)
        torch.manual_seed(values.seed)
        self._evaluate(0)
        for epoch, steps in enumerate(plan, start=1):
            made_trainable(self.model, values.dropout)
            for done, step in enumerate(steps, start=1):
                self._step(step, optimizer, total=total, epoch=epoch - 1 + done / len(steps))
            loss = self._evaluate(epoch)
            if stop_early and not self._keep_if_best(epoch, loss):
                break
        if self.best is not None:
            self.model.load_state_dict(self.best[2])
        self.model.eval()
        return self._outcome(epoch, self.best[1] if self.best else epoch, self.clock() - begun)

    def _step(self, step: Step, optimizer: torch.optim.Optimizer, *, total: int, epoch: float) -> None:
        if self.hooks.stop():
            raise Stopped(reasons.STOPPED, "The Pod was asked to end; nothing was published.")
        begun = self.clock()
        rate = learning_rate(len(self.losses), total, peak=self.values.learning_rate, warmup=self.values.warmup)
        for group in optimizer.param_groups:
            group["lr"] = rate
        labels = sum(window.labels for window in step)
        loss = self._gradients(step, labels)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.values.clip_norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        self._note(loss, labels, self.clock() - begun, total=total, epoch=epoch, rate=rate)

    def _gradients(self, step: Step, labels: int) -> float:
        loss = 0.0
        for part in padded(step, POSITIONS):
            with self._products():
                mean = summed_loss(self.model, part) / labels
            mean.backward()  # type: ignore[no-untyped-call]  # torch leaves it without types
            loss += mean.item()
        return self._finite(loss, "training")

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

    def _keep_if_best(self, epoch: int, loss: float) -> bool:
        if self.best is not None and self.best[0] <= loss:
            return False
        weights = {name: tensor.detach().cpu().clone() for name, tensor in self.model.state_dict().items()}
        self.best = (loss, epoch, weights)
        return True

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

    def _products(self) -> AbstractContextManager[Any]:
        if not self.processor.bf16:
            return nullcontext()
        return torch.autocast(self.processor.device, dtype=torch.bfloat16)

    def _outcome(self, epochs: int, best_epoch: int, seconds: float) -> TrainingOutcome:
        ends = max(1, min(ENDS, len(self.losses) // 10))
        return TrainingOutcome(
            steps=len(self.losses),
            epochs=epochs,
            best_epoch=best_epoch,
            first_train_loss=sum(self.losses[:ends]) / ends,
            train_loss=sum(self.losses[-ends:]) / ends,
            tokens=self.tokens,
            tokens_per_second=self.tokens / max(self.step_seconds, 1e-9),
            seconds=seconds,
            processor=self.processor,
            rows=tuple(self.rows),
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
