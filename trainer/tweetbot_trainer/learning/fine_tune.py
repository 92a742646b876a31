"""From a base and a split dataset to a fine-tuned model and its figures: the whole of training, on one screen."""

from collections.abc import Sequence
from dataclasses import dataclass

from tweetbot_contract import reasons
from tweetbot_contract.result import Metrics
from tweetbot_trainer.data.dataset.dataset import DatasetPost
from tweetbot_trainer.data.dataset.splits import Splits
from tweetbot_trainer.learning.batches.huggingtweets import blocks_of, copied
from tweetbot_trainer.learning.batches.windows import Window, windows_of
from tweetbot_trainer.learning.evaluation.likelihood import Likelihood, interval_of, likelihood_of
from tweetbot_trainer.learning.evaluation.memorization import Memorisation
from tweetbot_trainer.learning.model.base import Base
from tweetbot_trainer.learning.model.tokenizer import encode_all, end_mark_id
from tweetbot_trainer.learning.training.callbacks import Hooks, TrainingOutcome
from tweetbot_trainer.learning.training.device import chosen_processor
from tweetbot_trainer.learning.training.loop import train
from tweetbot_trainer.learning.training.lora import attach, merge
from tweetbot_trainer.learning.training.state import Weights
from tweetbot_trainer.learning.values import BLOCK, TrainingValues
from tweetbot_trainer.runtime.errors import Diverged


@dataclass(frozen=True, slots=True)
class FineTuned:
    """What training gave: its course, the figures on the test posts, and the base's before it (none for scratch).

    `memorisation` is there once texts were written with it; `adapter` holds the tensors of LoRA adapters, by name,
    that are in the model's weights now.
    """

    outcome: TrainingOutcome
    metrics: Metrics
    test: Likelihood
    base_test: Likelihood | None
    memorisation: Memorisation | None = None
    adapter: Weights | None = None


def fine_tune(base: Base, splits: Splits[DatasetPost], values: TrainingValues, *, gpu: bool, hooks: Hooks) -> FineTuned:
    """Fine-tune `base.model` in place, on a GPU if it may and can, and measure it on the test posts, read here only.

    Raises Stopped, Diverged, SpecRefused where a GPU's memory is too small, or TooLittleData.
    """
    processor = chosen_processor(values.precision, gpu=gpu, channels=base.model.config.n_embd)
    base.model.to(processor.device)
    test = _texts(splits.test)
    scratch = base.identity.kind == "scratch"
    before = None if scratch else likelihood_of(base.model, base.tokenizer, test)
    if values.lora:
        attach(base.model, values.lora, values.seed)
    outcome = train(
        base.model,
        _trained_windows(base, splits.train, values),
        _windows(base, splits.validation),
        values,
        processor=processor,
        hooks=hooks,
        stop_early=values.early_stopping and splits.reliability == "Normal",
    )
    adapter = merge(base.model) if values.lora else None
    after = likelihood_of(base.model, base.tokenizer, test)
    return FineTuned(outcome, _metrics(outcome, after, before, splits), after, before, adapter=adapter)


def _metrics(
    outcome: TrainingOutcome, after: Likelihood, before: Likelihood | None, splits: Splits[DatasetPost]
) -> Metrics:
    try:
        low, high = interval_of(after)
        return Metrics(
            eval_loss=after.loss,
            perplexity=after.perplexity,
            bits_per_byte=after.bits_per_byte,
            bits_per_byte_low=low,
            bits_per_byte_high=high,
            base_bits_per_byte=before.bits_per_byte if before else None,
            first_train_loss=outcome.first_train_loss,
            train_loss=outcome.train_loss,
            tokens_per_second=outcome.tokens_per_second,
            train_seconds=outcome.seconds,
            reliability=splits.reliability,
        )
    except ValueError as error:
        text = "The loss on the test posts is no number: lower training.learningRate, or leave it unset."
        raise Diverged(reasons.DIVERGED, text) from error


def _trained_windows(base: Base, posts: Sequence[DatasetPost], values: TrainingValues) -> list[Window]:
    if values.procedure == "tweetbot":
        return _windows(base, posts)
    numbers = sorted({post.source for post in posts})
    sources = [_texts([post for post in posts if post.source == number]) for number in numbers]
    texts = encode_all(base.tokenizer, copied(sources, values.seed))
    return blocks_of(texts, end_mark_id(base.tokenizer), min(BLOCK, base.model.config.n_positions))


def _windows(base: Base, posts: Sequence[DatasetPost]) -> list[Window]:
    encoded = zip(encode_all(base.tokenizer, _texts(posts)), posts, strict=True)
    end_mark, context = end_mark_id(base.tokenizer), base.model.config.n_positions
    return [
        window for text, post in encoded for window in windows_of(text.tokens, end_mark, context, source=post.source)
    ]


def _texts(posts: Sequence[DatasetPost]) -> list[str]:
    return [post.text for post in posts]
