"""Our decoders beside those of transformers with the same weights: figures, gradients, texts, files."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from builders.decoders import CONFIGS, MARK, build_ours, build_theirs, compute_logits
from builders.model import DEVICE, SAMPLING, examples_of, require_gradient, some_texts, some_values
from tweetbot_trainer.learning.batches.examples import Example, split_into_examples
from tweetbot_trainer.learning.batches.forward import compute_example_losses, compute_total_loss
from tweetbot_trainer.learning.decoder.attention import KeyValueCache
from tweetbot_trainer.learning.decoder.weights import load_weights, save_weights
from tweetbot_trainer.learning.model.base import read_base
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.learning.model.marks import Marks
from tweetbot_trainer.learning.model.tokenizer import encode, train_tokenizer
from tweetbot_trainer.learning.training.callbacks import Callbacks
from tweetbot_trainer.learning.training.loop import train
from tweetbot_trainer.learning.training.lora import attach_adapters, merge_adapters
from tweetbot_trainer.learning.values import LoraConfig
from tweetbot_trainer.publishing.export import build_config, save_adapter, save_model

POSTS = [(3, 9, 5), (7,), (8, 2, 6), (1, 2, 3, 4, 5, 6, 7), tuple(range(30)), ()]
EXAMPLES = [example for post in POSTS for example in split_into_examples(post, Marks(MARK, MARK), 24)]
LORA = LoraConfig(rank=4, alpha=12)
each_family = pytest.mark.parametrize("family", CONFIGS)


def by_transformers(model: Any, example: Example) -> Tensor:
    ids = torch.tensor([example.ids])
    logits = model(input_ids=ids[:, :-1]).logits[0, example.first_label - 1 :]
    return functional.cross_entropy(logits, ids[0, example.first_label :], reduction="sum")


@each_family
def test_parameters_have_the_names_and_shapes_of_transformers_in_its_order(family: str) -> None:
    theirs = build_theirs(family)
    ours = build_ours(theirs)
    expected = {name: tuple(each.shape) for name, each in theirs.named_parameters()}
    assert list(expected.items()) == [(name, tuple(each.shape)) for name, each in ours.named_parameters()]
    assert expected == ours.config.list_tensors()


@each_family
def test_each_example_has_the_loss_that_transformers_gives_it_alone(family: str) -> None:
    theirs = build_theirs(family)
    ours = build_ours(theirs)
    expected = torch.stack([by_transformers(theirs, example) for example in EXAMPLES]).detach()
    torch.testing.assert_close(compute_example_losses(ours, EXAMPLES), expected.double(), rtol=2e-5, atol=1e-5)


@each_family
def test_gradients_are_those_of_transformers(family: str) -> None:
    theirs = build_theirs(family)
    ours = build_ours(theirs)
    torch.autograd.backward(compute_total_loss(ours, EXAMPLES))
    torch.autograd.backward([by_transformers(theirs, example) for example in EXAMPLES])
    for name, parameter in ours.named_parameters():
        assert torch.allclose(require_gradient(parameter), theirs.get_parameter(name).grad, rtol=1e-3, atol=1e-4), name


@pytest.mark.filterwarnings("error")  # they would stand on stderr between the lines of the log
@each_family
def test_products_in_bfloat16_change_the_loss_little_and_warn_of_nothing(family: str) -> None:
    ours = build_ours(build_theirs(family))
    exact = float(compute_total_loss(ours, EXAMPLES).detach())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = compute_total_loss(ours, EXAMPLES)
    torch.autograd.backward(rounded)
    assert float(rounded.detach()) == pytest.approx(exact, rel=5e-3)
    assert {require_gradient(parameter).dtype for parameter in ours.parameters()} == {torch.float32}


@each_family
def test_texts_that_are_written_with_a_cache_go_on_as_transformers_writes_them(family: str) -> None:
    theirs = build_theirs(family)
    ours, written = build_ours(theirs), torch.tensor([[MARK, 3, 9], [MARK, 7, 2]])
    cache = KeyValueCache(2)
    expected = theirs.generate(written, max_new_tokens=12, min_new_tokens=12, do_sample=False, pad_token_id=MARK)
    ids = written
    with torch.inference_mode():
        for _ in range(12):
            logits = ours.compute_next_logits(ids, cache)
            logits[:, MARK] = -torch.inf
            ids = logits.argmax(-1, keepdim=True)
            written = torch.cat([written, ids], 1)
    assert written.tolist() == expected.tolist()


@each_family
def test_a_saved_file_is_the_one_that_transformers_writes(family: str, tmp_path: Path) -> None:
    theirs = build_theirs(family)
    theirs.save_pretrained(tmp_path)
    save_weights(build_ours(theirs), tmp_path / "ours.safetensors")
    assert (tmp_path / "ours.safetensors").read_bytes() == (tmp_path / "model.safetensors").read_bytes()
    again = build_ours(build_theirs(family))
    with torch.no_grad():
        for parameter in again.parameters():
            parameter.zero_()
    load_weights(again, tmp_path / "model.safetensors")
    assert all(torch.equal(each, theirs.get_parameter(name)) for name, each in again.named_parameters())


@each_family
def test_transformers_loads_what_is_published(family: str, tmp_path: Path) -> None:
    ours = build_ours(build_theirs(family))
    save_weights(ours, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(build_config(ours.config, Marks(MARK, MARK))))
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    ids = torch.tensor([[MARK, 3, 9, 5, 1], [MARK, 7, 2, 8, 4]])
    with torch.no_grad():
        torch.testing.assert_close(loaded(ids).logits, compute_logits(ours, ids), rtol=1e-4, atol=1e-5)
    assert (loaded.config.bos_token_id, loaded.config.eos_token_id) == (MARK, MARK)


def test_the_configuration_of_a_gpt2_is_written_as_transformers_writes_it(tmp_path: Path) -> None:
    theirs = build_theirs("gpt2, scaled by layer")
    theirs.config.bos_token_id = MARK
    theirs.save_pretrained(tmp_path)
    assert list(build_config(build_ours(theirs).config, Marks(MARK, MARK)).items()) == list(
        json.loads((tmp_path / "config.json").read_text()).items()
    )


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # peft asks for it
def test_peft_loads_an_adapter_of_a_llama_and_gives_the_merged_models_logits(tmp_path: Path) -> None:
    from peft import PeftModel

    ours, ids = build_ours(build_theirs("qwen2")), torch.tensor([[MARK, 3, 9, 5, 1]])
    attach_adapters(ours, LORA, 1)
    with torch.no_grad():
        for name, parameter in ours.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.3)
    save_adapter(merge_adapters(ours), LORA, BaseIdentity("hf://x", "hub", "c0ffee"), tmp_path)
    loaded = PeftModel.from_pretrained(build_theirs("qwen2"), tmp_path)
    with torch.no_grad():
        torch.testing.assert_close(loaded(ids).logits, compute_logits(ours, ids), rtol=1e-4, atol=1e-5)


def test_a_llama_is_read_trained_and_published_again(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(some_texts(40), 300)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=16, intermediate_size=24, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64, eos_token_id=0, bos_token_id=0,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(tmp_path / "base")
    tokenizer.save(str(tmp_path / "base" / "tokenizer.json"))
    base = read_base(tmp_path / "base", BaseIdentity("s3://team/base", "folder", ""))
    examples = examples_of(base, some_texts(60))
    values = some_values(epochs=3, learning_rate="1e-2")
    outcome = train(base.model, examples, examples[:5], values, device=DEVICE, callbacks=Callbacks(), stop_early=False)
    assert outcome.train_loss < 0.8 * outcome.first_train_loss
    save_model(base.model, base.tokenizer, SAMPLING, tmp_path / "model")
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "model", dtype=torch.float32)
    words = AutoTokenizer.from_pretrained(tmp_path / "model")
    ids = torch.tensor([words("My dream is").input_ids])
    assert ids.tolist() == [[0, *encode(base.tokenizer, "My dream is").tokens]]
    with torch.no_grad():
        torch.testing.assert_close(loaded(ids).logits, compute_logits(base.model, ids), rtol=1e-4, atol=1e-5)
