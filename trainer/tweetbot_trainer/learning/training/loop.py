"""The training loop: batches of about equal label tokens, a cosine schedule, best weights, and checkpoints."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch

from tweetbot_contract import reasons
from tweetbot_trainer.learning.batches.batching import Batch, make_batches
from tweetbot_trainer.learning.batches.examples import Example
from tweetbot_trainer.learning.batches.forward import compute_total_nats
from tweetbot_trainer.learning.decoder.decoder import Decoder
from tweetbot_trainer.learning.training.callbacks import Callbacks, TrainOutput
from tweetbot_trainer.learning.training.device import Device
from tweetbot_trainer.learning.training.gradients import GradientAccumulator
from tweetbot_trainer.learning.training.metrics import LogEntry, TrainingProgress
from tweetbot_trainer.learning.training.optimizer import Optimizer, create_optimizer
from tweetbot_trainer.learning.training.schedule import compute_learning_rate, should_stop
from tweetbot_trainer.learning.training.state import (
    Checkpoint,
    TrainerState,
    Weights,
    capture,
    copy_weights,
    find_incompatibility,
    load_weights,
    restore,
)
from tweetbot_trainer.learning.values import Hyperparameters
from tweetbot_trainer.runtime.errors import SpecRefused, StageStopped, TrainingDiverged

#: The first and the last training loss are means over up to this many steps.
ENDS = 10


def train(
    model: Decoder,
    examples: Sequence[Example],
    validation: Sequence[Example],
    hyperparameters: Hyperparameters,
    *,
    device: Device,
    callbacks: Callbacks,
    stop_early: bool,
    clock: Callable[[], float] = time.monotonic,
) -> TrainOutput:
    """Train the model in place on the device, and leave it there in evaluation mode.

    Continues from the newest of `callbacks.checkpoints`; on a CPU with the same thread count the weights are then those
    of a training that was never stopped. With `stop_early` it keeps the best weights, and ends before the last epoch
    if the validation loss has clearly risen (`should_stop`); without, it keeps the last. Of several processes
    (`device.ranks`) the first alone reads and writes checkpoints, and gets the best weights.

    Raises StageStopped if `callbacks` demand it, after a checkpoint; TrainingDiverged if a loss is not finite;
    SpecRefused (OutOfMemory) if a GPU's memory is too small even for half a micro-batch.
    """
    model.to(device.device_type)
    try:
        with _enable_determinism(device):
            optimizer = create_optimizer(model, hyperparameters)
            gradients = GradientAccumulator(model, device, callbacks.on_reduce)
            state = TrainerState(
                processor=device.name, threads=device.threads, precision=device.precision, products=device.products
            )
            trainer = Trainer(
                model, validation, hyperparameters, device, callbacks, clock, optimizer, gradients, state, begun=clock()
            )
            return trainer.train(examples, stop_early=stop_early)
    except torch.OutOfMemoryError as error:
        text = f"{device.name} has too little memory: lower spec.training.batchTokens, or ask for a larger GPU."
        raise SpecRefused(reasons.OUT_OF_MEMORY, text) from error


@dataclass(slots=True)
class Trainer:
    """One training: what it works with, its state, and the best weights so far."""

    model: Decoder
    validation: Sequence[Example]
    hyperparameters: Hyperparameters
    device: Device
    callbacks: Callbacks
    clock: Callable[[], float]
    optimizer: Optimizer
    gradients: GradientAccumulator
    state: TrainerState
    begun: float
    best: Weights | None = None

    def train(self, examples: Sequence[Example], *, stop_early: bool) -> TrainOutput:
        """Train through all epochs, or with `stop_early` until the validation loss rises. Raises as the function."""
        values = self.hyperparameters
        plan = make_batches(
            examples,
            batch_tokens=values.batch_tokens,
            epochs=values.epochs,
            seed=values.seed,
            weights=values.source_weights,
        )
        total = sum(map(len, plan))
        self._begin()
        state = self.state
        while state.epoch <= len(plan):
            self._finish_epoch(plan[state.epoch - 1], total)
            loss = self._evaluate(state.epoch)
            if stop_early:
                self._keep_if_best(loss)
                if should_stop(self._collect_eval_losses()):
                    break
            state.epoch, state.done = state.epoch + 1, 0
        epochs = min(state.epoch, len(plan))
        if self.best is not None:
            load_weights(self.model, self.best)
        self.model.eval()
        return self._build_output(epochs, state.best_epoch or epochs)

    def _begin(self) -> None:
        """Continue from the newest checkpoint, or seed the generators and evaluate the untrained model."""
        self._load_newest()
        self.state = self.device.ranks.share_beginning(
            self.state, self.model, self.optimizer, self.hyperparameters.seed
        )
        self._keep_precision(self.state)
        if not self.state.log_history:
            self._evaluate(0)

    def _load_newest(self) -> None:
        checkpoint = self.callbacks.checkpoints.load_newest(
            self.device, lambda found: find_incompatibility(found, self.model, self.optimizer)
        )
        if checkpoint is None:
            self.callbacks.on_device(self.device)
            torch.manual_seed(self.hyperparameters.seed)
            return
        restore(checkpoint, self.model, self.optimizer)
        found = checkpoint.trainer_state
        self._keep_precision(found)
        self.callbacks.on_device(self.device)
        self.state = replace(
            found,
            processor=self.device.name,
            threads=self.device.threads,
            precision=self.device.precision,
            products=self.device.products,
        )
        self.best = checkpoint.tensors.get("best")
        self.begun -= found.seconds
        self.callbacks.on_resume(found.log_history)

    def _keep_precision(self, found: TrainerState) -> None:
        """Go on in the format of the earlier attempts, also where this processor would have chosen the other."""
        if found.precision is not None:
            kept = replace(self.device, bf16=found.precision == "BF16", products=found.products)
            self.device = self.gradients.device = kept

    def _finish_epoch(self, batches: Sequence[Batch], total: int) -> None:
        state, checkpoints = self.state, self.callbacks.checkpoints
        self.model.set_dropout(self.hyperparameters.dropout, self.hyperparameters.attention_dropout)
        self.model.train()
        for batch in batches[state.done :]:
            if self.device.ranks.sum_number(self.callbacks.should_training_stop(), self.model.device):
                checkpoints.save(self._capture_checkpoint(), last=True)
                text = f"The Pod was asked to end, after {len(state.losses)} steps of training; nothing was published."
                raise StageStopped(reasons.STOPPED, text)
            self._train_step(batch, total=total, epoch=state.epoch - 1 + (state.done + 1) / len(batches))
            state.done += 1
            if checkpoints.is_due():
                checkpoints.save(self._capture_checkpoint())

    def _capture_checkpoint(self) -> Checkpoint:
        self.state.seconds = self.clock() - self.begun
        return capture(self.state, self.model, self.optimizer, self.best)

    def _train_step(self, batch: Batch, *, total: int, epoch: float) -> None:
        begun, values = self.clock(), self.hyperparameters
        peak = values.get_peak_rate(total)
        rate = compute_learning_rate(len(self.state.losses), total, peak=peak, warmup=values.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss = self._require_finite(self.gradients.accumulate(batch), "training")
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), values.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.state.losses.append(loss)
        self.state.tokens += sum(example.labels for example in batch)
        self.state.step_seconds += self.clock() - begun
        self._log_step(loss, total=total, epoch=epoch, rate=rate)

    def _log_step(self, loss: float, *, total: int, epoch: float, rate: float) -> None:
        state, done = self.state, len(self.state.losses)
        self._record(
            LogEntry(done, epoch, train_loss=loss, learning_rate=rate, tokens_per_second=self._measure_speed())
        )
        left = state.step_seconds / done * (total - done)
        self.callbacks.on_progress(
            TrainingProgress(done, total, epoch, train_loss=loss, eval_loss=state.eval_loss, eta_seconds=left)
        )

    def _measure_speed(self) -> float:
        return self.state.tokens / max(self.state.step_seconds, 1e-9)

    def _evaluate(self, epoch: int) -> float:
        share = compute_total_nats(self.model, self.device.ranks.take_share(tuple(self.validation)))
        nats = self.device.ranks.sum_number(share, self.model.device)
        loss = self._require_finite(nats / sum(example.labels for example in self.validation), "validation")
        self.state.eval_loss = loss
        self._record(LogEntry(len(self.state.losses), float(epoch), eval_loss=loss))
        return loss

    def _keep_if_best(self, loss: float) -> None:
        state = self.state
        if state.best_loss is None or loss < state.best_loss:
            state.best_loss, state.best_epoch = loss, state.epoch
            self.best = copy_weights(self.model) if self.device.ranks.leads else None

    def _collect_eval_losses(self) -> list[float]:
        """Collect the validation loss after each epoch, without that of the untrained model."""
        return [entry.eval_loss for entry in self.state.log_history if entry.eval_loss is not None and entry.epoch > 0]

    def _record(self, entry: LogEntry) -> None:
        self.state.log_history.append(entry)
        self.callbacks.on_log(entry)

    def _require_finite(self, loss: float, kind: str) -> float:
        if math.isfinite(loss):
            return loss
        text = (
            f"The {kind} loss became {loss} at step {len(self.state.losses) + 1} with learning rate "
            f"{self.hyperparameters.learning_rate:g}: lower spec.training.learningRate, or leave it unset."
        )
        raise TrainingDiverged(reasons.DIVERGED, text)

    def _build_output(self, epochs: int, best_epoch: int) -> TrainOutput:
        losses = self.state.losses
        ends = max(1, min(ENDS, len(losses) // 10))
        return TrainOutput(
            steps=len(losses),
            epochs=epochs,
            best_epoch=best_epoch,
            first_train_loss=sum(losses[:ends]) / ends,
            train_loss=sum(losses[-ends:]) / ends,
            tokens=self.state.tokens,
            tokens_per_second=self._measure_speed(),
            seconds=self.clock() - self.begun,
            device=self.device,
            log_history=tuple(self.state.log_history),
            reduced_to=self.gradients.reduced_to,
            recomputed=self.model.recompute,
        )


@contextmanager
def _enable_determinism(device: Device) -> Iterator[None]:
    """On a GPU, use kernels that sum in the same order each time; a CPU's do so with the same thread count."""
    if device.device_type == "cpu":
        yield
        return
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
