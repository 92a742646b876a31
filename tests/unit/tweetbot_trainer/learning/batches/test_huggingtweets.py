"""Recipe huggingtweets: reshuffled copies of the posts, cut into blocks, one a step, as transformers' Trainer did."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import get_cosine_schedule_with_warmup

from builders.decoders import copy_to_transformers
from builders.model import DEVICE, a_base, a_post, posts_of, some_texts
from tweetbot_contract.spec.training import Training
from tweetbot_trainer.data.dataset.splits import split
from tweetbot_trainer.learning.batches.batching import Batch, make_batches
from tweetbot_trainer.learning.batches.examples import Example
from tweetbot_trainer.learning.batches.forward import compute_total_loss
from tweetbot_trainer.learning.batches.huggingtweets import make_blocks, shuffle_copies
from tweetbot_trainer.learning.fine_tune import fine_tune
from tweetbot_trainer.learning.model.base import Base
from tweetbot_trainer.learning.model.marks import Marks, get_marks
from tweetbot_trainer.learning.model.tokenizer import EncodedText, encode_all
from tweetbot_trainer.learning.training.callbacks import Callbacks
from tweetbot_trainer.learning.training.loop import train
from tweetbot_trainer.learning.values import resolve_hyperparameters
from tweetbot_trainer.runtime.errors import TooLittleData

TEXTS = some_texts(60)
VALUES = resolve_hyperparameters(Training(recipe="huggingtweets"), "hf://gpt2", ())
MARKS = Marks(0, 0)


def stream_of(*texts: Sequence[int]) -> list[EncodedText]:
    return [EncodedText(tuple(tokens), 1) for tokens in texts]


def blocks(base: Base, length: int = 64) -> list[Example]:
    return make_blocks(encode_all(base.tokenizer, shuffle_copies([TEXTS], seed=1)), get_marks(base.tokenizer), length)


def batches_of(examples: Sequence[Example]) -> list[Batch]:
    return make_batches(examples, batch_tokens=VALUES.batch_tokens, epochs=VALUES.epochs, seed=VALUES.seed)[0]


def test_every_copy_holds_every_post_in_an_order_of_its_own() -> None:
    texts = [f"post {number}" for number in range(10)]
    stream = shuffle_copies([texts], seed=1)
    copies = [stream[at : at + 10] for at in range(0, 40, 10)]
    assert len(stream) == 40
    assert all(sorted(copy) == texts for copy in copies)
    assert len({tuple(copy) for copy in copies}) == 4
    assert shuffle_copies([texts], seed=1) == stream != shuffle_copies([texts], seed=2)


def test_a_smaller_source_repeats_its_posts_until_it_is_as_long() -> None:
    """Ten and three posts of one length came out as forty samples each, handle after handle."""
    long, short = [f"long {number}" for number in range(10)], [f"tiny {number}" for number in range(3)]
    stream = shuffle_copies([long, short], seed=1)
    found = Counter(stream)
    assert {found[text] for text in long} == {4}
    assert sum(found[text] for text in short) == 40
    assert min(found[text] for text in short) >= 12
    assert [text[:4] for text in stream] == (["long"] * 10 + ["tiny"] * 10) * 4


def test_blocks_run_across_posts_and_the_last_partial_one_is_dropped() -> None:
    examples = make_blocks(stream_of([1, 2], [3], [4, 5, 6]), MARKS, 4)
    assert [example.ids for example in examples] == [(0, 1, 2, 0), (3, 0, 4, 5)]
    assert [example.labels for example in examples] == [3, 3]


def test_a_stream_of_exactly_one_block_is_one() -> None:
    assert [example.ids for example in make_blocks(stream_of([1, 2]), MARKS, 4)] == [(0, 1, 2, 0)]


def test_a_stream_that_fills_no_block_is_refused_with_advice() -> None:
    with pytest.raises(TooLittleData, match=r"TooFewPosts: .*blocks of 5 tokens.* only 4: .*recipe: tweetbot"):
        make_blocks(stream_of([1, 2]), MARKS, 5)


def test_each_block_is_a_step_and_their_order_is_the_seeds() -> None:
    texts = [tuple(range(1, 1001))] * 12
    examples = make_blocks(stream_of(*texts), MARKS, 1024)
    steps = batches_of(examples)
    assert [len(step) for step in steps] == [1] * len(examples) == [1] * 11
    assert sorted(example.ids for (example,) in steps) == sorted(example.ids for example in examples)
    assert [step[0] for step in steps] != examples


def test_attention_weights_are_dropped_too() -> None:
    base = a_base(TEXTS)
    block = blocks(base)[:1]
    losses = []
    for attention_dropout in (0.0, 0.0, 0.5):
        base.model.set_dropout(0.0, attention_dropout)
        torch.manual_seed(1)
        losses.append(float(compute_total_loss(base.model, block).detach()))
    assert losses[0] == losses[1]
    assert losses[2] != pytest.approx(losses[0], rel=1e-4)
    assert base.model.config.model_dump()["attn_pdrop"] == 0.5


def test_without_dropout_it_takes_the_steps_of_a_stock_loop_to_the_last_loss() -> None:
    """The stock loop as transformers' Trainer runs it: the next token's cross-entropy, AdamW, the library's cosine."""
    ours = a_base(TEXTS)
    stock = copy_to_transformers(ours.model)
    examples = blocks(ours)
    values = replace(VALUES, dropout=0.0, attention_dropout=0.0, batch_tokens=63)
    outcome = train(ours.model, examples, examples[:1], values, device=DEVICE, callbacks=Callbacks(), stop_early=False)
    plan = make_batches(examples, batch_tokens=63, epochs=1, seed=values.seed)[0]
    optimizer = torch.optim.AdamW(stock.parameters(), lr=1.372e-4, weight_decay=0.0)
    schedule = get_cosine_schedule_with_warmup(optimizer, 0, len(plan))
    losses = []
    stock.eval()
    for ((block,),) in zip(plan, strict=True):
        ids = torch.tensor([block.ids])
        loss = cross_entropy(stock(input_ids=ids).logits[0, :-1], ids[0, 1:])
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(stock.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert len(losses) > 10
    assert [entry.train_loss for entry in outcome.log_history if entry.train_loss is not None] == pytest.approx(
        losses, rel=1e-4
    )


def test_it_trains_on_four_copies_of_the_train_part_and_nothing_else() -> None:
    posts = [*posts_of(TEXTS), *(a_post(number, source=1, text=text) for number, text in enumerate(TEXTS[:40]))]
    base, splits = a_base(TEXTS), split(posts, 10)
    result = fine_tune(base, splits, VALUES, callbacks=Callbacks())
    stream = shuffle_copies(
        [[post.text for post in splits.train if post.source == number] for number in (0, 1)], VALUES.seed
    )
    whole = sum(len(text.tokens) + 1 for text in encode_all(base.tokenizer, stream)) + 1
    assert result.outcome.tokens == whole // 64 * 63
    assert (result.outcome.epochs, result.outcome.best_epoch) == (1, 1)
    assert base.model.config.model_dump()["attn_pdrop"] == 0.1
