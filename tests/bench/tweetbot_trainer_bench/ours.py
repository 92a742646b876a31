"""Our loop, as the train stage runs it."""

import json
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tweetbot_trainer_bench.clock import StepClock
from tweetbot_trainer_bench.material import MODEL_FOLDER, Shape, read_posts

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the trainer's process does, before torch reads it

if TYPE_CHECKING:
    from tweetbot_trainer.learning.batches.examples import Example
    from tweetbot_trainer.learning.decoder.decoder import Decoder
    from tweetbot_trainer.learning.values import Hyperparameters


def run_ours(
    folder: Path,
    shape: Shape,
    steps: int,
    clock: StepClock,
    *,
    dropout: float = 0,
    precision: Literal["Auto", "FP32"] = "FP32",
    gpu: bool = False,
    lora: bool = False,
) -> None:
    """Train for `steps` steps, in float32 as the others unless told otherwise; `lora`: adapters."""
    from tweetbot_trainer.runtime.imports import skip_garbage_collection

    with skip_garbage_collection():
        import tweetbot_trainer.stages.training_run  # noqa: F401  # what the train stage imports before it trains
        from tweetbot_trainer.learning.batches.batching import make_batches
        from tweetbot_trainer.learning.training.callbacks import Callbacks
        from tweetbot_trainer.learning.training.device import select_device
        from tweetbot_trainer.learning.training.loop import train
        from tweetbot_trainer.learning.training.lora import attach_adapters
        from tweetbot_trainer.runtime.errors import StageStopped
    clock.finish_imports()

    model = _read_model(folder)
    clock.finish_loading()
    device = select_device(precision, gpu=gpu, channels=shape.channels)
    clock.tell(precision=device.precision, gpu=device.name if gpu else None)
    model.to(device.device_type)
    examples, values = _read_examples(folder, shape), _resolve_values(dropout, lora=lora)
    plan = make_batches(examples, batch_tokens=values.batch_tokens, epochs=1, seed=values.seed)[0]
    labels = [sum(example.labels for example in batch) for batch in plan]
    if values.lora:
        attach_adapters(model, values.lora, values.seed)
    callbacks = Callbacks(
        on_progress=lambda progress: clock.finish_step(labels[progress.step - 1]),
        should_training_stop=lambda: clock.steps >= steps,
    )
    with suppress(StageStopped):
        train(model, examples, examples[:1], values, device=device, callbacks=callbacks, stop_early=False)


def _read_model(folder: Path) -> "Decoder":
    from tweetbot_trainer.learning.decoder.build import build_decoder
    from tweetbot_trainer.learning.decoder.weights import load_weights
    from tweetbot_trainer.learning.model.metadata import check_config

    home = folder / MODEL_FOLDER
    model = build_decoder(check_config(json.loads((home / "config.json").read_bytes()), "the bench's"))
    load_weights(model, home / "model.safetensors")
    return model


def _read_examples(folder: Path, shape: Shape) -> "list[Example]":
    from tweetbot_trainer.learning.batches.examples import split_into_examples
    from tweetbot_trainer.learning.model.marks import Marks

    marks, context = Marks(shape.end_mark, shape.end_mark), shape.positions
    return [example for post in read_posts(folder) for example in split_into_examples(post, marks, context)]


def _resolve_values(dropout: float, *, lora: bool) -> "Hyperparameters":
    from tweetbot_contract.spec.model import Model
    from tweetbot_contract.spec.training import Training
    from tweetbot_trainer.learning.values import resolve_hyperparameters, resolve_lora

    adapters = resolve_lora(Model(method="LoRA")) if lora else None
    return replace(resolve_hyperparameters(Training(epochs=1), "hf://gpt2", (), adapters), dropout=dropout)
