"""Our own forward: the same figures and gradients as transformers', each example alone, in whatever order."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from transformers import GPT2Config, GPT2LMHeadModel

from tweetbot_trainer.learning.batches.examples import Example, split_into_examples
from tweetbot_trainer.learning.batches.forward import compute_example_losses, compute_total_loss
from tweetbot_trainer.learning.model.marks import Marks
from tweetbot_trainer.learning.training.setup import prepare_for_training

MARK = 40
POSTS = [(3, 9, 5), (7,), (8, 2, 6), (1, 2, 3, 4, 5, 6, 7), tuple(range(30)), ()]
EXAMPLES = [example for post in POSTS for example in split_into_examples(post, Marks(MARK, MARK), 12)]


def a_model(**config: object) -> GPT2LMHeadModel:
    torch.manual_seed(3)
    shape = GPT2Config(vocab_size=41, n_positions=12, n_embd=16, n_layer=2, n_head=2, eos_token_id=MARK, **config)
    model = prepare_for_training(GPT2LMHeadModel(shape), dropout=0.0)
    with torch.no_grad():
        for parameter in model.parameters():  # far from the start, where attention hardly matters
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return model


def by_transformers(model: GPT2LMHeadModel, example: Example) -> Tensor:
    ids = torch.tensor([example.ids])
    logits = model(input_ids=ids[:, :-1]).logits[0, example.first_label - 1 :]
    return functional.cross_entropy(logits, ids[0, example.first_label :], reduction="sum")


@pytest.mark.parametrize("config", [{}, {"scale_attn_by_inverse_layer_idx": True}, {"scale_attn_weights": False}])
def test_each_example_has_the_loss_that_transformers_gives_it_alone(config: dict[str, bool]) -> None:
    model = a_model(**config)
    expected = torch.stack([by_transformers(model, example) for example in EXAMPLES]).detach()
    assert torch.allclose(compute_example_losses(model, EXAMPLES), expected.double(), rtol=1e-5)
    assert float(compute_total_loss(model, EXAMPLES).detach()) == pytest.approx(float(expected.sum()), rel=1e-5)


def test_gradients_are_those_of_transformers() -> None:
    ours, theirs = a_model(), a_model()
    torch.autograd.backward(compute_total_loss(ours, EXAMPLES))
    torch.autograd.backward([by_transformers(theirs, example) for example in EXAMPLES])
    for (name, mine), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(mine.grad, other.grad, rtol=1e-3, atol=1e-4), name


def test_another_post_changes_no_loss_but_its_own() -> None:
    model = a_model()
    before = compute_example_losses(model, EXAMPLES)
    for index, example in enumerate(EXAMPLES):
        other = Example(((example.ids[0] + 1) % MARK, *example.ids[1:]), example.first_label)
        after = compute_example_losses(model, [*EXAMPLES[:index], other, *EXAMPLES[index + 1 :]])
        changed = (before - after).abs() > 1e-3
        assert changed.nonzero().flatten().tolist() == [index]


def test_the_order_of_the_examples_does_not_matter() -> None:
    model = a_model()
    backwards = compute_example_losses(model, EXAMPLES[::-1]).flip(0)
    assert torch.allclose(compute_example_losses(model, EXAMPLES), backwards, rtol=1e-5)


def test_frozen_weights_get_no_gradient() -> None:
    model = a_model()
    model.transformer.wte.weight.requires_grad_(requires_grad=False)
    torch.autograd.backward(compute_total_loss(model, EXAMPLES))
    assert model.transformer.wte.weight.grad is None
    assert model.transformer.h[0].attn.c_attn.weight.grad is not None
