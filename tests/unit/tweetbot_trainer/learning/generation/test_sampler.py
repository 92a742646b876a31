"""Sampling many texts at once: the same distribution as transformers', and no text affects another."""

from dataclasses import replace

import pytest
import torch
from transformers.generation import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from builders.decoders import copy_to_transformers
from builders.model import SAMPLING, a_base
from tweetbot_trainer.learning.generation.sampler import compute_batch_size, filter_top_k_top_p, sample
from tweetbot_trainer.learning.model.marks import get_marks

GREEDY = replace(SAMPLING, top_k=1, min_new_tokens=0, max_new_tokens=12)


@pytest.mark.parametrize(("temperature", "top_k", "top_p"), [(1.0, 50, 0.95), (0.7, 10, 0.5), (1.3, 500, 1.0)])
def test_the_distribution_is_that_of_transformers(temperature: float, top_k: int, top_p: float) -> None:
    logits = torch.randn(4, 200, generator=torch.Generator().manual_seed(1)) * 3
    theirs = logits
    for warper in (TemperatureLogitsWarper(temperature), TopKLogitsWarper(top_k), TopPLogitsWarper(top_p)):
        theirs = warper(torch.empty(0), theirs)
    weights, ids = filter_top_k_top_p(logits, replace(SAMPLING, temperature=temperature, top_k=top_k, top_p=top_p))
    ours = torch.zeros_like(logits).scatter(1, ids, weights / weights.sum(-1, keepdim=True))
    torch.testing.assert_close(ours, theirs.softmax(-1))


def test_greedy_texts_are_those_of_the_model_without_a_cache() -> None:
    base = a_base()
    theirs = copy_to_transformers(base.model.eval())
    mark = get_marks(base.tokenizer).end
    ids = [mark, 40, 41]
    for _ in range(GREEDY.max_new_tokens):
        ids.append(int(theirs(torch.tensor([ids])).logits[0, -1].argmax()))
    assert sample(base.model, (mark, 40, 41), 3, GREEDY, end_mark=-1) == [ids[3:]] * 3


def test_ended_texts_leave_the_batch_without_changing_the_others() -> None:
    base = a_base()
    mark = get_marks(base.tokenizer).end
    torch.manual_seed(3)
    sampling = replace(SAMPLING, temperature=5.0, top_k=10_000, top_p=1.0, min_new_tokens=2)
    texts = sample(base.model, (mark,), 200, sampling, end_mark=mark)
    assert len({len(text) for text in texts}) > 3
    assert all(mark not in text and len(text) >= 2 for text in texts)
    torch.manual_seed(3)
    assert sample(base.model, (mark,), 200, sampling, end_mark=mark) == texts


def test_longer_texts_make_smaller_batches() -> None:
    assert compute_batch_size(a_base().model, 64) > compute_batch_size(a_base().model, 640) >= 1
