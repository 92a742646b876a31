"""A whole training of LoRA adapters on a base in a claim: what is published, and what it is worth."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import GPT2LMHeadModel

from builders.model import a_saved_base
from builders.stages import a_context, a_local_run, a_source
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import TrainSucceeded
from tweetbot_trainer.publishing.registry.lineage import BROKEN, find_version, verify
from tweetbot_trainer.publishing.registry.manifest import MANIFEST_FILE, decode_manifest
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.stages.prepare import prepare
from tweetbot_trainer.stages.train import train
from tweetbot_trainer.store.folder import FolderStore

pytestmark = pytest.mark.usefixtures("scales_are_fitted_once")

STORE = FolderStore()
SPEC = {
    "model": {"base": "pvc://models/gpt2", "method": "LoRA", "lora": {"rank": 4, "alpha": 8}},
    "training": {"epochs": 1},
}


def with_claim(folder: Path, run: RunDocument) -> StageContext:
    return replace(a_context(folder, run), mounted_base=folder / "claim")


def published(folder: Path) -> TrainSucceeded:
    a_source(folder)
    a_saved_base(folder / "claim" / "gpt2")
    prepared = prepare(with_claim(folder, a_local_run(folder, spec=SPEC)))
    run = a_local_run(folder, spec=SPEC, stage="Train", dataset=prepared.dataset.digest)
    return train(with_claim(folder, run))


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # peft asks for it
def test_adapters_are_published_in_the_model_and_apart(tmp_path: Path) -> None:
    from peft import PeftModel

    result = published(tmp_path)
    home = result.model.uri.removesuffix("/model")
    manifest = decode_manifest(STORE.get(f"{home}/{MANIFEST_FILE}"))
    assert manifest is not None
    loaded, read = {"adapter_config.json", "adapter_model.safetensors"}, {"README.md", "badges.svg", "predictions.png"}
    assert {Path(path).name for path in manifest.files if path.startswith("adapter/")} == loaded | read
    assert manifest.provenance.training["lora"] == {"rank": 4, "alpha": 8}
    assert result.metrics.base_bits_per_byte is not None

    place = Path(home.removeprefix("file://"))
    model = GPT2LMHeadModel.from_pretrained(place / "model", dtype=torch.float32).eval()
    base = GPT2LMHeadModel.from_pretrained(tmp_path / "claim" / "gpt2", dtype=torch.float32).eval()
    ids = torch.arange(0, 60).reshape(2, 30)
    with torch.no_grad():
        before, merged = base(ids).logits, model(ids).logits
        with_adapter = PeftModel.from_pretrained(base, place / "adapter")(ids).logits
    torch.testing.assert_close(with_adapter, merged, rtol=1e-4, atol=1e-5)
    assert not torch.equal(before, merged)

    card, own = (place / "model" / "README.md").read_text(), (place / "adapter" / "README.md").read_text()
    assert "library_name: transformers" in card
    assert "LoRA adapters on every linear layer, rank 4, alpha 8" in card
    assert "library_name: peft" in own
    assert "AI-generated imitation of" in own
    assert "pvc://" not in card + own + json.dumps(json.loads((place / "adapter/adapter_config.json").read_text()))

    findings = list(verify(lambda _: STORE, find_version(STORE, result.model.uri)))
    assert [finding for finding in findings if finding.verdict in BROKEN] == []
    assert ("unproven", "base") in {(finding.verdict, finding.what) for finding in findings}
