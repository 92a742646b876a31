"""Our loop, as the train stage runs it."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tweetbot_trainer_bench.clock import StepClock
from tweetbot_trainer_bench.material import MODEL_FOLDER, Shape, read_posts

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
    gpu: bool = False,
    lora: bool = False,
) -> None:
    """Train for `steps` steps: on the CPU in float32 as the others, on a GPU by its own defaults; `lora`: adapters."""
    from tweetbot_trainer.learning.batches.batching import make_batches
    from tweetbot_trainer.learning.training.callbacks import Callbacks
    from tweetbot_trainer.learning.training.device import select_device
    from tweetbot_trainer.learning.training.loop import train
    from tweetbot_trainer.learning.training.lora import attach_adapters
    from tweetbot_trainer.runtime.errors import StageStopped

    examples = _read_examples(folder, shape)
    values = _resolve_values(dropout, lora=lora)
    plan = make_batches(examples, batch_tokens=values.batch_tokens, epochs=1, seed=values.seed)[0]
    labels = [sum(example.labels for example in batch) for batch in plan]
    model = _read_model(folder / MODEL_FOLDER)
    if values.lora:
        attach_adapters(model, values.lora, values.seed)

    with suppress(StageStopped):
        train(
            model,
            examples,
            examples[:1],
            values,
            device=select_device("Auto" if gpu else "FP32", gpu=gpu, channels=shape.channels),
            callbacks=Callbacks(
                on_progress=lambda progress: clock.finish_step(labels[progress.step - 1]),
                should_training_stop=lambda: clock.steps >= steps,
            ),
            stop_early=False,
        )


def _read_model(folder: Path) -> "Decoder":
    from tweetbot_trainer.learning.decoder.build import build_decoder
    from tweetbot_trainer.learning.decoder.configs import Gpt2Config
    from tweetbot_trainer.learning.decoder.weights import load_weights

    model = build_decoder(Gpt2Config.model_validate_json((folder / "config.json").read_bytes()))
    load_weights(model, folder / "model.safetensors")
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
