"""LoRA: adapters learn, all else stays, and merged they are the same model, here and in peft."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import GPT2LMHeadModel

from builders.decoders import compute_logits, copy_to_transformers
from builders.model import (
    DEVICE,
    SAMPLING,
    CheckpointsInMemory,
    a_base,
    examples_of,
    some_texts,
    some_values,
    stopped_at,
)
from tweetbot_contract.spec.model import Model
from tweetbot_contract.spec.training import Training
from tweetbot_trainer.learning.decoder.decoder import Decoder
from tweetbot_trainer.learning.fingerprint import fingerprint
from tweetbot_trainer.learning.model.base import Base
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.learning.training.callbacks import Callbacks, TrainOutput
from tweetbot_trainer.learning.training.loop import train
from tweetbot_trainer.learning.training.lora import attach_adapters, merge_adapters
from tweetbot_trainer.learning.training.state import copy_weights
from tweetbot_trainer.learning.values import Hyperparameters, LoraConfig, resolve_hyperparameters, resolve_lora
from tweetbot_trainer.publishing.export import save_adapter, save_model
from tweetbot_trainer.runtime.errors import StageStopped

TRAIN, VALIDATION = some_texts(40), some_texts(8, seed=2)
LORA = LoraConfig(rank=4, alpha=12)
HUB = BaseIdentity("hf://gpt2", "hub", "607a30d783dfa663caf39e06633721c8d4cfcd7e")
IDS = torch.tensor([[0, 5, 9, 33, 70, 8, 1], [0, 7, 7, 12, 90, 41, 2]])


def values(lora: LoraConfig = LORA) -> Hyperparameters:
    return replace(some_values(epochs=1, learning_rate="1e-2"), lora=lora, dropout=0.1)


def adapted(base: Base, seed: int = 1, lora: LoraConfig = LORA) -> Base:
    attach_adapters(base.model, lora, seed)
    return base


def with_learned_adapters(base: Base) -> Base:
    """Return the base with adapters that say something: a new one's B is all zeros."""
    for name, parameter in adapted(base).model.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(std=0.3, generator=torch.Generator().manual_seed(len(name)))
    return base


def trained(base: Base, callbacks: Callbacks | None = None) -> TrainOutput:
    parts = examples_of(base, TRAIN), examples_of(base, VALIDATION)
    return train(base.model, *parts, values(), device=DEVICE, callbacks=callbacks or Callbacks(), stop_early=True)


@torch.no_grad()
def logits(model: Any) -> Tensor:
    answer: Tensor = compute_logits(model.eval(), IDS) if isinstance(model, Decoder) else model.eval()(IDS).logits
    return answer


def frozen_of(base: Base) -> dict[str, Tensor]:
    parameters = base.model.named_parameters()
    return {name: one.detach().clone() for name, one in parameters if "lora_" not in name}


def test_a_training_begins_at_the_base() -> None:
    base = a_base(TRAIN)
    before = logits(base.model)
    assert torch.equal(logits(adapted(base).model), before)


