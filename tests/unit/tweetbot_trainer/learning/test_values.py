"""What training really uses, and the key that names it."""

import json
import subprocess
import sys
from dataclasses import fields, replace
from typing import Any

import pytest

from tweetbot_contract.spec.sources import Source
from tweetbot_contract.spec.training import Training
from tweetbot_trainer.learning.fingerprint import fingerprint, fingerprint_values
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.learning.values import (
    RECIPE_VERSION,
    SMALL_ACCOUNT,
    Hyperparameters,
    LoraConfig,
    resolve_hyperparameters,
)

HUB = BaseIdentity("hf://gpt2", "hub", "607a30d783dfa663caf39e06633721c8d4cfcd7e")
VALUES = resolve_hyperparameters(Training(), "hf://gpt2", ())
SCRATCH_VALUES = resolve_hyperparameters(Training(), "scratch://mini", ())
HUGGINGTWEETS_VALUES = resolve_hyperparameters(Training(recipe="huggingtweets"), "hf://gpt2", ())
SMALL_VALUES = resolve_hyperparameters(Training(), "hf://gpt2", (), posts=SMALL_ACCOUNT)
LORA_VALUES = resolve_hyperparameters(Training(), "hf://gpt2", (), LoraConfig(rank=16, alpha=32))


def test_a_published_base_gets_huggingtweets_values() -> None:
    assert (VALUES.learning_rate, VALUES.batch_tokens, VALUES.warmup, VALUES.weight_decay) == (1.372e-4, 1024, 0, 0)
    assert (VALUES.betas, VALUES.temperature) == ((0.9, 0.999), 1.0)


def test_a_scratch_base_gets_values_of_its_own() -> None:
    values = resolve_hyperparameters(Training(), "scratch://mini", ())
    assert (values.learning_rate, values.batch_tokens, values.warmup, values.weight_decay) == (1.4e-3, 128, 0.1, 0.1)
    assert (values.betas, values.temperature) == ((0.9, 0.99), 0.7)


def test_a_larger_scratch_base_learns_at_a_lower_rate() -> None:
    small, mini = (resolve_hyperparameters(Training(), f"scratch://{size}", ()) for size in ("small", "mini"))
    assert small == replace(mini, learning_rate=3e-4)


def test_what_the_spec_says_wins() -> None:
    spec = Training(epochs=7, learning_rate="5e-5", batch_tokens=2048, seed=3, early_stopping=False)
    values = resolve_hyperparameters(spec, "scratch://mini", ())
    assert (values.epochs, values.learning_rate, values.batch_tokens, values.seed) == (7, 5e-5, 2048, 3)
    assert values.early_stopping is False


def test_recipe_huggingtweets_is_what_the_notebook_gave_its_trainer_on_any_base() -> None:
    spec = Training(recipe="huggingtweets", seed=3)
    values = resolve_hyperparameters(spec, "hf://gpt2", ())
    assert (values.learning_rate, values.schedule, values.warmup, values.precision) == (1.372e-4, "cosine", 0.0, "FP32")
    assert (values.optimizer, values.betas, values.adam_epsilon) == ("AdamW", (0.9, 0.999), 1e-8)
    assert (values.weight_decay, values.clip_norm) == (0.0, 1.0)
    assert (values.dropout, values.attention_dropout, values.epochs, values.early_stopping) == (0.1, 0.1, 1, False)
    assert values == resolve_hyperparameters(spec, "scratch://mini", ())


@pytest.mark.parametrize("base", ["hf://gpt2", "scratch://mini"])
@pytest.mark.parametrize("lora", [None, LoraConfig(rank=16, alpha=32)])
def test_few_validation_posts_decide_in_a_small_account_alone(base: str, lora: LoraConfig | None) -> None:
    small, large = (
        resolve_hyperparameters(Training(), base, (), lora, posts=posts) for posts in (SMALL_ACCOUNT, SMALL_ACCOUNT + 1)
    )
    assert [small.stops_early(posts) for posts in (4, 5, 50)] == [False, True, True]
    assert [large.stops_early(posts) for posts in (5, 49, 50)] == [False, False, True]
    assert large == resolve_hyperparameters(Training(), base, (), lora), "above, all is as it was"


@pytest.mark.parametrize("spec", [Training(early_stopping=False), Training(recipe="huggingtweets")])
def test_a_small_account_that_asks_for_all_epochs_gets_them_and_keeps_its_key(spec: Training) -> None:
    values = resolve_hyperparameters(spec, "hf://gpt2", (), posts=50)
    assert not values.stops_early(1000)
    assert values == resolve_hyperparameters(spec, "hf://gpt2", ())


