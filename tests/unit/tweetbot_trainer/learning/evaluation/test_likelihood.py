"""Figures on unseen posts."""

import math
import tracemalloc
from random import Random

import pytest
import torch
from torch.nn import functional

from builders.decoders import copy_to_transformers
from builders.model import a_base, some_texts
from tweetbot_trainer.learning.evaluation.likelihood import Likelihood, bootstrap_interval, measure_likelihood
from tweetbot_trainer.learning.model.marks import get_marks
from tweetbot_trainer.learning.model.tokenizer import encode

TEXTS = ["My dream is the cat slept", "港の朝 🌊", "a gull sang in may"]


def nats_by_hand(text: str) -> float:
    base = a_base()
    mark = get_marks(base.tokenizer).end
    ids = torch.tensor([[mark, *encode(base.tokenizer, text).tokens, mark]])
    with torch.no_grad():
        logits = copy_to_transformers(base.model.eval())(input_ids=ids).logits
    return float(functional.cross_entropy(logits[0, :-1], ids[0, 1:], reduction="sum"))


def test_bits_per_byte_are_the_definition_on_each_post_alone() -> None:
    base = a_base()
    measured = measure_likelihood(base.model, base.tokenizer, TEXTS)
    bits = sum(map(nats_by_hand, TEXTS)) / math.log(2)
    assert measured.bits_per_byte == pytest.approx(bits / sum(len(text.encode()) + 1 for text in TEXTS), rel=1e-5)


def test_loss_is_a_mean_over_tokens_and_closing_marks() -> None:
    base = a_base()
    measured = measure_likelihood(base.model, base.tokenizer, TEXTS)
    assert measured.labels == sum(len(encode(base.tokenizer, text).tokens) + 1 for text in TEXTS)
    assert measured.loss == pytest.approx(measured.nats / measured.labels)
    assert measured.perplexity == pytest.approx(math.exp(measured.loss))


def test_figures_do_not_depend_on_the_other_posts() -> None:
    base = a_base()
    together = measure_likelihood(base.model, base.tokenizer, TEXTS * 7)
    assert together.bits_per_byte == pytest.approx(measure_likelihood(base.model, base.tokenizer, TEXTS).bits_per_byte)


def test_a_uniform_model_needs_log2_of_its_vocabulary_for_each_token() -> None:
    base = a_base()
    with torch.no_grad():
        base.model.embedding.weight.zero_()
    measured = measure_likelihood(base.model, base.tokenizer, TEXTS)
    assert measured.loss == pytest.approx(math.log(base.model.config.vocabulary), rel=1e-5)


def test_a_post_longer_than_the_context_counts_whole() -> None:
    base = a_base(context=16)
    text = " ".join(some_texts(30))
    measured = measure_likelihood(base.model, base.tokenizer, [text])
    assert measured.labels == len(encode(base.tokenizer, text).tokens) + 1
    assert measured.closed_bytes == len(text.encode()) + 1


def test_a_hopeless_model_has_a_finite_perplexity() -> None:
    assert math.isfinite(Likelihood(nats=1e6, labels=10, closed_bytes=50).perplexity)


def test_evaluation_leaves_the_mode_as_it_was() -> None:
    base = a_base()
    base.model.train()
    measure_likelihood(base.model, base.tokenizer, TEXTS)
    assert base.model.training


def some_likelihood(posts: int, *, scale: float = 1.0) -> Likelihood:
    random = Random(1)  # figures, not secrets
    by_post = tuple((scale * random.uniform(50, 150), random.randint(20, 200)) for _ in range(posts))
    return Likelihood(sum(nats for nats, _ in by_post), 30 * posts, sum(size for _, size in by_post), by_post)


def test_an_interval_lies_round_its_figure_and_narrows_with_more_posts() -> None:
    few, many = some_likelihood(50), some_likelihood(1000)
    (low, high), (lowest, highest) = bootstrap_interval(many), bootstrap_interval(few)
    assert low < many.bits_per_byte < high
    assert lowest < few.bits_per_byte < highest
    assert high - low < (highest - lowest) / 2


def test_the_same_posts_are_drawn_for_both_models_of_a_ratio() -> None:
    assert bootstrap_interval(some_likelihood(50, scale=0.5), some_likelihood(50)) == pytest.approx((0.5, 0.5))


def test_an_interval_takes_little_memory_whatever_the_number_of_posts() -> None:
    """An export of a million posts tests on a hundred thousand: 2.4 GB, once all was trained."""
    likelihood = some_likelihood(20_000)
    tracemalloc.start()
    try:
        bootstrap_interval(likelihood)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000
