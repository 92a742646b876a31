"""The loops that we are measured against: transformers' Trainer, stock and tuned, and TRL's."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch.utils.data import Dataset
from transformers import AutoModelForCausalLM, Trainer, TrainerCallback, TrainingArguments
from transformers.activations import ACT2FN, NewGELUActivation

from tweetbot_trainer_bench.clock import StepClock
from tweetbot_trainer_bench.material import MODEL_FOLDER, Shape, read_posts

#: Posts per padded batch: about as many label tokens as a packed block has.
POSTS_PER_BATCH = 40
Batch = Mapping[str, torch.Tensor]


class TokenDataset(Dataset[dict[str, Any]]):
    """Sequences of ids; each id is its own label."""

    def __init__(self, rows: Sequence[Sequence[int]]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> dict[str, Any]:
        return {"input_ids": list(self.rows[place]), "length": len(self.rows[place])}


def run_stock(folder: Path, shape: Shape, steps: int, clock: StepClock) -> None:
    """Run huggingtweets' own settings: shuffled copies in blocks of 1,024, batch 1, float32, dropout 0.1."""
    _train(folder, shape, steps, clock, blocks=True, tuned=False)


def run_packed(folder: Path, shape: Shape, steps: int, clock: StepClock) -> None:
    """Run the same blocks without dropout, the activation in one kernel."""
    _train(folder, shape, steps, clock, blocks=True, tuned=True)


def run_packed_compiled(folder: Path, shape: Shape, steps: int, clock: StepClock) -> None:
    """Run packed blocks through torch.compile."""
    _train(folder, shape, steps, clock, blocks=True, tuned=True, torch_compile=True)


def run_padded(folder: Path, shape: Shape, steps: int, clock: StepClock) -> None:
    """Run posts grouped by length, each batch padded to its longest."""
    _train(folder, shape, steps, clock, blocks=False, tuned=True)


def run_trl(folder: Path, shape: Shape, steps: int, clock: StepClock) -> None:
    """Run TRL's SFTTrainer, which packs by itself, in float32."""
    from datasets import Dataset as Table
    from datasets.table import InMemoryTable
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast
    from trl import SFTConfig, SFTTrainer

    clock.finish_imports()
    end = shape.end_mark
    words = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel({"<|endoftext|>": end, "<|pad|>": 0}, unk_token="<|pad|>")),
        eos_token="<|endoftext|>",
        pad_token="<|pad|>",
    )
    ids = [[*post, end] for post in _repeat_posts(read_posts(folder), steps)]
    # an explicit fingerprint: to compute one, `datasets` pickles what cannot be pickled
    rows = Table(InMemoryTable.from_pydict({"input_ids": ids}), fingerprint="posts")
    with tempfile.TemporaryDirectory() as scratch:
        config = SFTConfig(
            **_build_arguments(scratch, steps), packing=True, packing_strategy="wrapped", max_length=shape.positions
        )
        trainer = SFTTrainer(
            _tune_model(_read_model(folder, clock)), config, train_dataset=rows, processing_class=words
        )
        _time_steps(trainer, clock)
        trainer.train()


def _train(
    folder: Path, shape: Shape, steps: int, clock: StepClock, *, blocks: bool, tuned: bool, **options: Any
) -> None:
    clock.finish_imports()
    posts = _repeat_posts(read_posts(folder), steps)
    model = _read_model(folder, clock)
    rows = _cut_into_blocks(posts, shape) if blocks else [[shape.end_mark, *post, shape.end_mark] for post in posts]
    if not blocks:
        options |= {"train_sampling_strategy": "group_by_length", "per_device_train_batch_size": POSTS_PER_BATCH}
    with tempfile.TemporaryDirectory() as scratch:
        trainer = Trainer(
            model=_tune_model(model) if tuned else model,
            args=TrainingArguments(**_build_arguments(scratch, steps) | options),
            train_dataset=TokenDataset(rows),
            data_collator=_make_collator(shape.end_mark),
        )
        _time_steps(trainer, clock)
        trainer.train()


def _read_model(folder: Path, clock: StepClock) -> Any:
    model = AutoModelForCausalLM.from_pretrained(folder / MODEL_FOLDER, dtype=torch.float32)
    clock.finish_loading()
    return model


def _build_arguments(scratch: str, steps: int) -> dict[str, Any]:
    return {
        "output_dir": scratch,
        "max_steps": steps,
        "per_device_train_batch_size": 1,
        "learning_rate": 1.372e-4,
        "lr_scheduler_type": "cosine",
        "use_cpu": True,
        "bf16": False,
        "report_to": "none",
        "save_strategy": "no",
        "logging_strategy": "no",
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
        "remove_unused_columns": False,
    }


def _tune_model(model: Any) -> Any:
    """Drop nothing, and compute the activation in one kernel; a Llama's dropout is 0, and its activation has one."""
    if model.config.model_type != "gpt2":
        return model
    model.config.embd_pdrop = model.config.resid_pdrop = model.config.attn_pdrop = 0.0
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    for block in model.transformer.h:
        block.attn.attn_dropout.p = 0.0
        if isinstance(block.mlp.act, NewGELUActivation):
            block.mlp.act = ACT2FN["gelu_pytorch_tanh"]
    return model


def _repeat_posts(posts: list[list[int]], steps: int) -> list[list[int]]:
    """Repeat the posts, shuffled each time, until they fill this many steps of 1,024 tokens."""
    random, found, tokens = Random(0), list[list[int]](), 0
    while tokens < (steps + 2) * 1100:
        copy = list(posts)
        random.shuffle(copy)
        found += copy
        tokens += sum(len(post) + 1 for post in copy)
    return found


def _cut_into_blocks(posts: list[list[int]], shape: Shape) -> list[list[int]]:
    stream = [shape.end_mark]
    for post in posts:
        stream += [*post, shape.end_mark]
    size = shape.positions
    return [stream[start : start + size] for start in range(0, len(stream) - size + 1, size)]


def _make_collator(end_mark: int) -> Callable[[list[dict[str, Any]]], dict[str, torch.Tensor]]:
    def collate(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        longest = max(len(row["input_ids"]) for row in rows)
        ids = torch.full((len(rows), longest), end_mark)
        labels = torch.full((len(rows), longest), -100)
        for place, row in enumerate(rows):
            own = torch.tensor(row["input_ids"])
            ids[place, : len(own)] = labels[place, : len(own)] = own
        mask = (labels != -100).long()
        return {"input_ids": ids, "labels": labels} | ({"attention_mask": mask} if not mask.all() else {})

    return collate


def _time_steps(trainer: Any, clock: StepClock) -> None:
    """Count the labels of each batch, and report its step to the clock."""
    labels: list[int] = []
    compute = trainer.compute_loss

    def counting(model: Any, inputs: Batch, *args: Any, **named: Any) -> Any:
        labels.append(int((inputs["labels"][:, 1:] != -100).sum()))
        return compute(model, inputs, *args, **named)

    class Watch(TrainerCallback):  # type: ignore[misc]  # transformers is without types
        def on_step_end(self, *args: Any, **named: Any) -> None:
            clock.finish_step(labels[-1])

    trainer.compute_loss = counting
    trainer.add_callback(Watch())