@pytest.mark.parametrize(
    ("values", "key"),
    [
        (VALUES, "d505afd317d8fc7e3889934153c0a4f74bc805ef5d5437a92c4d7e330a08a1bd"),
        (SCRATCH_VALUES, "0f93916180c4815a1b5ff4d0c5ab4cb2edba549aabdf800da423d3e3fdaf6ff7"),
        (HUGGINGTWEETS_VALUES, "92e7bdf544a2ec7c697521e57da5304b8048b50f515794a6bdfcfd88977b10d7"),
        (LORA_VALUES, "24b7600dd8e1a854d6c9d5d1bc219745a5dab41d1e723e583ca4882e9ae0d5a5"),
        (replace(VALUES, source_weights=(1, 3)), "2aa673a662392adee147b24961eaf95dfe232474a22e78bc4bcd89d4b2663ac4"),
    ],
    ids=["gpt2", "scratch", "huggingtweets", "LoRA", "weights"],
)
def test_the_key_is_the_same_on_every_machine(values: Hyperparameters, key: str) -> None:
    """Golden: another key would train a whole fleet again. Change RECIPE_VERSION on purpose, then this."""
    assert fingerprint("d" * 64, HUB, values) == key


def test_values_that_are_no_numbers_have_no_key() -> None:
    with pytest.raises(ValueError, match="JSON"):
        fingerprint_values("d" * 64, HUB, {"dropout": float("nan")})


def test_the_json_keeps_the_names_that_published_manifests_have() -> None:
    content = HUGGINGTWEETS_VALUES.as_json()
    assert (content["recipe"], content["procedure"]) == (RECIPE_VERSION, "huggingtweets")
    assert "procedure" not in VALUES.as_json()


@pytest.mark.parametrize("field", [field.name for field in fields(Hyperparameters)])
def test_every_value_is_in_the_key(field: str) -> None:
    words = {
        "precision": "FP32",
        "betas": (0.8, 0.9),
        "optimizer": "SGD",
        "schedule": "line",
        "source_weights": (1, 3),
        "recipe": "huggingtweets",
        "lora": LoraConfig(rank=16, alpha=32),
        "short_learning_rate": 2e-3,
    }
    change: dict[str, Any] = {field: words[field] if field in words else getattr(VALUES, field) + 1}
    changed = replace(VALUES, **change)
    assert fingerprint("d" * 64, HUB, changed) != fingerprint("d" * 64, HUB, VALUES)


@pytest.mark.parametrize(
    ("weights", "effective"),
    [((None, None), ()), ((7,), ()), ((2, 2), (1, 1)), ((40, 60, 100), (2, 3, 5)), ((1, 3), (1, 3))],
)
def test_weights_count_in_lowest_terms_and_only_where_there_is_something_to_mix(
    weights: tuple[int | None, ...], effective: tuple[int, ...]
) -> None:
    sources = [
        Source.model_validate({"posts": {"uri": "s3://team-a/posts.txt"}, "weight": weight}) for weight in weights
    ]
    values = resolve_hyperparameters(Training(), "hf://gpt2", sources)
    assert values.source_weights == effective
    assert (fingerprint("d" * 64, HUB, values) == fingerprint("d" * 64, HUB, VALUES)) == (not effective)


def test_dataset_and_base_are_in_the_key() -> None:
    keys = {
        fingerprint("d" * 64, HUB, VALUES),
        fingerprint("e" * 64, HUB, VALUES),
        fingerprint("d" * 64, replace(HUB, digest="0" * 40), VALUES),
    }
    assert len(keys) == 3


def test_a_copied_base_folder_is_the_same_base() -> None:
    here = BaseIdentity("s3://a/base", "folder", "1" * 64, "2" * 64, "3" * 64)
    assert fingerprint("d" * 64, here, VALUES) == fingerprint("d" * 64, replace(here, uri="s3://b/copy"), VALUES)


def test_the_key_needs_neither_torch_nor_transformers() -> None:
    program = (
        "import sys, json; import tweetbot_trainer.learning.fingerprint, tweetbot_trainer.learning.model.hub; "
        "import tweetbot_trainer.data.dataset.splits; "
        "print(json.dumps([name for name in ('torch', 'transformers', 'matplotlib') if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_a_llama_takes_the_rates_of_its_width_and_no_dropout() -> None:
    full, adapters, original = (
        resolve_hyperparameters(Training(recipe=recipe), "s3://team/base", (), lora, architecture=("llama", 576))
        for recipe, lora in (("tweetbot", None), ("tweetbot", LoraConfig(16, 32)), ("huggingtweets", None))
    )
    assert (full.learning_rate, adapters.learning_rate, adapters.short_learning_rate) == (1.32e-4, 1.32e-3, 1.98e-3)
    assert full.dropout == adapters.dropout == original.dropout == original.attention_dropout == 0.0


@pytest.mark.parametrize("recipe", ["tweetbot", "huggingtweets"])
def test_a_gpt2_takes_the_same_values_whether_its_architecture_is_known_or_not(recipe: Any) -> None:
    known, unknown = (
        resolve_hyperparameters(Training(recipe=recipe), "hf://gpt2", (), architecture=each)
        for each in (("gpt2", 768), ("", 0))
    )
    assert known == unknown


def test_what_is_known_of_a_base_beside_its_bytes_does_not_change_its_key() -> None:
    described = replace(HUB, architecture="gpt2", channels=768)
    assert fingerprint("d" * 64, described, VALUES) == fingerprint("d" * 64, HUB, VALUES)
