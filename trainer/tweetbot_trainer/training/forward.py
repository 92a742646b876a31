"""One forward pass over windows: from ids to summed cross-entropy, the head run on label positions only."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from transformers import GPT2LMHeadModel

from tweetbot_trainer.training.windows import Window


@dataclass(frozen=True, slots=True)
class Rows:
    """Windows as tensors: `ids` [rows, positions] padded on the right, where causal attention never looks.

    `places` [labels] are flat positions in `ids`; `targets` [labels] are the ids that those positions predict.
    """

    ids: Tensor
    places: Tensor
    targets: Tensor


def rows_of(windows: Sequence[Window], padding: int) -> Rows:
    """Return the tensors of some windows. Padding is no label, and every end mark that closes a post is one."""
    length = max(len(window.ids) for window in windows) - 1
    ids = [[*window.ids[:-1], *([padding] * (length + 1 - len(window.ids)))] for window in windows]
    places = [
        row * length + place - 1
        for row, window in enumerate(windows)
        for place in range(window.first_label, len(window.ids))
    ]
    targets = [label for window in windows for label in window.ids[window.first_label :]]
    return Rows(torch.tensor(ids), torch.tensor(places), torch.tensor(targets))


def losses(model: GPT2LMHeadModel, windows: Sequence[Window]) -> Tensor:
    """Return each window's cross-entropy in nats, summed over its labels: [windows], on the CPU, in float64."""
    device = model.lm_head.weight.device
    rows = rows_of(windows, int(model.config.eos_token_id))
    by_label = functional.cross_entropy(_logits(model, rows), rows.targets.to(device), reduction="none").double().cpu()
    owners = torch.tensor([row for row, window in enumerate(windows) for _ in range(window.labels)])
    return torch.zeros(len(windows), dtype=torch.float64).index_add_(0, owners, by_label)


def summed_loss(model: GPT2LMHeadModel, windows: Sequence[Window]) -> Tensor:
    """Return the cross-entropy in nats summed over all labels of the windows, a scalar on the model's device."""
    rows = rows_of(windows, int(model.config.eos_token_id))
    logits = _logits(model, rows)
    return functional.cross_entropy(logits, rows.targets.to(logits.device), reduction="sum")


def _logits(model: GPT2LMHeadModel, rows: Rows) -> Tensor:
    device = model.lm_head.weight.device
    hidden = model.transformer(input_ids=rows.ids.to(device), use_cache=False).last_hidden_state
    labelled: Tensor = model.lm_head(hidden.flatten(0, 1).index_select(0, rows.places.to(device)))
    return labelled.float()
