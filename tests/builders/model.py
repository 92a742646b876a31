"""Posts, splits and models for tests of the trainer: as small as can be, on one thread, in float32."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import torch

from tweetbot_contract.data_table import DataTable
from tweetbot_contract.result import Metrics, Sample
from tweetbot_contract.spec.spec import Gates, Subject
from tweetbot_contract.spec.training import Training
from tweetbot_trainer.data.posts import DatasetPost
from tweetbot_trainer.learning.batches.examples import Example, split_into_examples
from tweetbot_trainer.learning.evaluation.memorization import Memorization
from tweetbot_trainer.learning.model.base import Base
from tweetbot_trainer.learning.model.identity import SCRATCH_DIGESTS, BaseIdentity
from tweetbot_trainer.learning.model.marks import get_marks
from tweetbot_trainer.learning.model.scratch import Shape, create_model
from tweetbot_trainer.learning.model.tokenizer import encode_all, train_tokenizer
from tweetbot_trainer.learning.sampling import SamplingParams
from tweetbot_trainer.learning.style.scale import Score
from tweetbot_trainer.learning.style.style import Style
from tweetbot_trainer.learning.training.callbacks import FindIncompatibility, TrainOutput
from tweetbot_trainer.learning.training.device import Device
from tweetbot_trainer.learning.training.metrics import LogEntry
from tweetbot_trainer.learning.training.state import Checkpoint
from tweetbot_trainer.learning.values import Hyperparameters, resolve_hyperparameters
from tweetbot_trainer.publishing.export import save_model
from tweetbot_trainer.publishing.report.card_data import CardData
from tweetbot_trainer.publishing.report.card_languages import CardLanguages

torch.set_num_threads(1)
DEVICE = Device("cpu", "test", 1, bf16=False)
SCRATCH = BaseIdentity("scratch://mini", "scratch", SCRATCH_DIGESTS["scratch://mini"])
SAMPLING = SamplingParams(temperature=0.7, top_p=0.95, top_k=50, max_new_tokens=32)
FIRST_DAY = datetime(2020, 1, 1, tzinfo=UTC)


def some_texts(count: int, seed: int = 1) -> list[str]:
    """Return sentences that a very small model can learn."""
    random = Random(seed)
    who, deed, end = ("the cat", "a gull", "the moon", "my hat"), ("slept", "sang", "left"), ("at noon", "in may")
    return [" ".join(("My dream is", *(random.choice(words) for words in (who, deed, end)))) for _ in range(count)]


def a_post(number: int, *, source: int = 0, dated: bool = True, text: str | None = None) -> DatasetPost:
    """Return the post of day `number`; its id sorts by number too."""
    at = FIRST_DAY + timedelta(days=number) if dated else None
    return DatasetPost(f"{number:05}", text or f"post {number}", at, "en", source)


def posts_of(texts: Sequence[str]) -> list[DatasetPost]:
    """Return one dated post for each text."""
    return [a_post(number, text=text) for number, text in enumerate(texts)]


def some_values(**changes: Any) -> Hyperparameters:
    """Return the hyperparameters of a scratch base; keywords are fields of spec.training in snake_case."""
    return resolve_hyperparameters(Training(**{"epochs": 2, "batch_tokens": 64, **changes}), "scratch://mini", ())


def a_base(texts: Sequence[str] | None = None, *, seed: int = 42, context: int = 64, scale: float = 1.0) -> Base:
    """Return an untrained GPT-2 of two layers and 32 channels, with a tokenizer of these texts.

    Its embeddings are multiplied by `scale`: from 1e30 on its loss is not finite.
    """
    tokenizer = train_tokenizer(texts or some_texts(40), 1024)
    model = create_model(tokenizer, seed, Shape(2, 32, 2, context))
    model.embedding.weight.data.mul_(scale)
    return Base(model, tokenizer, SCRATCH)


def require_gradient(weights: torch.Tensor) -> torch.Tensor:
    """Return the gradient of weights that have one."""
    assert weights.grad is not None
    return weights.grad


def examples_of(base: Base, texts: Sequence[str]) -> list[Example]:
    """Return the training examples of posts, in their order."""
    marks, context = get_marks(base.tokenizer), base.model.config.context
    encoded = encode_all(base.tokenizer, texts)
    return [example for text in encoded for example in split_into_examples(text.tokens, marks, context)]


def a_saved_base(folder: Path, *, context: int = 64, scale: float = 1.0) -> Path:
    """Write such a GPT-2 into a folder and return it."""
    base = a_base(context=context, scale=scale)
    save_model(base.model, base.tokenizer, SAMPLING, folder)
    return folder


def an_outcome(**changes: Any) -> TrainOutput:
    """Return the output of a short training."""
    entries = (
        LogEntry(0, 0.0, eval_loss=6.4),
        LogEntry(1, 0.5, train_loss=6.0, learning_rate=3e-3, tokens_per_second=900.0),
        LogEntry(2, 1.0, train_loss=3.0, learning_rate=1e-3, tokens_per_second=950.0),
        LogEntry(2, 1.0, eval_loss=2.5),
    )
    plain = TrainOutput(2, 1, 1, 6.0, 3.0, 1024, 950.0, 12.5, DEVICE, entries)
    return replace(plain, **changes)


def some_card_data(**changes: Any) -> CardData:
    """Return everything that the card of a small bot of a fictional account shows."""
    table = DataTable(downloaded=1800, retweets=162, short=83, duplicates=31, kept=1524, redacted=8)
    metrics = Metrics(
        eval_loss=0.6934, perplexity=2.0005, bits_per_byte=0.2197, first_train_loss=5.9, train_loss=0.65,
        tokens_per_second=5159.0, train_seconds=17.6,
    )  # fmt: skip
    plain = CardData(
        subject=Subject(handle="harbour_gull", display_name="Harbour Gull", relation="Fictional"),
        model_name="demo-quickstart-0123456789abcdef",
        model_uri="s3://tweetbot/models/demo/quickstart/models/0123456789abcdef/model",
        source_names=("X archive",),
        source_tables=(table,),
        table=table,
        dataset_digest="d" * 64,
        dataset_uri=f"s3://tweetbot/models/demo/quickstart/datasets/{'d' * 64}",
        cleaning_recipe="modern",
        newest_post_at="2021-04-09T04:54:00.000Z",
        languages=CardLanguages(("en",)),
        parts=(1220, 152, 152),
        ordered_by="created_at",
        base=SCRATCH,
        values=some_values(),
        outcome=an_outcome(),
        metrics=metrics,
        memorization=Memorization(1000, 0.012, 0.034, 0.004, 0.003, 0, (0.21, 0.63, 0.88)),
        style=Style(Score(0.91, 0.88, 0.95), Score(0.87, 0.81, 0.93)),
        interval=(0.2101, 0.2289),
        ratio_interval=None,
        gates=Gates(max_verbatim_percent=20),
        missed_gates=(),
        sampling=SAMPLING,
        samples=(Sample(prompt="My dream is", text="My dream is when the tide sang until morning"),),
        prompts=("My dream is",),
        made_by="TweetBot operator 0.1.0",
    )
    return replace(plain, **changes)


def stopped_at(limit: int) -> Callable[[], bool]:
    """Return a predicate that is true from its `limit`-th call on."""
    asked = iter(range(1, 10_000))
    return lambda: next(asked) >= limit


class CheckpointsInMemory:
    """Checkpoints in memory: saved after `due_at` steps, and when the training is stopped."""

    def __init__(self, due_at: int = 0) -> None:
        self.due_at, self.asked, self.saved = due_at, 0, list[Checkpoint]()

    def load_newest(self, device: Device, find_incompatibility: FindIncompatibility) -> Checkpoint | None:
        return next((deepcopy(one) for one in reversed(self.saved) if find_incompatibility(one) is None), None)

    def is_due(self) -> bool:
        self.asked += 1
        return self.asked == self.due_at

    def save(self, checkpoint: Checkpoint, *, last: bool = False) -> None:
        self.saved.append(deepcopy(checkpoint))
