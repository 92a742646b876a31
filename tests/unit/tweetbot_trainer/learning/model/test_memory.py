"""What a training is said to take of memory, beside what one takes."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from builders.manifests import a_spec
from builders.model import a_base
from tweetbot_contract.spec.known_bases import FAMILIES
from tweetbot_contract.spec.memory import MICRO_BATCH, PROGRAM, Load, MemoryNeed, resolve_memory
from tweetbot_contract.spec.training import Training
from tweetbot_trainer.learning.decoder.configs import Gpt2Config
from tweetbot_trainer.learning.model.memory import build_load, require_memory
from tweetbot_trainer.learning.training.lora import attach_adapters
from tweetbot_trainer.learning.values import Hyperparameters, LoraConfig, resolve_hyperparameters
from tweetbot_trainer.runtime.errors import SpecRefused

GPT2 = Gpt2Config()
XL = Gpt2Config(n_layer=48, n_head=25, n_embd=1600)
ADAPTERS = LoraConfig(16, 32)

#: Trains two epochs of a few steps, and prints by how many bytes that and the model have raised the most that was used.
TRAINING = """
import json, re, sys
from pathlib import Path
from builders.model import DEVICE
from tweetbot_contract.spec.training import Training
from tweetbot_trainer.learning.batches.examples import Example
from tweetbot_trainer.learning.decoder.configs import Gpt2Config
from tweetbot_trainer.learning.model.scratch import draw_model
from tweetbot_trainer.learning.training.callbacks import Callbacks
from tweetbot_trainer.learning.training.loop import train
from tweetbot_trainer.learning.values import resolve_hyperparameters

