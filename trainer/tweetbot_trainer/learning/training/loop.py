"""Our own loop over a GPT-2: steps of about equal label tokens, a cosine, the best weights kept, and checkpoints."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from transformers import GPT2LMHeadModel

from tweetbot_contract import reasons
from tweetbot_trainer.learning.batches.examples import Batch, Example, make_batches
from tweetbot_trainer.learning.batches.forward import compute_total_nats
from tweetbot_trainer.learning.training.callbacks import Callbacks, TrainOutput
from tweetbot_trainer.learning.training.device import Device
from tweetbot_trainer.learning.training.gradients import GradientAccumulator
from tweetbot_trainer.learning.training.metrics import LogEntry, TrainingProgress
from tweetbot_trainer.learning.training.schedule import compute_learning_rate, should_stop
from tweetbot_trainer.learning.training.setup import create_optimizer, prepare_for_training
from tweetbot_trainer.learning.training.state import (
    BestWeights,
    Checkpoint,
    TrainerState,
    capture,
    copy_weights,
    find_incompatibility,
    load_weights,
    restore,
)
from tweetbot_trainer.learning.values import Hyperparameters
from tweetbot_trainer.runtime.errors import SpecRefused, StageStopped, TrainingDiverged

#: How many steps at either end make the first and the last training loss.
ENDS = 10


def train(
    model: GPT2LMHeadModel,
    examples: Sequence[Example],
    validation: Sequence[Example],
    hyperparameters: Hyperparameters,
    *,
    device: Device,
    callbacks: Callbacks,
    stop_early: bool,
    clock: Callable[[], float] = time.monotonic,
) -> TrainOutput:
    """Fine-tune the model in place, on the processor, and leave it there in evaluation mode.

    It goes on from the newest of `callbacks.checkpoints`; on a CPU with the same number of threads, that gives the same
    weights as a training that was never stopped. With `stop_early` it keeps the best weights, and ends before its
    last epoch where the validation loss has clearly risen (early_stopping.past_its_best); without, it keeps the last
    weights. Raises Stopped when `callbacks.stop` says so, a checkpoint kept; Diverged when the loss is no number;
    SpecRefused (OutOfMemory) when a GPU's memory is too small for half a pass as well.
    """
    model.to(device.device_type)
    try:
        with _enable_determinism(device):
            optimizer = create_optimizer(model, hyperparameters)
            gradients = GradientAccumulator(model, device, callbacks.on_reduce)
            trainer = Trainer(
                model, validation, hyperparameters, device, callbacks, clock, optimizer, gradients, begun=clock()
            )
            return trainer.train(examples, stop_early=stop_early)
    except torch.OutOfMemoryError as error:
        text = f"{device.name} has too little memory: lower training.batchTokens, or ask for a larger GPU."
        raise SpecRefused(reasons.OUT_OF_MEMORY, text) from error


@dataclass(slots=True)
class Trainer:
    """One training: the model, what is fixed for it, and how far it has come."""

    model: GPT2LMHeadModel
    validation: Sequence[Example]
    hyperparameters: Hyperparameters
    device: Device
    callbacks: Callbacks
    clock: Callable[[], float]
    optimizer: torch.optim.Optimizer
    gradients: GradientAccumulator
    begun: float
    log_history: list[LogEntry] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    tokens: int = 0
    step_seconds: float = 0.0
    eval_loss: float | None = None
    best: BestWeights | None = None
    epoch: int = 1
    done: int = 0

    def train(self, examples: Sequence[Example], *, stop_early: bool) -> TrainOutput:
        """Train through every epoch, or until the validation loss rises if `stop_early`. Raises what `train` does."""
        plan = _plan_batches(examples, self.hyperparameters)
        total = sum(map(len, plan))
        self._begin()
        while self.epoch <= len(plan):
            self._finish_epoch(plan[self.epoch - 1], total)
            loss = self._evaluate(self.epoch)
            if stop_early:
                self._keep_if_best(loss)
                if should_stop(self._collect_eval_losses()):
                    break
            self.epoch, self.done = self.epoch + 1, 0
        epochs = min(self.epoch, len(plan))
        if self.best is not None:
            load_weights(self.model, self.best.weights)
        self.model.eval()
        return self._build_output(epochs, self.best.epoch if self.best else epochs)

    def _begin(self) -> None:
        """Go on from the newest checkpoint, or begin."""
        checkpoint = self.callbacks.checkpoints.load_newest(
            self.device, lambda found: find_incompatibility(found, self.model, self.optimizer)
        )
        if checkpoint is None:
            torch.manual_seed(self.hyperparameters.seed)
            self._evaluate(0)
            return
        restore(checkpoint, self.model, self.optimizer)
        trainer_state = checkpoint.trainer_state
        self.epoch, self.done, self.best, self.eval_loss = (
            trainer_state.epoch,
            trainer_state.done,
            checkpoint.best,
            trainer_state.eval_loss,
        )
        self.tokens, self.step_seconds = trainer_state.tokens, trainer_state.step_seconds
        self.losses, self.log_history = list(trainer_state.losses), list(trainer_state.rows)
        self.begun -= trainer_state.seconds
        self.callbacks.on_resume(trainer_state.rows)

    def _finish_epoch(self, batches: Sequence[Batch], total: int) -> None:
        prepare_for_training(self.model, self.hyperparameters.dropout, self.hyperparameters.attention_dropout)
        for batch in batches[self.done :]:
            if self.callbacks.should_training_stop():
                self.callbacks.checkpoints.save(self._capture_checkpoint(), last=True)
                text = f"The Pod was asked to end, after {len(self.losses)} steps of training; nothing was published."
                raise StageStopped(reasons.STOPPED, text)
            self._train_step(batch, total=total, epoch=self.epoch - 1 + (self.done + 1) / len(batches))
            self.done += 1
            if self.callbacks.checkpoints.is_due():
                self.callbacks.checkpoints.save(self._capture_checkpoint())

    def _capture_checkpoint(self) -> Checkpoint:
        trainer_state = TrainerState(
            epoch=self.epoch,
            done=self.done,
            tokens=self.tokens,
            step_seconds=self.step_seconds,
            seconds=self.clock() - self.begun,
            eval_loss=self.eval_loss,
            losses=tuple(self.losses),
            rows=tuple(self.log_history),
            processor=self.device.name,
            threads=self.device.threads,
            best_loss=self.best.loss if self.best else None,
            best_epoch=self.best.epoch if self.best else None,
        )
        return capture(trainer_state, self.model, self.optimizer, self.best)

    def _train_step(self, batch: Batch, *, total: int, epoch: float) -> None:
        begun = self.clock()
        rate = compute_learning_rate(
            len(self.losses), total, peak=self.hyperparameters.get_peak_rate(total), warmup=self.hyperparameters.warmup
        )
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        labels = sum(example.labels for example in batch)
        loss = self._require_finite(self.gradients.accumulate(batch), "training")
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.hyperparameters.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self._log_step(loss, labels, self.clock() - begun, total=total, epoch=epoch, rate=rate)

    def _log_step(self, loss: float, labels: int, seconds: float, *, total: int, epoch: float, rate: float) -> None:
        self.losses.append(loss)
        self.tokens += labels
        self.step_seconds += seconds
        done, speed = len(self.losses), self.tokens / max(self.step_seconds, 1e-9)
        self._record(LogEntry(done, epoch, train_loss=loss, learning_rate=rate, tokens_per_second=speed))
        left = self.step_seconds / done * (total - done)
        self.callbacks.on_progress(
            TrainingProgress(done, total, epoch, train_loss=loss, eval_loss=self.eval_loss, eta_seconds=left)
        )

    def _evaluate(self, epoch: int) -> float:
        nats = compute_total_nats(self.model, self.validation)
        loss = self._require_finite(nats / sum(example.labels for example in self.validation), "validation")
        self.eval_loss = loss
        self._record(LogEntry(len(self.losses), float(epoch), eval_loss=loss))
        return loss

    def _keep_if_best(self, loss: float) -> None:
        if self.best is None or loss < self.best.loss:
            self.best = BestWeights(loss, self.epoch, copy_weights(self.model))

    def _collect_eval_losses(self) -> list[float]:
        """Return the validation loss after each epoch; that before the first step is none of them."""
        return [entry.eval_loss for entry in self.log_history if entry.eval_loss is not None and entry.epoch > 0]

    def _record(self, entry: LogEntry) -> None:
        self.log_history.append(entry)
        self.callbacks.on_log(entry)

    def _require_finite(self, loss: float, kind: str) -> float:
        if math.isfinite(loss):
            return loss
        text = (
            f"The {kind} loss became {loss} at step {len(self.losses) + 1} with learning rate "
            f"{self.hyperparameters.learning_rate:g}: lower training.learningRate, or leave it unset."
        )
        raise TrainingDiverged(reasons.DIVERGED, text)

    def _build_output(self, epochs: int, best_epoch: int) -> TrainOutput:
        ends = max(1, min(ENDS, len(self.losses) // 10))
        return TrainOutput(
            steps=len(self.losses),
            epochs=epochs,
            best_epoch=best_epoch,
            first_train_loss=sum(self.losses[:ends]) / ends,
            train_loss=sum(self.losses[-ends:]) / ends,
            tokens=self.tokens,
            tokens_per_second=self.tokens / max(self.step_seconds, 1e-9),
            seconds=self.clock() - self.begun,
            device=self.device,
            log_history=tuple(self.log_history),
            reduced_to=self.gradients.reduced_to,
        )


def _plan_batches(examples: Sequence[Example], hyperparameters: Hyperparameters) -> list[list[Batch]]:
    return make_batches(
        examples,
        batch_tokens=hyperparameters.batch_tokens,
        epochs=hyperparameters.epochs,
        seed=hyperparameters.seed,
        weights=hyperparameters.source_weights,
    )


@contextmanager
def _enable_determinism(device: Device) -> Iterator[None]:
    """On a GPU take kernels that give the same sums each time; a CPU's do with the same thread count."""
    if device.device_type == "cpu":
        yield
        return
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
