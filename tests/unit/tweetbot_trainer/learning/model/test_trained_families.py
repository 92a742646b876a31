"""From a base of each family to a published model that transformers, peft and `generate` load."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from builders.bases.tiny import FAMILIES, write_tiny_base
from builders.decoders import compute_logits
from builders.model import SAMPLING, posts_of, some_texts
from tweetbot_contract.spec.training import Training
from tweetbot_trainer.data.dataset.splits import split
from tweetbot_trainer.learning.fine_tune import FineTuneResult, fine_tune
from tweetbot_trainer.learning.generation.generation import PostGenerator
from tweetbot_trainer.learning.model.base import Base, read_base
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.learning.model.marks import get_marks
from tweetbot_trainer.learning.training.callbacks import Callbacks
from tweetbot_trainer.learning.values import LoraConfig, resolve_hyperparameters
from tweetbot_trainer.publishing.export import save_adapter, save_model

IDENTITY = BaseIdentity("s3://team/base", "folder", "d" * 64)
PROMPT = "My dream is"


def trained(folder: Path, family: str, lora: LoraConfig | None) -> tuple[Base, FineTuneResult]:
    """Train two epochs on posts that say nearly the same."""
    base = read_base(write_tiny_base(folder, family), IDENTITY)
    training = Training(epochs=2, batch_tokens=64, learning_rate="1e-2", precision="FP32")
    values = resolve_hyperparameters(training, IDENTITY.uri, (), lora, architecture=("llama", 32))
    splits = split(posts_of(some_texts(50)), 10)
    return base, fine_tune(base, splits, values, callbacks=Callbacks())


def load(folder: Path) -> tuple[Any, Any]:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    return model, AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("family", FAMILIES)
def test_transformers_writes_on_as_we_do_with_what_is_published(family: str, tmp_path: Path) -> None:
    base, result = trained(tmp_path / "base", family, None)
    assert result.base_test
    assert result.test.bits_per_byte < 0.8 * result.base_test.bits_per_byte
    save_model(base.model, base.tokenizer, SAMPLING, tmp_path / "model")
    model, tokenizer = load(tmp_path / "model")
    marks = get_marks(base.tokenizer)
    ids = tokenizer(PROMPT, return_tensors="pt").input_ids
    assert ids[0].tolist() == [marks.begin, *base.tokenizer.encode(PROMPT, add_special_tokens=False).ids]
    with torch.no_grad():
        torch.testing.assert_close(model(ids).logits, compute_logits(base.model, ids), rtol=1e-4, atol=1e-4)
    torch.manual_seed(1)
    written = model.generate(ids)[0, ids.shape[1] :].tolist()
    assert marks.end in written, "it has learned where a post ends"
    assert PostGenerator(base, SAMPLING, seed=1).sample_unconditionally(4)


@pytest.mark.parametrize("family", ["Llama 3", "Qwen2.5", "Qwen3"])  # of GPT-2 test_lora.py tells
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # peft asks for it
def test_peft_puts_the_adapter_on_the_base(family: str, tmp_path: Path) -> None:
    from peft import PeftModel

    lora = LoraConfig(4, 8)
    base, result = trained(tmp_path / "base", family, lora)
    assert result.adapter
    save_adapter(result.adapter, lora, IDENTITY, tmp_path / "adapter")
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "base", dtype=torch.float32)
    adapted = PeftModel.from_pretrained(plain, tmp_path / "adapter").eval()
    ids = torch.tensor([[get_marks(base.tokenizer).begin, *range(20)]])
    with torch.no_grad():
        torch.testing.assert_close(adapted(ids).logits, compute_logits(base.model, ids), rtol=1e-4, atol=1e-4)