def read_kib(name):
    return int(re.search(name + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

size = json.loads(sys.argv[1])
values = resolve_hyperparameters(Training(epochs=2, precision="FP32"), "hf://gpt2", ())
Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here on: a new process inherits its parent's
before = read_kib("VmRSS")
model = draw_model(Gpt2Config(**size), 1)
posts = [Example(tuple(range(number, number + 65)), 1) for number in range(32)]
train(model, posts, posts[:8], values, device=DEVICE, callbacks=Callbacks(), stop_early=True)
print(1024 * (read_kib("VmHWM") - before))
"""
SMALL: dict[str, Any] = {"n_layer": 4, "n_head": 4, "n_embd": 256, "n_positions": 128, "vocab_size": 8000}


def values_of(*, lora: bool, **training: Any) -> Hyperparameters:
    values = Training(**{"epochs": 2, "precision": "FP32", **training})
    return resolve_hyperparameters(values, "hf://gpt2", (), ADAPTERS if lora else None)


def estimate(config: Gpt2Config, *, gpu: bool = False, **training: Any) -> MemoryNeed:
    return build_load(config, values_of(lora=False, **training)).estimate_pod(gpu=gpu)


def test_a_training_takes_what_it_is_said_to_take() -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", TRAINING, json.dumps(SMALL)]
    took = int(subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout)
    need = estimate(Gpt2Config(**SMALL))
    assert need.least - PROGRAM <= took <= need.enough


def test_the_weights_of_an_adapter_are_counted() -> None:
    model = a_base().model
    attach_adapters(model, ADAPTERS, 1)
    trained = sum(one.numel() for one in model.parameters() if one.requires_grad)
    assert build_load(model.config, values_of(lora=True)).trained == trained


@pytest.mark.parametrize(
    ("config", "resources", "method"),
    [
        (GPT2, {}, "Full"),
        (GPT2, {"gpu": {"count": 0}}, "Full"),
        (GPT2, {"memory": "3Gi"}, "Full"),
        (XL, {}, "LoRA"),
    ],
)
def test_what_fits_is_trained(config: Gpt2Config, resources: dict[str, Any], method: str) -> None:
    spec = a_spec(model={"base": "hf://gpt2", "method": method}, resources=resources)
    require_memory(spec, config, values_of(lora=method == "LoRA"))


@pytest.mark.parametrize("gpu", [0, 1])
def test_what_is_said_to_be_enough_is_taken(gpu: int) -> None:
    spec = a_spec(model={"base": "hf://gpt2-xl"}, resources={"memory": "8Gi", "gpu": {"count": gpu}})
    with pytest.raises(SpecRefused, match="all 1,558 million weights of hf://gpt2-xl takes at least") as refusal:
        require_memory(spec, XL, values_of(lora=False))
    for lora, words in (
        (False, "set spec.resources.memory to "),
        (True, "model.method to LoRA and spec.resources.memory to "),
    ):
        memory = refusal.value.message.split(words)[1].split(",")[0].rstrip(".")
        resources = {"memory": memory, "gpu": {"count": gpu}}
        require_memory(a_spec(model={"base": "hf://gpt2-xl"}, resources=resources), XL, values_of(lora=lora))


def test_a_larger_step_takes_more_on_a_cpu_and_nothing_more_beside_a_gpu() -> None:
    for gpu in (False, True):
        small, large = (estimate(GPT2, gpu=gpu, batch_tokens=size) for size in (128, 8192))
        assert (large.least > small.least, large.enough > small.enough) == (not gpu, not gpu)


SHAPES = {base.names[-1]: base.shape for family in FAMILIES for base in family.bases}
GB = 10**9


@pytest.mark.parametrize(
    ("name", "rank", "tokens", "given"),
    [
        ("Qwen/Qwen2.5-1.5B", None, 1024, 80 * GB),
        ("gpt2-xl", None, 1024, 80 * GB),
        ("Qwen/Qwen3-1.7B-Base", 16, 1024, 24 * GB),
        ("HuggingFaceTB/SmolLM2-1.7B", 16, 1024, 24 * GB),
        ("HuggingFaceTB/SmolLM2-1.7B", 64, 1024, 24 * GB),
    ],
)
def test_a_training_fits_a_gpu_without_recomputing(name: str, rank: int | None, tokens: int, given: int) -> None:
    need = Load(SHAPES[name], rank, tokens).estimate_gpu()
    assert need.least < need.plain < need.enough <= given


def test_a_large_step_fits_a_gpu_by_recomputing() -> None:
    need = Load(SHAPES["Qwen/Qwen2.5-1.5B"], None, MICRO_BATCH).estimate_gpu()
    assert need.least < 80 * GB < need.plain


def test_a_step_larger_than_a_pass_takes_no_more() -> None:
    small, large = (Load(SHAPES["gpt2"], None, size).estimate_gpu() for size in (MICRO_BATCH, 8 * MICRO_BATCH))
    assert small == large


@pytest.mark.parametrize(
    ("base", "method", "resources", "memory"),
    [
        ("hf://gpt2", "Full", {}, "16Gi"),
        ("hf://Qwen/Qwen2.5-1.5B", "Full", {"gpu": {"count": 0}}, "39Gi"),
        ("hf://Qwen/Qwen2.5-1.5B", "Full", {}, "26Gi"),
        ("hf://Qwen/Qwen2.5-1.5B", "Full", {"gpu": {"count": 4}}, "35Gi"),
        ("hf://Qwen/Qwen2.5-1.5B", "Full", {"memory": "20Gi"}, "20Gi"),
        ("hf://Qwen/Qwen2.5-1.5B", "LoRA", {"gpu": {"count": 0}}, "16Gi"),
        ("s3://team/base", "Full", {"gpu": {"count": 0}}, "16Gi"),
        ("scratch://small", "Full", {"gpu": {"count": 0}}, "16Gi"),
    ],
)
def test_a_known_base_takes_what_it_needs_of_an_unset_memory(
    base: str, method: str, resources: dict[str, Any], memory: str
) -> None:
    assert resolve_memory(a_spec(model={"base": base, "method": method}, resources=resources)) == memory