def test_the_merged_model_is_the_base_with_its_adapters() -> None:
    base = a_base(TRAIN)
    untouched = logits(base.model)
    with_adapters = logits(with_learned_adapters(base).model)
    merge_adapters(base.model)
    torch.testing.assert_close(logits(base.model), with_adapters, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(with_adapters, untouched, atol=0.1)


def test_a_merged_weight_is_w_plus_alpha_over_rank_times_a_times_b() -> None:
    plain, base = a_base(TRAIN), with_learned_adapters(a_base(TRAIN))
    adapter = merge_adapters(base.model)
    for layer in plain.model.config.linear_layers:
        name = f"transformer.h.1.{layer}"
        a, b = adapter[f"{name}.lora_A"].double(), adapter[f"{name}.lora_B"].double()
        expected = plain.model.get_parameter(f"{name}.weight").double() + 12 / 4 * torch.einsum("ri,or->io", a, b)
        torch.testing.assert_close(base.model.get_parameter(f"{name}.weight").double(), expected, rtol=0, atol=1e-6)


def test_a_merged_model_is_an_ordinary_one() -> None:
    plain, base = a_base(TRAIN), with_learned_adapters(a_base(TRAIN))
    merge_adapters(base.model)
    assert list(base.model.state_dict()) == list(plain.model.state_dict())
    assert all(parameter.requires_grad for parameter in base.model.parameters())


def test_training_changes_every_adapter_and_nothing_else() -> None:
    base = adapted(a_base(TRAIN))
    frozen, begun = frozen_of(base), copy_weights(base.model)
    outcome = trained(base)
    assert outcome.train_loss < outcome.first_train_loss
    assert len(begun) == 2 * len(base.model.config.linear_layers) * base.model.config.layers
    learned = copy_weights(base.model)
    assert [name for name in learned if torch.equal(learned[name], begun[name])] == []
    after = frozen_of(base)
    assert [name for name in frozen if not torch.equal(frozen[name], after[name])] == []


def test_adapters_are_drawn_from_the_seed_alone() -> None:
    torch.manual_seed(7)
    one = copy_weights(adapted(a_base(TRAIN), seed=1).model)
    torch.manual_seed(8)
    two = copy_weights(adapted(a_base(TRAIN), seed=1).model)
    other = copy_weights(adapted(a_base(TRAIN), seed=2).model)
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not any(torch.equal(one[name], other[name]) for name in one if name.endswith("lora_A"))


@pytest.mark.parametrize("stop_at", [1, 6])
def test_a_stopped_training_of_adapters_goes_on_to_the_same_ones(stop_at: int) -> None:
    trained(undisturbed := adapted(a_base(TRAIN)))
    checkpoints = CheckpointsInMemory()
    with pytest.raises(StageStopped):
        trained(adapted(a_base(TRAIN)), Callbacks(should_training_stop=stopped_at(stop_at), checkpoints=checkpoints))
    trained(resumed := adapted(a_base(TRAIN)), Callbacks(checkpoints=checkpoints))
    whole, again = copy_weights(undisturbed.model), copy_weights(resumed.model)
    assert all(torch.equal(whole[name], again[name]) for name in whole)
    assert set(checkpoints.saved[0].tensors["model"]) == set(whole)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # peft asks for it
def test_peft_loads_the_adapter_and_gives_the_merged_models_logits(tmp_path: Path) -> None:
    from peft import PeftModel

    plain, base = a_base(TRAIN), with_learned_adapters(a_base(TRAIN))
    save_adapter(merge_adapters(base.model), LORA, HUB, tmp_path / "adapter")
    save_model(base.model, base.tokenizer, SAMPLING, tmp_path / "model")
    loaded = PeftModel.from_pretrained(copy_to_transformers(plain.model), tmp_path / "adapter")
    config = loaded.peft_config["default"]
    assert (config.base_model_name_or_path, config.revision) == ("gpt2", HUB.digest)
    merged = GPT2LMHeadModel.from_pretrained(tmp_path / "model", dtype=torch.float32)
    torch.testing.assert_close(logits(loaded), logits(merged), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(logits(loaded), logits(base.model), rtol=1e-4, atol=1e-5)


def test_adapters_have_rates_of_their_own_and_no_decay() -> None:
    lora = resolve_hyperparameters(Training(), "hf://gpt2", (), resolve_lora(Model(method="LoRA")))
    assert (lora.lora, lora.weight_decay) == (LoraConfig(16, 32), 0.0)
    assert (lora.get_peak_rate(100), lora.get_peak_rate(99)) == (1.4e-3, 2e-3)
    given = resolve_hyperparameters(Training(learning_rate="5e-4"), "hf://gpt2", (), LORA)
    assert (given.get_peak_rate(100), given.get_peak_rate(10)) == (5e-4, 5e-4)


def test_method_and_shape_of_the_adapters_are_in_the_key() -> None:
    specs = (
        Model(),
        Model(method="LoRA"),
        Model.model_validate({"method": "LoRA", "lora": {"rank": 8}}),
        Model.model_validate({"method": "LoRA", "lora": {"alpha": 64}}),
    )
    keys = [
        fingerprint("d" * 64, HUB, resolve_hyperparameters(Training(), "hf://gpt2", (), resolve_lora(spec)))
        for spec in specs
    ]
    assert len(set(keys)) == len(specs)
    written_out = Model.model_validate({"method": "LoRA", "lora": {"rank": 16, "alpha": 32}})
    assert resolve_lora(written_out) == resolve_lora(specs[1])
