"""Posts that a model writes, and the directory in which it is saved."""

import json
import shutil
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline

from builders.model import DEVICE, SAMPLING, SCRATCH, a_base, a_saved_base, examples_of, some_texts, some_values
from tweetbot_trainer.data.dataset.copies import CopyDetector
from tweetbot_trainer.data.post_length import measure_weighted_length
from tweetbot_trainer.data.posts import END_MARK
from tweetbot_trainer.learning.generation import generation
from tweetbot_trainer.learning.generation.generation import Generated, PostGenerator
from tweetbot_trainer.learning.model.base import Base, read_base
from tweetbot_trainer.learning.model.marks import get_marks
from tweetbot_trainer.learning.model.tokenizer import encode
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
    assert all(measure_weighted_length(text) <= 280 for text in texts)
    signs = {unicodedata.category(sign) for text in texts for line in text.split("\n") for sign in line}
    assert signs.isdisjoint({"Cc", "Cs", "Co"})


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
    mark = get_marks(trained.tokenizer).end
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


def test_the_configuration_names_no_path(directory: Path) -> None:
    config = json.loads((directory / "config.json").read_text())
    assert (config["architectures"], config["model_type"]) == (["GPT2LMHeadModel"], "gpt2")
    assert str(directory) not in (directory / "config.json").read_text()


def load_auto(directory: Path) -> Callable[..., list[int]]:
    return AutoTokenizer.from_pretrained(directory).encode  # type: ignore[no-any-return]


def load_plain(directory: Path) -> Callable[..., list[int]]:
    tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
    return lambda *texts, **options: list(tokenizer.encode(*texts, **options).ids)


@pytest.mark.parametrize("load", [load_auto, load_plain])
def test_every_loader_begins_a_text_with_one_end_mark_as_training_does(
    directory: Path, trained: Base, load: Callable[[Path], Callable[..., list[int]]]
) -> None:
    """Only transformers' pipeline did: texts of other servers were 0.19 nats per token less likely."""
    encode_text, text = load(directory), "My dream is the cat 🌊"
    tokens = [260, 266, 265, 276, 299, 221, 173, 254, 235, 233]
    assert list(encode(trained.tokenizer, text).tokens) == tokens
    assert get_marks(trained.tokenizer).end == 0
    assert encode_text(text) == [0, *tokens]
    assert encode_text("") == [0]
    assert encode_text(text, add_special_tokens=False) == tokens
    assert encode_text("I", "a") == [0, *encode_text("I", add_special_tokens=False), 0, *encode_text("a")[1:]]


def test_what_is_published_tokenizes_posts_as_before_when_it_is_trained_further(directory: Path, trained: Base) -> None:
    again = read_base(directory, SCRATCH).tokenizer
    assert all(
        encode(again, text) == encode(trained.tokenizer, text) for text in ("My dream 🌊", "a <|endoftext|>", "")
    )


@pytest.fixture
def seen(directory: Path) -> tuple[Any, list[list[int]]]:
    """A pipeline, and the ids that its model is given."""
    generate, given = pipeline("text-generation", model=str(directory)), list[list[int]]()
    within = generate.model.generate

    def record(*, input_ids: torch.Tensor, **options: Any) -> Any:
        given.extend(input_ids.tolist())
        return within(input_ids=input_ids, **options)

    generate.model.generate = record
    return generate, given


def test_a_pipeline_begins_with_one_end_mark(seen: tuple[Any, list[list[int]]]) -> None:
    generate, given = seen
    generate("My dream is")
    generate("")
    assert given == [[0, 260, 266, 265], [0]]


def test_a_model_that_continues_an_older_version_of_ours_begins_with_one_end_mark(
    directory: Path, tmp_path: Path
) -> None:
    older = Path(shutil.copytree(directory, tmp_path / "older"))
    config = json.loads((older / "config.json").read_text())
    (older / "config.json").write_text(json.dumps(config | {"prefix": END_MARK}))
    base = read_base(older, SCRATCH)
    save_model(base.model, base.tokenizer, SAMPLING, tmp_path / "newer")
    assert "prefix" not in json.loads((tmp_path / "newer" / "config.json").read_text())
    assert load_plain(tmp_path / "newer")("My dream is") == [0, 260, 266, 265]


@pytest.mark.parametrize(
    ("continued", "post"),
    [
        (" soup,  mild \n we ate\nit all", "My dream is soup, mild\nwe ate"),
        (" soup\n\nwe ate", "My dream is soup"),
        ("\nwe ate", "My dream is\nwe ate"),
        (" \n ", None),
    ],
)
def test_a_content_warning_keeps_its_line(
    trained: Base, monkeypatch: pytest.MonkeyPatch, continued: str, post: str | None
) -> None:
    ids = encode(trained.tokenizer, continued).tokens
    monkeypatch.setattr(generation, "iter_samples", lambda *_, **__: iter([[(0, ids)]]))
    assert written(trained, count=1).posts == ((post,) if post else ())


def test_plain_generate_goes_on_as_our_own_does(directory: Path, trained: Base) -> None:
    tokenizer, model = AutoTokenizer.from_pretrained(directory), AutoModelForCausalLM.from_pretrained(directory)
    likeliest = model.generate(**tokenizer("My dream is", return_tensors="pt"), do_sample=False)[0].tolist()
    best = replace(SAMPLING, top_k=1)
    (text,) = PostGenerator(trained, best, 1).continue_prompt("My dream is", 1).posts
    assert tokenizer.decode(likeliest, skip_special_tokens=True).startswith(text)


def test_transformers_pads_on_the_left_within_the_context(directory: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(directory)
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
