"""Our own forward: each example alone, in whatever order. Its figures beside transformers': decoder/test_decoder.py."""

import torch

from builders.decoders import MARK, build_ours, build_theirs
from tweetbot_trainer.learning.batches.examples import Example, split_into_examples
from tweetbot_trainer.learning.batches.forward import compute_example_losses, compute_total_loss
from tweetbot_trainer.learning.decoder.decoder import Decoder
from tweetbot_trainer.learning.model.marks import Marks

POSTS = [(3, 9, 5), (7,), (8, 2, 6), (1, 2, 3, 4, 5, 6, 7), tuple(range(30)), ()]
EXAMPLES = [example for post in POSTS for example in split_into_examples(post, Marks(MARK, MARK), 12)]


def a_model() -> Decoder:
    return build_ours(build_theirs("gpt2"))


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
    model.embedding.weight.requires_grad = False
    torch.autograd.backward(compute_total_loss(model, EXAMPLES))
    assert model.embedding.weight.grad is None
    assert model.get_parameter("transformer.h.0.attn.c_attn.weight").grad is not None
