"""Activations that are computed again instead of kept: the same training, in less memory, only where it is needed."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from builders.decoders import build_ours, build_theirs
from builders.model import DEVICE, a_base, posts_of, some_texts, some_values
from tweetbot_contract.spec.memory import Load
from tweetbot_trainer.data.dataset.splits import split
from tweetbot_trainer.learning.batches.examples import Example
from tweetbot_trainer.learning.batches.forward import compute_label_losses
from tweetbot_trainer.learning.batches.packing import pack
from tweetbot_trainer.learning.decoder.configs import Gpt2Config, build_shape
from tweetbot_trainer.learning.decoder.decoder import Decoder
from tweetbot_trainer.learning.fine_tune import FineTuneResult, fine_tune
from tweetbot_trainer.learning.training.callbacks import Callbacks
from tweetbot_trainer.learning.training.lora import attach_adapters
from tweetbot_trainer.learning.training.recomputation import choose_recomputation
from tweetbot_trainer.learning.values import LoraConfig
from tweetbot_trainer.runtime.errors import SpecRefused

FAMILIES = ("gpt2", "llama", "qwen2", "qwen3")
EXAMPLES = [Example((40, *range(first, first + length), 40), 1) for first, length in ((1, 5), (3, 9), (7, 9), (2, 20))]
XL = Gpt2Config(n_layer=48, n_head=25, n_embd=1600)
GIB = 2**30


def a_decoder(family: str, *, recompute: bool) -> Decoder:
    model = build_ours(build_theirs(family)).train()
    model.set_dropout(0.1)
    model.recompute = recompute
    return model


def gradients_of(model: Decoder) -> list[Tensor]:
    torch.manual_seed(1)
    torch.autograd.backward(compute_label_losses(model, pack(EXAMPLES)).sum())
    return [one.grad for one in model.parameters() if one.grad is not None]


def measure_kept(run: Callable[[], Tensor]) -> int:
    """Return the bytes that a forward pass leaves to the backward pass, beside parameters."""
    kept: dict[int, int] = {}

    def pack_tensor(tensor: Tensor) -> Tensor:
        if tensor.grad_fn is not None or not tensor.requires_grad:
            storage = tensor.untyped_storage()
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack_tensor, lambda tensor: tensor):
        loss = run()
    assert loss.sum().requires_grad
    return sum(kept.values())


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("rank", [None, 2])
def test_gradients_are_the_same_to_the_bit(family: str, rank: int | None) -> None:
    kept, again = (a_decoder(family, recompute=each) for each in (False, True))
    if rank:
        for model in (kept, again):
            attach_adapters(model, LoraConfig(rank, 4), seed=1)
    found, expected = gradients_of(again), gradients_of(kept)
    assert len(found) == len(expected) > 0
    assert all(map(torch.equal, found, expected))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_head_in_parts_has_the_same_gradients(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tweetbot_trainer.learning.batches.forward.HEAD_PART", 4)
    whole, parts = (a_decoder(family, recompute=each) for each in (False, True))
    rows: list[int] = []
    compute = parts.compute_logits

    def count_rows(hidden: Tensor) -> Tensor:
        rows.append(len(hidden))
        return compute(hidden)

    monkeypatch.setattr(parts, "compute_logits", count_rows)
    found, expected = gradients_of(parts), gradients_of(whole)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    assert max(rows) == 4


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_kept_is_what_the_estimate_says(family: str) -> None:
    batch = pack([Example((40, *range(20), 40), 1)] * 64)
    models = [a_decoder(family, recompute=each).eval() for each in (False, True)]
    whole, again = (measure_kept(partial(compute_label_losses, model, batch)) for model in models)
    load = Load(build_shape(models[0].config), None, len(batch.ids))
    said = 4 * len(batch.ids) * (load.shape.layers * load.shape.kept_numbers + load.shape.vocabulary)
    assert 0.75 * said < whole < 1.25 * said
    assert again < 0.4 * whole


def test_it_is_chosen_by_the_memory_of_the_pod() -> None:
    values = some_values()
    plain = Load(build_shape(XL), None, values.batch_tokens).estimate_pod(gpu=False).plain
    given = (None, plain - 1, plain)
    assert [choose_recomputation(XL, values, DEVICE, pod_memory=each) for each in given] == [False, True, False]


def test_it_is_chosen_by_the_memory_of_the_gpu() -> None:
    gpu, values = replace(DEVICE, device_type="cuda", name="NVIDIA L4", bf16=True), some_values(batch_tokens=8192)
    choices = [choose_recomputation(XL, values, gpu, pod_memory=1, gpu_memory=size * GIB) for size in (40, 141)]
    assert choices == [True, False]
    with pytest.raises(
        SpecRefused, match=r"at least 2\d.\d GiB of a GPU's memory, and NVIDIA L4 has 22.0 GiB"
    ) as error:
        choose_recomputation(XL, values, gpu, pod_memory=1, gpu_memory=22 * GIB)
    assert "set spec.model.method to LoRA, for which " in error.value.message
    lora = replace(values, lora=LoraConfig(16, 32))
    assert choose_recomputation(XL, lora, gpu, pod_memory=1, gpu_memory=22 * GIB) is True


def trained(memory: int | None, told: list[str]) -> tuple[FineTuneResult, Any]:
    base = a_base()
    callbacks = Callbacks(on_recompute=lambda: told.append("recomputed"))
    splits = split(posts_of(some_texts(60)), 10)
    return fine_tune(base, splits, some_values(), callbacks=callbacks, memory=memory), base.model


def test_a_training_in_little_memory_gives_the_same_model_and_says_so() -> None:
    told: list[str] = []
    (kept, one), (again, other) = trained(None, told), trained(1, told)
    assert (kept.outcome.recomputed, again.outcome.recomputed, told) == (False, True, ["recomputed"])
    assert again.test == kept.test
    assert all(map(torch.equal, one.parameters(), other.parameters()))
