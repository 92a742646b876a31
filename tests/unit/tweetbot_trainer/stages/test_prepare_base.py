"""What preparation sees of a base: nothing is read of its weights, and nothing is paid for if it cannot be trained."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from builders.model import a_saved_base
from builders.stages import a_context, a_local_run, a_source
from tweetbot_contract import reasons
from tweetbot_contract.spec.output import Output, SecretRef
from tweetbot_fakes.remotes.model_hub import NAME, FakeHub, model_hub
from tweetbot_fakes.storage import WatchedStore
from tweetbot_trainer.learning.model import base_files
from tweetbot_trainer.learning.model.base_files import BaseFiles
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused, TemporaryError
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.stages.prepare import prepare
from tweetbot_trainer.store.folder import FolderStore

STORE = FolderStore()
CLAIM, BUCKET, HUB = "pvc://models/gpt2", "s3://team-a/gpt2", f"hf://{NAME}"
SOURCE = "posts.txt"
#: An empty match makes the library panic, and this one is found in some of the posts.
A_PANIC_AT_ONE_WORD = {"type": "Replace", "pattern": {"Regex": "(?=ferry)"}, "content": "a"}


class Bucket(FolderStore):
    """A folder that plays the bucket `s3://team-a`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open_seekable(self, uri: str) -> Any:
        return super().open_seekable(uri.replace("s3://team-a", self.folder.as_uri()))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_saved_base(tmp_path_factory.mktemp("saved"))


@pytest.fixture
def base(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "models" / "gpt2"))


@pytest.fixture
def hub(base: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """The fake as the client's own hub: HF_ENDPOINT is read once, when the client is loaded."""
    with model_hub(base) as running:
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, running.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", running.url)
        yield running


def surroundings(folder: Path, uri: str, **spec: Any) -> tuple[StageContext, WatchedStore]:
    a_source(folder)
    run = a_local_run(folder, spec={"model": {"base": uri}, **spec})
    store = WatchedStore(STORE)
    bucket = WatchedStore(Bucket(folder / "models"))
    context = replace(
        a_context(folder, run),
        open_store=lambda address: bucket if address.startswith("s3:") else store,
        mounted_base=folder / "models",
    )
    return context, store


def edit(base: Path, **changes: Any) -> None:
    path = base / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def as_bloom(base: Path) -> None:
    edit(base, model_type="bloom", architectures=["BloomForCausalLM"])


def for_chat(base: Path) -> None:
    (base / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<|im_end|>"}))


def with_a_panic(base: Path) -> None:
    path = base / "tokenizer.json"
    normalizer = {"type": "Replace", "pattern": {"String": ""}, "content": "a"}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"normalizer": normalizer}))


def with_a_vocabulary_too_large(base: Path) -> None:
    edit(base, vocab_size=100)


def with_heads_that_do_not_fit(base: Path) -> None:
    edit(base, n_head=5)


def as_pickle(base: Path) -> None:
    (base / "model.safetensors").rename(base / "pytorch_model.bin")


def cut_short(base: Path) -> None:
    path = base / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-4])


@pytest.mark.parametrize("uri", [CLAIM, BUCKET, HUB])
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (as_bloom, "model_type is 'bloom'; only gpt2"),
        (for_chat, "tuned for chat, as its tokenizer_config.json ends texts with"),
        (with_a_panic, "makes the tokenizers library fail"),
        (with_a_vocabulary_too_large, "entries, its weights only 100"),
        (with_heads_that_do_not_fit, "n_embd 32 is no multiple of n_head 5"),
        (as_pickle, "convert them to model.safetensors"),
        (cut_short, "model.safetensors is damaged"),
    ],
)
def test_a_base_that_cannot_be_trained_is_refused_before_a_post_is_read(
    tmp_path: Path, base: Path, hub: FakeHub, uri: str, damage: Any, words: str
) -> None:
    """Until now the train stage alone found out, once posts were paid for and a GPU was waited for."""
    damage(base)
    context, store = surroundings(tmp_path, uri)
    with pytest.raises(SpecRefused, match=f"BaseModelRefused: .*{uri}.*{words}"):
        prepare(context)
    assert [address for _, address in store.requests if address.endswith(SOURCE)] == []


@pytest.mark.parametrize("uri", [CLAIM, BUCKET, HUB])
def test_a_base_that_can_be_trained_is_prepared_for(tmp_path: Path, base: Path, hub: FakeHub, uri: str) -> None:
    context, _ = surroundings(tmp_path, uri)
    assert prepare(context).dataset.table.kept > 0


def test_a_gated_base_is_read_with_the_token_of_the_secret(tmp_path: Path, base: Path, hub: FakeHub) -> None:
    hub.token = "hf_reader"
    context, _ = surroundings(tmp_path, HUB)
    with pytest.raises(SpecRefused, match=r"is gated: accept its conditions .* in spec.model.tokenSecret"):
        prepare(context)
    token = context.secrets / "base" / "token"
    token.parent.mkdir(parents=True)
    token.write_text("hf_old\n", encoding="utf-8")
    with pytest.raises(NotAuthorized, match=r"does not know the token of spec\.model\.tokenSecret"):
        prepare(context)
    token.write_text("hf_reader\n", encoding="utf-8")
    assert prepare(context).dataset.table.kept > 0


