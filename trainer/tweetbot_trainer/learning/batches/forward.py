"""One forward pass over examples, from ids to cross-entropy in nats, without padding (docs/decisions/0034, 0090).

The examples lie end to end in one stream. What works on each position alone (embeddings, norms, linear layers, the
activation) runs on the whole stream; attention runs on each example alone; the head runs on label positions only.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from tweetbot_contract.spec.memory import HEAD_PART
from tweetbot_trainer.learning.batches.batching import split_into_micro_batches
from tweetbot_trainer.learning.batches.cross_entropy import compute_cross_entropy
from tweetbot_trainer.learning.batches.examples import Example
from tweetbot_trainer.learning.batches.packing import PackedBatch, pack
from tweetbot_trainer.learning.decoder.attention import PackedAttention
from tweetbot_trainer.learning.decoder.decoder import Decoder

#: Input positions per forward pass without gradients: the logits of more would need more memory than training does.
POSITIONS = 1024


def compute_example_losses(model: Decoder, examples: Sequence[Example]) -> Tensor:
    """Return each example's loss in nats, summed over its labels: [examples] float64 on the CPU."""
    by_label = compute_label_losses(model, pack(examples)).double().cpu()
    owners = torch.tensor([index for index, example in enumerate(examples) for _ in range(example.labels)])
    return torch.zeros(len(examples), dtype=torch.float64).index_add_(0, owners, by_label)


def compute_total_loss(model: Decoder, examples: Sequence[Example]) -> Tensor:
    """Return the loss in nats summed over all labels: a float32 scalar on the model's device."""
    return compute_label_losses(model, pack(examples)).sum()


def compute_label_losses(model: Decoder, batch: PackedBatch) -> Tensor:
    """Return the loss in nats of each label: [labels] float32 on the model's device.

    A model that recomputes keeps no logits for the backward pass, and never has those of more than HEAD_PART labels.
    """
    device, attention = model.device, PackedAttention(batch.equal_length_groups)
    hidden = model.compute_hidden_states(batch.ids.to(device), batch.positions.to(device), attention)
    hidden, targets = hidden.index_select(0, batch.label_positions.to(device)), batch.targets.to(device)
    if not (model.recompute and torch.is_grad_enabled()):
        return _compute_head_losses(model, hidden, targets)
    parts = zip(torch.split(hidden, HEAD_PART), torch.split(targets, HEAD_PART), strict=True)
    return torch.cat([checkpoint(_compute_head_losses, model, *part, use_reentrant=False) for part in parts])


def _compute_head_losses(model: Decoder, hidden: Tensor, targets: Tensor) -> Tensor:
    """Return the loss in nats of each target from the last hidden states, [labels, channels]: [labels] float32."""
    return compute_cross_entropy(model.compute_logits(hidden).float(), targets)


@torch.no_grad()
def compute_nats_by_example(model: Decoder, examples: Sequence[Example]) -> list[float]:
    """Evaluate without dropout, in float32: each example's loss in nats, summed over its labels, in their order."""
    training = model.training
    model.eval()
    order = sorted(range(len(examples)), key=lambda index: len(examples[index].ids))
    found = [
        float(one)
        for group in split_into_micro_batches([examples[index] for index in order], POSITIONS)
        for one in compute_example_losses(model, group)
    ]
    model.train(training)
    return [nats for _, nats in sorted(zip(order, found, strict=True))]


@torch.no_grad()
def compute_total_nats(model: Decoder, examples: Sequence[Example]) -> float:
    """Evaluate without dropout, in float32: the loss in nats summed over the labels of all examples."""
    training = model.training
    model.eval()
    by_length = sorted(examples, key=lambda example: len(example.ids))
    total = sum(float(compute_total_loss(model, group)) for group in split_into_micro_batches(by_length, POSITIONS))
    model.train(training)
    return total
