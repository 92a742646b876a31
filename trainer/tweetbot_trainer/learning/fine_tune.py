"""From a base and a split dataset to a fine-tuned model and its figures: all of training on one screen."""

from collections.abc import Sequence
from dataclasses import dataclass

from tweetbot_contract import reasons
from tweetbot_contract.result import Metrics
from tweetbot_contract.spec.training import BLOCK
from tweetbot_trainer.data.dataset.splits import Splits
from tweetbot_trainer.data.posts import DatasetPost
from tweetbot_trainer.learning.batches.examples import Example, split_into_examples
from tweetbot_trainer.learning.batches.huggingtweets import make_blocks, shuffle_copies
from tweetbot_trainer.learning.evaluation.likelihood import (
    FEWEST_POSTS,
    Likelihood,
    bootstrap_interval,
    measure_likelihood,
)
from tweetbot_trainer.learning.evaluation.memorization import Memorization
from tweetbot_trainer.learning.model.base import Base
from tweetbot_trainer.learning.model.marks import get_marks
from tweetbot_trainer.learning.model.tokenizer import encode_all
from tweetbot_trainer.learning.style.style import Style
from tweetbot_trainer.learning.training.callbacks import Callbacks, TrainOutput
from tweetbot_trainer.learning.training.device import select_device
from tweetbot_trainer.learning.training.lora import attach_adapters, merge_adapters
from tweetbot_trainer.learning.training.recomputation import choose_recomputation
from tweetbot_trainer.learning.training.state import Weights
from tweetbot_trainer.learning.training.together import Work, train_together
from tweetbot_trainer.learning.values import Hyperparameters
from tweetbot_trainer.runtime.errors import TrainingDiverged


@dataclass(frozen=True, slots=True)
class FineTuneResult:
    """The result of a training: `test` is measured after it, `base_test` before it, None for a scratch base.

    `memorization` and `style` are added once the model has generated texts. `adapter` are the LoRA adapters by name,
    already merged into the model's weights.
    """

    outcome: TrainOutput
    metrics: Metrics
    test: Likelihood
    base_test: Likelihood | None
    memorization: Memorization | None = None
    style: Style | None = None
    adapter: Weights | None = None


def fine_tune(
    base: Base,
    splits: Splits,
    hyperparameters: Hyperparameters,
    *,
    callbacks: Callbacks,
    gpus: int = 0,
    memory: int | None = None,
) -> FineTuneResult:
    """Fine-tune `base.model` in place, on this many GPUs if there are any, and measure it on the test posts.

    `memory` are the bytes of the Pod, if it is known: with too few for the activations they are recomputed.

    Nothing else reads the test posts. Raises StageStopped, TrainingDiverged, TooLittleData, and SpecRefused if a GPU's
    memory is too small.
    """
    device = select_device(hyperparameters.precision, gpu=gpus > 0, channels=base.model.config.channels)
    base.model.recompute = choose_recomputation(base.model.config, hyperparameters, device, pod_memory=memory)
    if base.model.recompute:
        callbacks.on_recompute()
    base.model.to(device.device_type)
    test = _get_texts(splits.test)
    scratch = base.identity.kind == "scratch"
    before = None if scratch else measure_likelihood(base.model, base.tokenizer, test)
    if hyperparameters.lora:
        attach_adapters(base.model, hyperparameters.lora, hyperparameters.seed)
    work = Work(
        base.model.config,
        base.model.recompute,
        _make_training_examples(base, splits.train, hyperparameters),
        _make_examples(base, splits.validation),
        hyperparameters,
        device,
        hyperparameters.stops_early(len(splits.validation)),
    )
    outcome = train_together(base.model, work, callbacks, max(1, gpus))
    adapter = merge_adapters(base.model) if hyperparameters.lora else None
    after = measure_likelihood(base.model, base.tokenizer, test)
    return FineTuneResult(outcome, _build_metrics(outcome, after, before, splits), after, before, adapter=adapter)


def _build_metrics(outcome: TrainOutput, after: Likelihood, before: Likelihood | None, splits: Splits) -> Metrics:
    try:
        low, high = bootstrap_interval(after)
        measurable = before if len(after.posts) >= FEWEST_POSTS else None
        return Metrics(
            eval_loss=after.loss,
            perplexity=after.perplexity,
            bits_per_byte=after.bits_per_byte,
            bits_per_byte_low=low,
            bits_per_byte_high=high,
            base_bits_per_byte=before.bits_per_byte if before else None,
            improvement_low=100 * (1 - bootstrap_interval(after, measurable)[1]) if measurable else None,
            test_posts=len(after.posts),
            first_train_loss=outcome.first_train_loss,
            train_loss=outcome.train_loss,
            tokens_per_second=outcome.tokens_per_second,
            train_seconds=outcome.seconds,
            reliability=splits.reliability,
        )
    except ValueError as error:
        text = "The loss on the test posts is not finite: lower spec.training.learningRate, or leave it unset."
        raise TrainingDiverged(reasons.DIVERGED, text) from error


def _make_training_examples(
    base: Base, posts: Sequence[DatasetPost], hyperparameters: Hyperparameters
) -> list[Example]:
    if hyperparameters.recipe == "tweetbot":
        return _make_examples(base, posts)
    numbers = sorted({post.source for post in posts})
    sources = [_get_texts([post for post in posts if post.source == number]) for number in numbers]
    texts = encode_all(base.tokenizer, shuffle_copies(sources, hyperparameters.seed))
    return make_blocks(texts, get_marks(base.tokenizer), min(BLOCK, base.model.config.context))


def _make_examples(base: Base, posts: Sequence[DatasetPost]) -> list[Example]:
    encoded = zip(encode_all(base.tokenizer, _get_texts(posts)), posts, strict=True)
    marks, context = get_marks(base.tokenizer), base.model.config.context
    return [
        example
        for text, post in encoded
        for example in split_into_examples(text.tokens, marks, context, source=post.source)
    ]


def _get_texts(posts: Sequence[DatasetPost]) -> list[str]:
    return [post.text for post in posts]
