"""Posts that a model writes, and the directory in which it is saved."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from transformers import AutoTokenizer, pipeline

from builders.model import DEVICE, SAMPLING, a_base, a_saved_base, examples_of, some_texts, some_values
from tweetbot_trainer.data.dataset.copies import CopyDetector
from tweetbot_trainer.data.post_length import measure_weighted_length
from tweetbot_trainer.data.posts import END_MARK
from tweetbot_trainer.learning.generation.generation import Generated, PostGenerator
from tweetbot_trainer.learning.model.base import Base
from tweetbot_trainer.learning.model.tokenizer import encode, get_end_mark_id
from tweetbot_trainer.learning.sampling import resolve_generation_config
from tweetbot_trainer.learning.training.callbacks import Callbacks
from tweetbot_trainer.learning.training.loop import train
from tweetbot_trainer.publishing.export import save_model

MODEL_FILES = ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
TEXTS = some_texts(200)
KNOWN = {word for text in TEXTS for word in text.split()}


@pytest.fixture(scope="module")
def trained() -> Base:
    base = a_base(TEXTS, context=64)
    examples = examples_of(base, TEXTS)
    values = some_values(epochs=6, learning_rate="1e-2")
    train(base.model, examples, examples[:10], values, device=DEVICE, callbacks=Callbacks(), stop_early=False)
    return base


@pytest.fixture(scope="module")
def directory(trained: Base, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    save_model(trained.model, trained.tokenizer, SAMPLING, folder)
    return folder


def written(
    base: Base, prompt: str = "My dream is", *, count: int = 5, seed: int = 1, unlike: CopyDetector | None = None
) -> Generated:
    return PostGenerator(base, SAMPLING, seed).continue_prompt(prompt, count, exclude_copies_of=unlike)


def test_posts_begin_with_the_prompt_and_end_by_themselves(trained: Base) -> None:
    texts = written(trained).posts
    assert len(texts) == 5
    assert all(text.startswith("My dream is ") for text in texts)
    assert {word for text in texts for word in text.split()} <= KNOWN
    assert all(len(text.split()) <= 10 for text in texts)


def test_no_two_posts_are_alike(trained: Base) -> None:
    texts = written(trained, count=8).posts
    assert len(set(texts)) == len(texts)


def test_the_seed_gives_the_posts(trained: Base) -> None:
    assert written(trained, seed=3) == written(trained, seed=3)
    assert written(trained, seed=3) != written(trained, seed=4)


@pytest.mark.parametrize("prompt", ["港" * 200, "a" * 279], ids=["longer than a post", "as long as a post"])
def test_a_prompt_that_leaves_no_room_for_a_word_gets_no_samples(trained: Base, prompt: str) -> None:
    """The prompt alone, cut to a post, stood in status and card as written by the model."""
    assert written(trained, prompt, count=1).posts == ()


def test_an_untrained_model_writes_no_more_than_a_post_may_hold() -> None:
    base = a_base(context=256)
    sampling = replace(SAMPLING, max_new_tokens=200, temperature=2.0)
    texts = PostGenerator(base, sampling, 1).continue_prompt("x", 3).posts
    assert all(measure_weighted_length(text) <= 280 and text.isprintable() for text in texts)


def test_a_prompt_longer_than_the_context_keeps_its_end() -> None:
    base = a_base(context=64)
    texts = written(base, "港の朝" * 60, count=1).posts
    assert len(texts) <= 1


def test_sampling_leaves_half_the_context_to_the_prompt() -> None:
    assert resolve_generation_config(some_values(), 256).max_new_tokens == 128
    assert resolve_generation_config(some_values(), 1024).max_new_tokens == 160


def test_the_directory_is_flat_and_holds_no_pickle(directory: Path) -> None:
    assert sorted(path.name for path in directory.iterdir()) == MODEL_FILES
    with safe_open(directory / "model.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt"}


def test_every_generation_value_is_written(directory: Path, trained: Base) -> None:
    mark = get_end_mark_id(trained.tokenizer)
    assert json.loads((directory / "generation_config.json").read_text()) == {
        "bos_token_id": mark,
        "do_sample": True,
        "eos_token_id": mark,
        "max_new_tokens": 32,
        "min_new_tokens": 5,
        "num_beams": 1,
        "pad_token_id": mark,
        "repetition_penalty": 1.0,
        "temperature": 0.7,
        "top_k": 50,
        "top_p": 0.95,
    }


def test_the_configuration_names_the_prefix_and_no_path(directory: Path) -> None:
    config = json.loads((directory / "config.json").read_text())
    assert (config["prefix"], config["model_type"]) == (END_MARK, "gpt2")
    assert config["architectures"] == ["GPT2LMHeadModel"]
    assert str(directory) not in (directory / "config.json").read_text()


def test_transformers_reads_the_same_tokens(directory: Path, trained: Base) -> None:
    tokenizer = AutoTokenizer.from_pretrained(directory)
    text = "My dream is the cat 🌊"
    assert tuple(tokenizer(text)["input_ids"]) == encode(trained.tokenizer, text).tokens
    assert tokenizer.model_max_length == 64
    assert (tokenizer.eos_token, tokenizer.pad_token, tokenizer.padding_side) == (END_MARK, END_MARK, "left")


def test_the_pipeline_gives_posts_that_stop(directory: Path) -> None:
    torch.manual_seed(1)
    answers = pipeline("text-generation", model=str(directory))("My dream is", num_return_sequences=5)
    texts = [answer["generated_text"] for answer in answers]
    assert len(texts) == 5
    assert all(text.startswith("My dream is ") for text in texts)
    assert {word for text in texts for word in text.split()} <= KNOWN
    assert all(len(text.split()) <= 10 for text in texts)


def test_the_pipeline_answers_prompts_of_different_lengths_in_one_batch_as_it_does_alone(directory: Path) -> None:
    generate = pipeline("text-generation", model=str(directory), do_sample=False)
    prompts = ["My dream is", "The cat", "My dream is the cat that", "I"]
    alone = [generate(prompt)[0]["generated_text"] for prompt in prompts]
    together = [answers[0]["generated_text"] for answers in generate(prompts, batch_size=4)]
    assert together == alone


def test_the_same_weights_give_the_same_files(tmp_path: Path) -> None:
    one, two = a_saved_base(tmp_path / "one"), a_saved_base(tmp_path / "two")
    assert all((one / name).read_bytes() == (two / name).read_bytes() for name in MODEL_FILES)


def test_what_copies_a_training_post_is_thrown_away_and_counted(trained: Base) -> None:
    unlike = CopyDetector.from_posts(written(trained, count=3).posts)
    found = written(trained, count=5, unlike=unlike)
    assert (len(found.posts), found.copies > 0) == (5, True)
    assert not any(unlike.is_copy(post) for post in found.posts)