class Locked(Bucket):
    """A bucket that lets these credentials read nothing."""

    def open_seekable(self, uri: str) -> Any:
        raise NotAuthorized(reasons.NOT_AUTHORIZED, f"S3 answered AccessDenied to a request to read {uri}")


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ({"credentials_secret": SecretRef(name="keys")}, "read with the Secret keys, as the output is: let it read"),
        ({}, "read with the service account default, as the output is"),
    ],
)
def test_a_base_that_may_not_be_read_names_what_it_is_read_with(
    tmp_path: Path, output: dict[str, Any], words: str
) -> None:
    context, _ = surroundings(tmp_path, BUCKET)
    s3 = context.run.spec.output.s3.model_copy(update=output)
    spec = context.run.spec.model_copy(update={"output": Output(s3=s3)})
    files = BaseFiles(lambda _: Locked(tmp_path))
    with pytest.raises(NotAuthorized, match=f"NotAuthorized: spec.model.base: .*config.json.*{words}"):
        base_files.inspect_base(spec, files, RetryBudget(0), tmp_path / "small")


def test_of_weights_on_the_hub_their_table_alone_is_read(
    tmp_path: Path, base: Path, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tweetbot_trainer.store.ranged.READ_AHEAD", 4096)
    prepare(surroundings(tmp_path, HUB)[0])
    assert hub.served == ["config.json", "tokenizer.json", "generation_config.json", "tokenizer_config.json"]
    assert {name for name, _ in hub.ranges} == {"model.safetensors"}


@pytest.mark.parametrize("lacking", ["knows_ranges", "knows_sizes"])
def test_a_mirror_that_knows_less_than_the_hub_will_do(tmp_path: Path, base: Path, hub: FakeHub, lacking: str) -> None:
    setattr(hub, lacking, False)
    assert prepare(surroundings(tmp_path, HUB)[0]).dataset.table.kept > 0


def test_a_hub_that_is_away_is_waited_for_and_told(tmp_path: Path, base: Path, hub: FakeHub) -> None:
    context, _ = surroundings(tmp_path, HUB)
    identity = context.resolve_base()
    hub.away = 2
    pauses: list[float] = []
    patient = RetryBudget(600, sleep=pauses.append)
    assert base_files.inspect_base(context.run.spec, context.base_files, patient, tmp_path / "one")[0] == identity
    assert len(pauses) == 2
    hub.away = 9
    with pytest.raises(TemporaryError, match="ModelHubUnavailable: The Hugging Face Hub answered 503 for"):
        prepare(context)


def test_a_file_of_the_hub_with_other_bytes_than_its_commit_records_is_not_believed(
    tmp_path: Path, base: Path, hub: FakeHub
) -> None:
    hub.damaged = 1
    with pytest.raises(TemporaryError, match=r"ModelHubUnavailable: config\.json of .* came with other bytes"):
        prepare(surroundings(tmp_path, HUB)[0])


def test_a_tokenizer_that_fails_at_one_post_is_refused_before_a_gpu_is_asked_for(tmp_path: Path, base: Path) -> None:
    context, _ = surroundings(tmp_path, CLAIM)
    path = base / "tokenizer.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"normalizer": A_PANIC_AT_ONE_WORD}))
    with pytest.raises(SpecRefused, match="makes the tokenizers library fail"):
        prepare(context)


@pytest.mark.parametrize(
    ("resources", "model", "words"),
    [
        (
            {"memory": "200Mi", "gpu": {"count": 0}},
            {},
            "resources.memory is 200Mi: set spec.resources.memory to 2Gi, or",
        ),
        ({"memory": "200Mi", "gpu": {"count": 0}}, {"method": "LoRA"}, "Training LoRA adapters beside .* 200Mi: set"),
        (
            {"memory": "200Mi", "gpu": {"count": 1}},
            {},
            "200Mi: set spec.resources.memory to 3Gi, or spec.model.method to LoRA",
        ),
    ],
)
def test_a_base_too_large_for_its_pod_is_refused_with_what_to_set(
    tmp_path: Path, base: Path, resources: dict[str, Any], model: dict[str, Any], words: str
) -> None:
    context, store = surroundings(tmp_path, CLAIM, resources=resources, model={"base": CLAIM, **model})
    with pytest.raises(SpecRefused, match=f"BaseModelTooLarge: .*{words}"):
        prepare(context)
    assert [address for _, address in store.requests if address.endswith(SOURCE)] == []


#: Reads the base in a folder as preparation does, with all that it imports for bases.
READING = """
import sys
from pathlib import Path
from tweetbot_trainer.learning.model import base_files, hub, memory, metadata

metadata.read_metadata("file:base", lambda name: (Path(sys.argv[1]) / name).open("rb"))
print(sorted({"torch", "transformers"} & set(sys.modules)))
"""


def test_a_base_is_looked_at_without_torch(saved: Path) -> None:
    read = subprocess.run([sys.executable, "-c", READING, str(saved)], capture_output=True, text=True, check=True)
    assert read.stdout == "[]\n"
