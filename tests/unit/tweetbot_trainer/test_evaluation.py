"""Figures on unseen posts."""

import math

import pytest
import torch
from torch.nn import functional

from builders_model import a_base, some_texts
from tweetbot_trainer.evaluation import Likelihood, likelihood_of
from tweetbot_trainer.model.tokenizer import encode, end_mark_id

TEXTS = ["My dream is the cat slept", "港の朝 🌊", "a gull sang in may"]


def nats_by_hand(text: str) -> float:
    base = a_base()
    mark = end_mark_id(base.tokenizer)
    ids = torch.tensor([[mark, *encode(base.tokenizer, text).tokens, mark]])
    with torch.no_grad():
        logits = base.model.eval()(input_ids=ids).logits
    return float(functional.cross_entropy(logits[0, :-1], ids[0, 1:], reduction="sum"))


def test_bits_per_byte_are_the_definition_on_each_post_alone() -> None:
    base = a_base()
    measured = likelihood_of(base.model, base.tokenizer, TEXTS)
    bits = sum(map(nats_by_hand, TEXTS)) / math.log(2)
    assert measured.bits_per_byte == pytest.approx(bits / sum(len(text.encode()) + 1 for text in TEXTS), rel=1e-5)


def test_loss_is_a_mean_over_tokens_and_closing_marks() -> None:
    base = a_base()
    measured = likelihood_of(base.model, base.tokenizer, TEXTS)
    assert measured.labels == sum(len(encode(base.tokenizer, text).tokens) + 1 for text in TEXTS)
    assert measured.loss == pytest.approx(measured.nats / measured.labels)
    assert measured.perplexity == pytest.approx(math.exp(measured.loss))


def test_figures_do_not_depend_on_the_other_posts() -> None:
    base = a_base()
    together = likelihood_of(base.model, base.tokenizer, TEXTS * 7)
    assert together.bits_per_byte == pytest.approx(likelihood_of(base.model, base.tokenizer, TEXTS).bits_per_byte)


def test_a_uniform_model_needs_log2_of_its_vocabulary_for_each_token() -> None:
    base = a_base()
    with torch.no_grad():
        base.model.transformer.wte.weight.zero_()
    measured = likelihood_of(base.model, base.tokenizer, TEXTS)
    assert measured.loss == pytest.approx(math.log(base.model.config.vocab_size), rel=1e-5)


def test_a_post_longer_than_the_context_counts_whole() -> None:
    base = a_base(context=16)
    text = " ".join(some_texts(30))
    measured = likelihood_of(base.model, base.tokenizer, [text])
    assert measured.labels == len(encode(base.tokenizer, text).tokens) + 1
    assert measured.closed_bytes == len(text.encode()) + 1


def test_a_hopeless_model_has_a_finite_perplexity() -> None:
    assert math.isfinite(Likelihood(nats=1e6, labels=10, closed_bytes=50).perplexity)


def test_evaluation_leaves_the_mode_as_it_was() -> None:
    base = a_base()
    base.model.train()
    likelihood_of(base.model, base.tokenizer, TEXTS)
    assert base.model.training
