"""Which published bases are taken, which are refused and why, and that the docs say the same."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from builders.bases.known import a_tokenizer, list_published, read_published
from tweetbot_contract.generate.models import render_models
from tweetbot_contract.spec.known_bases import FAMILIES, OTHER_TYPES, find_base, find_rates, suggest_base
from tweetbot_trainer.learning.decoder.configs import Gpt2Config, LlamaConfig, build_shape
from tweetbot_trainer.learning.model.marks import get_marks, require_marks
from tweetbot_trainer.learning.model.metadata import check_config
from tweetbot_trainer.learning.model.tokenizer import encode, read_tokenizer
from tweetbot_trainer.runtime.errors import SpecRefused

PUBLISHED = list_published()
BASES = [(family, name, entry) for family, name, entry in PUBLISHED if "tuned_for_chat" not in entry]
TUNED = [(family, name, entry) for family, name, entry in PUBLISHED if "tuned_for_chat" in entry]
LLAMA: dict[str, Any] = read_published("llama3")["models"]["meta-llama/Llama-3.2-1B"]["config"]


def names_of(entries: list[tuple[str, str, dict[str, Any]]]) -> list[str]:
    return [name for _, name, _ in entries]


def require_end(family: str, name: str, config: dict[str, Any]) -> None:
    require_marks(a_tokenizer(read_published(family)["special_tokens"]), {"config.json": config}, f"hf://{name}")


@pytest.mark.parametrize(("family", "name", "entry"), BASES, ids=names_of(BASES))
def test_a_published_base_is_taken_with_the_sizes_of_the_table(family: str, name: str, entry: dict[str, Any]) -> None:
    known = find_base(f"hf://{name}")
    assert known is not None
    assert build_shape(check_config(entry["config"], f"hf://{name}")) == known.shape
    require_end(family, name, entry["config"])


def test_every_base_of_the_table_is_published() -> None:
    assert {base.names[0] for family in FAMILIES for base in family.bases} == set(names_of(BASES))


@pytest.mark.parametrize(
    ("name", "entry"),
    [(name, entry) for _, name, entry in PUBLISHED if "sha256" in entry],
    ids=lambda each: str(each)[:30],
)
def test_a_configuration_is_its_file_to_the_byte(name: str, entry: dict[str, Any]) -> None:
    text = json.dumps(entry["config"], indent=2) + "\n"
    assert hashlib.sha256(text.encode()).hexdigest() == entry["sha256"]


@pytest.mark.parametrize(("family", "name", "entry"), TUNED, ids=names_of(TUNED))
def test_a_model_that_was_tuned_for_chat_is_refused_with_its_base(
    family: str, name: str, entry: dict[str, Any]
) -> None:
    base = suggest_base(f"hf://{name}")
    assert base
    assert find_base(base)
    with pytest.raises(SpecRefused, match=f"tuned for chat, as its config.json ends texts with .*: give {base}"):
        require_end(family, name, entry["config"])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("generation_config.json", {"eos_token_id": [0, 2]}),
        ("tokenizer_config.json", {"eos_token": "<|im_end|>"}),
        ("tokenizer_config.json", {"eos_token": {"content": "<|im_end|>", "special": True}}),
    ],
)
def test_other_files_may_tell_that_a_model_is_for_chat(name: str, content: dict[str, Any]) -> None:
    tokenizer = a_tokenizer({"<|endoftext|>": 0, "<|im_end|>": 2})
    with pytest.raises(SpecRefused, match=f"as its {name} ends texts with .*give the base that it was made from"):
        require_marks(tokenizer, {"config.json": {"eos_token_id": 0}, name: content}, "s3://team/base")


def test_a_chat_template_alone_is_no_sign_of_chat() -> None:
    tokenizer = a_tokenizer(read_published("qwen2.5")["special_tokens"])
    stated = {"eos_token": "<|endoftext|>", "chat_template": "{{ messages }}"}
    require_marks(tokenizer, {"config.json": {"eos_token_id": 151643}, "tokenizer_config.json": stated}, "s3://a/b")


def test_a_text_begins_with_a_mark_of_its_own_where_the_family_has_one() -> None:
    marks = get_marks(a_tokenizer(read_published("llama3")["special_tokens"]))
    assert (marks.begin, marks.end) == (128000, 128001)


@pytest.mark.parametrize(
    ("special", "eos", "why"),
    [
        ({"</s>": 2}, 2, r"its tokenizer knows none of <\|endoftext\|>, <\|end_of_text\|>, and one must end a text"),
        (
            {"<|endoftext|>": 0, "<|begin_of_text|>": 1, "<|end_of_text|>": 2},
            0,
            "knows .* and .*, and one must end a text",
        ),
        ({"<|endoftext|>": 0, "</s>": 2}, [0, 2], "config.json ends texts with </s>, and its tokenizer knows"),
    ],
)
def test_a_tokenizer_without_one_certain_end_mark_is_refused(special: dict[str, int], eos: Any, why: str) -> None:
    with pytest.raises(SpecRefused, match=why):
        require_marks(a_tokenizer(special), {"config.json": {"eos_token_id": eos}}, "s3://team/base")


@pytest.mark.parametrize("eos", [None, 50256, [0]])
def test_an_end_that_is_missing_or_beyond_the_vocabulary_says_nothing(eos: Any) -> None:
    require_marks(a_tokenizer({"<|endoftext|>": 0}), {"config.json": {"eos_token_id": eos}}, "s3://team/base")


def test_a_tokenizer_may_have_fewer_entries_than_the_embedding() -> None:
    tokenizer = a_tokenizer({"<|endoftext|>": 300, "<think>": 301})
    read = read_tokenizer(tokenizer.to_str().encode(), "s3://team/base", 512)
    assert get_marks(read).end == 300
    assert 300 not in encode(read, "a <|endoftext|> b").tokens
    assert read.decode([300, 65, 400, 511], skip_special_tokens=True) == tokenizer.decode([65])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"use_sliding_window": True}, "use_sliding_window true: its attention slides over a window"),
        ({"layer_types": ["full_attention", "sliding_attention"]}, "has layer_types .*slides over a window"),
        ({"num_experts": 8}, "num_experts 8: it is a mixture of experts"),
        ({"quantization_config": {"bits": 4}}, "quantization_config .*: its weights are quantized"),
        ({"auto_map": {"AutoConfig": "x.py"}}, "auto_map .*: it loads code that comes with the model"),
        ({"vision_config": {"depth": 2}}, "vision_config .*: it reads pictures or sound"),
        ({"hidden_act": "gelu"}, 'hidden_act "gelu": its MLP has another activation'),
        ({"attention_bias": True}, "attention_bias true: biases"),
        ({"partial_rotary_factor": 0.5}, "partial_rotary_factor 0.5: positions are stretched"),
        ({"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}, "rope_scaling.rope_type: .*'linear' or 'llama3'"),
        ({"rope_scaling": {"rope_type": "llama3", "factor": 4.0}}, "needs low_freq_factor"),
        ({"head_dim": 63}, "head_dim: .*multiple of 2"),
        ({"num_key_value_heads": 5}, "num_attention_heads 32 is no multiple of num_key_value_heads 5"),
        ({"hidden_size": None}, "hidden_size: "),
        ({"architectures": ["LlamaForSequenceClassification"]}, "architectures .*: only models that write text"),
        *(({"model_type": name}, f"model_type is '{name}': {why.split(',')[0]}") for name, why in OTHER_TYPES.items()),
        ({"model_type": "bloom"}, "model_type is 'bloom'; only gpt2, llama, qwen2, qwen3 are supported"),
    ],
)
def test_what_cannot_be_trained_is_refused_with_the_key_and_the_reason(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(SpecRefused, match=why):
        check_config({**LLAMA, **changes}, "s3://team/base")


@pytest.mark.parametrize(
    "changes",
    [
        {"use_sliding_window": False, "sliding_window": 4096},
        {"layer_types": ["full_attention"] * 16},
        {"rope_scaling": {"type": "linear", "factor": 2.0}},
        {"quantization_config": None, "num_experts": None},
    ],
)
def test_keys_without_effect_are_no_reason(changes: dict[str, Any]) -> None:
    assert isinstance(check_config({**LLAMA, **changes}, "s3://team/base"), LlamaConfig)


def test_the_names_of_the_next_transformers_mean_the_same() -> None:
    rope = {"rope_theta": LLAMA["rope_theta"], **LLAMA["rope_scaling"]}
    newer = {key: value for key, value in LLAMA.items() if not key.startswith("rope_")} | {"rope_parameters": rope}
    assert check_config(newer, "s3://team/base") == check_config(LLAMA, "s3://team/base")
    plain = {"rope_type": "default", "rope_theta": 100000.0}
    found = check_config({**newer, "rope_parameters": plain}, "s3://team/base")
    assert isinstance(found, LlamaConfig)
    assert (found.rope_scaling, found.rope_theta) == (None, 100000.0)


def test_what_is_said_of_the_positions_is_published_without_keys_that_mean_nothing() -> None:
    linear = check_config({**LLAMA, "rope_scaling": {"type": "linear", "factor": 2.0}}, "s3://team/base")
    assert linear.model_dump()["rope_scaling"] == {"rope_type": "linear", "factor": 2.0}
    assert check_config(LLAMA, "s3://team/base").model_dump()["rope_scaling"] == LLAMA["rope_scaling"]


def test_a_gpt2_is_read_as_before() -> None:
    assert check_config({"model_type": "gpt2"}, "hf://gpt2") == Gpt2Config()


def test_rates_fall_with_the_width_and_are_those_of_gpt2_where_the_architecture_is_unknown() -> None:
    assert find_rates("", 768).full == find_rates("gpt2", 1600).full == 1.372e-4
    assert [find_rates("llama", channels).full for channels in (576, 2000)] == [1.32e-4, 5e-5]
    assert find_rates("qwen2", 896).adapters == 5.32e-4


def test_the_page_of_base_models_is_the_table() -> None:
    page = Path(__file__).parents[5] / "docs" / "models.md"
    assert page.read_text(encoding="utf-8") == render_models()
