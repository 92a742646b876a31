"""Base models: what is taken, what is refused and why, and which base it was to the byte."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, get_args

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.activations import ACT2FN

from builders.model import SAMPLING, SCRATCH, a_saved_base, some_texts
from builders.trainer import many_posts
from tweetbot_contract import reasons
from tweetbot_contract.spec.model import Model
from tweetbot_trainer.learning.decoder.activations import ACTIVATIONS
from tweetbot_trainer.learning.decoder.configs import Gpt2Config
from tweetbot_trainer.learning.model.base import load_base, read_base
from tweetbot_trainer.learning.model.identity import FILES, BaseIdentity, identify_base
from tweetbot_trainer.learning.model.metadata import TOKENIZER_LIMIT, read_metadata
from tweetbot_trainer.learning.model.scratch import draw_model
from tweetbot_trainer.learning.model.tokenizer import encode
from tweetbot_trainer.publishing.export import save_model
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.store.interface import ObjectNotFound

URI = "s3://team/base"

NO_WAITING = RetryBudget(0)


class Bucket:
    """A folder that plays `s3://team/base`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open_stream(self, uri: str) -> BinaryIO:
        path = self.folder / uri.removeprefix(f"{URI}/")
        if not path.exists():
            raise ObjectNotFound(uri)
        return path.open("rb")

    def download(self, uri: str, path: Path) -> None:
        with self.open_stream(uri) as stream:
            path.write_bytes(stream.read())

    def open_file(self, name: str) -> BinaryIO:
        return self.open_stream(f"{URI}/{name}")

    def identity(self) -> BaseIdentity:
        return identify_base(Model(base=URI), open_stream=self.open_stream, resolve=unasked)

    def load(self, work: Path, identity: BaseIdentity | None = None) -> Any:
        return load_base(
            identity or self.identity(),
            train_texts=(),
            seed=1,
            folder=work / "base",
            download=self.download,
            retry_budget=NO_WAITING,
        )


def unasked(name: str, revision: str | None) -> str:
    raise AssertionError("the hub was asked")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_saved_base(tmp_path_factory.mktemp("saved"))


@pytest.fixture
def bucket(saved: Path, tmp_path: Path) -> Bucket:
    return Bucket(Path(shutil.copytree(saved, tmp_path / "bucket")))


def edited(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def damaged(name: str, content: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(content)


def with_config(**changes: Any) -> Callable[[Path], object]:
    return lambda folder: edited(folder, **changes)


def without_a_tensor(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["transformer.h.0.mlp.c_fc.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def with_tensors(**more: torch.Tensor) -> Callable[[Path], object]:
    def damage(folder: Path) -> None:
        tensors = load_file(folder / "model.safetensors")
        added = {name.replace("__", "."): tensor for name, tensor in more.items()}
        save_file(tensors | added, folder / "model.safetensors", metadata={"format": "pt"})

    return damage


def with_a_word_tokenizer(folder: Path) -> None:
    tokenizer = Tokenizer(models.WordLevel({"<|endoftext|>": 0, "my": 1}, unk_token="<|endoftext|>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))


def as_pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def with_an_entry_beyond_the_embedding(folder: Path) -> None:
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text())
    del content["model"]["vocab"][(last := max(content["model"]["vocab"], key=content["model"]["vocab"].get))]
    content["model"]["merges"] = [pair for pair in content["model"]["merges"] if "".join(pair) != last]
    content["model"]["vocab"]["far"] = 5000
    path.write_text(json.dumps(content))


def in_shards(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    (folder / "model.safetensors.index.json").write_text("{}")


def as_integers(folder: Path) -> None:
    tensors = {name: tensor.to(torch.int8) for name, tensor in load_file(folder / "model.safetensors").items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def with_a_byte_too_many(folder: Path) -> None:
    with (folder / "model.safetensors").open("ab") as file:
        file.write(b"x")


def with_a_table_of_gigabytes(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes((2**40).to_bytes(8, "little") + b"{}")


def cut_in_half(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_a_folder_in_the_bucket_is_loaded_whole(bucket: Bucket, saved: Path, tmp_path: Path) -> None:
    base = bucket.load(tmp_path)
    tensors = load_file(saved / "model.safetensors")
    assert torch.equal(base.model.embedding.weight, tensors["transformer.wte.weight"])
    assert base.tokenizer.decode(list(encode(base.tokenizer, "the cat 🌊").tokens)) == "the cat 🌊"
    assert base.identity.digest == bucket.identity().digest


@pytest.mark.parametrize(
    ("damage", "reason", "words"),
    [
        (lambda folder: (folder / "config.json").unlink(), "BaseModelNotFound", "config.json is missing"),
        (lambda folder: (folder / "model.safetensors").unlink(), "BaseModelRefused", "has no model.safetensors: give"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "BaseModelRefused", "has no tokenizer.json"),
        (with_config(model_type="bloom"), "BaseModelRefused", "model_type is 'bloom'"),
        (with_config(auto_map={"AutoModel": "evil.Model"}), "BaseModelRefused", "auto_map"),
        (with_config(quantization_config={"quant_method": "x"}), "BaseModelRefused", "quantization_config"),
        (with_config(n_layer="many"), "BaseModelRefused", "not a GPT-2's"),
        (with_config(n_embd=64), "BaseModelRefused", "does not fit its config.json"),
        (with_config(vocab_size=100), "BaseModelRefused", "its weights only 100"),
        (damaged("config.json", "{"), "BaseModelRefused", "not JSON"),
        (damaged("config.json", "[]"), "BaseModelRefused", "not a JSON object"),
        (damaged("config.json", " " * 1_100_000), "BaseModelRefused", "longer than"),
        (damaged("tokenizer.json", '{"version": "1.0"}'), "BaseModelRefused", "tokenizer.json cannot be read"),
        (with_a_word_tokenizer, "BaseModelRefused", "loses characters"),
        (damaged("model.safetensors", "\x80\x04K\x01."), "BaseModelRefused", "damaged"),
        (cut_in_half, "BaseModelRefused", "damaged"),
        (without_a_tensor, "BaseModelRefused", "lacks 1 tensors"),
        (with_config(n_layer=1), "BaseModelRefused", r"tensors too many .*transformer\.h\.1\."),
        (with_config(n_layer=3), "BaseModelRefused", r"lacks 12 tensors, the first is transformer\.h\.2\."),
        (with_config(add_cross_attention=True), "BaseModelRefused", "add_cross_attention"),
        (with_config(tie_word_embeddings=False), "BaseModelRefused", "head has weights of its own"),
        (with_tensors(lm_head__weight=torch.ones(300, 32)), "BaseModelRefused", "head has weights of its own"),
        (with_tensors(score__weight=torch.ones(2, 32)), "BaseModelRefused", r"1 tensors too many .*score\.weight"),
        (with_config(n_head=5), "BaseModelRefused", "n_embd 32 is no multiple of n_head 5"),
        (with_config(n_positions=4), "BaseModelRefused", "n_positions: Input should be greater than or equal to 10"),
        (with_config(n_positions=128), "BaseModelRefused", r"wpe\.weight is \[64, 32\] instead of \[128, 32\]"),
        (with_config(n_layer=2.5), "BaseModelRefused", "n_layer: Input should be a valid integer"),
        (with_config(n_inner=0), "BaseModelRefused", "n_inner"),
        (with_config(activation_function="softplus2"), "BaseModelRefused", "activation_function"),
        (with_config(layer_norm_epsilon="small"), "BaseModelRefused", "layer_norm_epsilon"),
        (with_config(resid_pdrop=1.5), "BaseModelRefused", "resid_pdrop"),
        (with_an_entry_beyond_the_embedding, "BaseModelRefused", "has an entry 5000, its weights end at 299"),
        (as_integers, "BaseModelRefused", "as I8: give F32, F16 or BF16"),
        (with_a_byte_too_many, "BaseModelRefused", "damaged: it has [0-9]+ bytes, and its table speaks of"),
        (with_a_table_of_gigabytes, "BaseModelRefused", "damaged"),
    ],
)
def test_a_base_that_cannot_be_used_is_refused_with_its_fault(
    bucket: Bucket, tmp_path: Path, damage: Callable[[Path], object], reason: str, words: str
) -> None:
    damage(bucket.folder)
    with pytest.raises(SpecRefused, match=words) as refusal:
        bucket.load(tmp_path)
    assert refusal.value.reason.name == reason
    assert URI in refusal.value.message
    with pytest.raises(SpecRefused) as early:
        read_metadata(URI, bucket.open_file)
    assert early.value.message == refusal.value.message


@pytest.mark.parametrize(
    "normalizer",
    [
        {"type": "Precompiled", "precompiled_charsmap": "CAAAAP//////////"},
        {"type": "Replace", "pattern": {"String": ""}, "content": "a"},
        {"type": "Replace", "pattern": {"Regex": ""}, "content": "a"},
    ],
)
def test_a_tokenizer_whose_normalizer_panics_is_refused(
    bucket: Bucket, tmp_path: Path, normalizer: dict[str, Any]
) -> None:
    path = bucket.folder / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"normalizer": normalizer}))
    with pytest.raises(SpecRefused, match="makes the tokenizers library fail"):
        bucket.load(tmp_path)


def test_a_tokenizer_that_panics_at_a_post_is_refused_when_it_meets_it(bucket: Bucket, tmp_path: Path) -> None:
    tokenizer = bucket.load(tmp_path).tokenizer
    tokenizer.normalizer = normalizers.Replace("", "a")
    with pytest.raises(SpecRefused, match=r"base model at spec\.model\.base .*fail"):
        encode(tokenizer, "a post")


@pytest.mark.parametrize(
    "content",
    [
        "[" * 200_000,
        '{"model_type": "gpt2", "n_layer": 1000000000}',
        '{"model_type": "gpt2", "n_embd": 1000000000}',
        '{"model_type": "gpt2", "vocab_size": 10000000000}',
        '{"model_type": "gpt2", "n_positions": 10000000000}',
        '{"model_type": "gpt2", "n_inner": 10000000000}',
        '{"model_type": "gpt2", "n_head": -1}',
        '{"model_type": "gpt2", "n_layer": ' + "9" * 5000 + "}",
        '{"model_type": "gpt2", "n_layer": 1e999}',
    ],
)
def test_a_configuration_that_would_use_up_memory_or_stack_is_refused(
    bucket: Bucket, tmp_path: Path, content: str
) -> None:
    (bucket.folder / "config.json").write_text(content)
    with pytest.raises(SpecRefused, match=r"BaseModelRefused: .*config\.json"):
        bucket.load(tmp_path)


def test_a_tokenizer_of_absurd_size_is_refused_unread(bucket: Bucket, tmp_path: Path) -> None:
    with (bucket.folder / "tokenizer.json").open("r+b") as file:
        file.truncate(TOKENIZER_LIMIT + 1)
    with pytest.raises(SpecRefused, match=r"tokenizer\.json is longer than"):
        bucket.load(tmp_path)


class _Opened:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)


def test_weights_are_read_from_safetensors_alone_and_no_pickle_is_opened(bucket: Bucket, tmp_path: Path) -> None:
    mark, folder = tmp_path / "opened", bucket.folder
    whole = bucket.load(tmp_path / "whole").model.state_dict()
    for name in ("pytorch_model.bin", "training_args.bin"):
        torch.save({"transformer.wte.weight": torch.zeros(2), "x": _Opened(mark)}, folder / name)
    read = read_base(folder, BaseIdentity(str(folder), "folder", "")).model.state_dict()
    assert all(torch.equal(read[name], tensor) for name, tensor in whole.items())
    (folder / "model.safetensors").write_bytes((folder / "pytorch_model.bin").read_bytes())
    with pytest.raises(SpecRefused, match=r"model\.safetensors is damaged"):
        read_base(folder, BaseIdentity(str(folder), "folder", ""))
    assert not mark.exists()


def test_a_tokenizer_without_the_end_mark_is_refused(bucket: Bucket, tmp_path: Path) -> None:
    path = bucket.folder / "tokenizer.json"
    path.write_text(path.read_text().replace("<|endoftext|>", "<|other|>"))
    with pytest.raises(SpecRefused, match="knows no"):
        bucket.load(tmp_path)


def test_a_base_that_was_replaced_meanwhile_is_refused(bucket: Bucket, tmp_path: Path) -> None:
    identity = bucket.identity()
    edited(bucket.folder, layer_norm_epsilon=1e-3)
    with pytest.raises(SpecRefused, match=r"config\.json was replaced"):
        bucket.load(tmp_path, identity)


def test_nothing_but_the_three_files_is_fetched(bucket: Bucket, tmp_path: Path) -> None:
    (bucket.folder / "modeling_evil.py").write_text("raise SystemExit")
    bucket.load(tmp_path)
    assert {path.name for path in (tmp_path / "base").iterdir()} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_in_the_identity(bucket: Bucket, name: str) -> None:
    before = bucket.identity()
    with (bucket.folder / name).open("ab") as file:
        file.write(b" ")
    assert bucket.identity().as_json() != before.as_json()


def test_the_same_seed_gives_the_same_scratch_model(tmp_path: Path) -> None:
    texts = some_texts(50)
    one, two, other = (
        load_base(
            SCRATCH,
            train_texts=texts,
            seed=seed,
            folder=tmp_path,
            download=lambda uri, path: None,
            retry_budget=NO_WAITING,
        )
        for seed in (1, 1, 2)
    )
    assert torch.equal(one.model.embedding.weight, two.model.embedding.weight)
    assert not torch.equal(one.model.embedding.weight, other.model.embedding.weight)
    assert one.tokenizer.to_str() == two.tokenizer.to_str()
    assert (one.model.config.layers, one.model.config.channels, one.model.config.context) == (4, 128, 256)


def test_scratch_weights_are_those_that_transformers_draws_from_the_seed() -> None:
    config = Gpt2Config(n_layer=2, n_embd=16, n_head=2, n_positions=12, vocab_size=41)
    torch.manual_seed(7)
    theirs = GPT2LMHeadModel(GPT2Config(**config.model_dump()))
    assert all(torch.equal(one, theirs.get_parameter(name)) for name, one in draw_model(config, 7).named_parameters())


def test_the_larger_scratch_model_is_larger(tmp_path: Path) -> None:
    small = identify_base(Model(base="scratch://small"), open_stream=Bucket(Path()).open_stream, resolve=unasked)
    base = load_base(
        small,
        train_texts=[post.text for post in many_posts(2000)],
        seed=1,
        folder=tmp_path,
        download=lambda uri, path: None,
        retry_budget=NO_WAITING,
    )
    config = base.model.config
    assert (config.layers, config.channels, config.context, small.digest) == (6, 256, 512, "small-1")
    assert 1024 < config.vocabulary <= 4096


def test_the_scratch_tokenizer_knows_the_train_part_alone(tmp_path: Path) -> None:
    base = load_base(
        SCRATCH,
        train_texts=["harbour " * 50],
        seed=1,
        folder=tmp_path,
        download=lambda uri, path: None,
        retry_budget=NO_WAITING,
    )
    assert len(encode(base.tokenizer, " harbour").tokens) == 1
    assert len(encode(base.tokenizer, " elsewhere").tokens) > 3
    assert base.tokenizer.get_vocab_size() <= 1024


def test_a_scratch_base_is_named_by_its_recipe() -> None:
    identity = identify_base(Model(base="scratch://mini"), open_stream=Bucket(Path()).open_stream, resolve=unasked)
    assert identity == SCRATCH


def test_a_hub_base_is_named_by_its_commit() -> None:
    asked: list[tuple[str, str | None]] = []

    def resolve(name: str, revision: str | None) -> str:
        asked.append((name, revision))
        return "c0ffee"

    model = Model(base="hf://owner/name", revision="main")
    identity = identify_base(model, open_stream=Bucket(Path()).open_stream, resolve=resolve)
    assert (identity.digest, identity.hub_name, asked) == ("c0ffee", "owner/name", [("owner/name", "main")])


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (as_pickle, "pytorch_model.bin; its weights are a pickle, .* convert them to model.safetensors"),
        (in_shards, "index.json; its weights are in several files: join them into one model.safetensors"),
    ],
)
def test_weights_in_another_format_are_refused_with_what_to_do(
    bucket: Bucket, damage: Callable[[Path], object], words: str
) -> None:
    damage(bucket.folder)
    with pytest.raises(SpecRefused, match=words):
        read_metadata(URI, bucket.open_file)


def test_every_activation_that_is_accepted_is_one_of_transformers() -> None:
    names, x = get_args(Gpt2Config.model_fields["activation_function"].annotation), torch.linspace(-12, 12, 97)
    assert set(names) == set(ACTIVATIONS)
    for name in names:
        torch.testing.assert_close(ACTIVATIONS[name](x), ACT2FN[name](x), rtol=1e-5, atol=1e-5)


def test_what_a_base_says_of_other_tasks_does_not_travel_with_what_is_made_of_it(
    bucket: Bucket, tmp_path: Path
) -> None:
    """gpt2 tells pipelines to end at 50 tokens: transformers 4 cut what our models wrote."""
    edited(bucket.folder, task_specific_params={"text-generation": {"do_sample": True, "max_length": 50}})
    base = bucket.load(tmp_path)
    save_model(base.model, base.tokenizer, SAMPLING, tmp_path / "published")
    assert "max_length" not in (tmp_path / "published" / "config.json").read_text()


def test_names_of_other_models_for_the_same_sizes_are_read(bucket: Bucket, tmp_path: Path) -> None:
    path = bucket.folder / "config.json"
    names = {"n_embd": "hidden_size", "n_layer": "num_hidden_layers", "n_positions": "max_position_embeddings"}
    content = {names.get(key, key): value for key, value in json.loads(path.read_text()).items()}
    path.write_text(json.dumps(content))
    assert bucket.load(tmp_path).model.config.channels == 32


def test_who_may_not_list_a_bucket_needs_no_more_than_the_three_files(bucket: Bucket) -> None:
    def open_file(name: str) -> BinaryIO:
        if name not in FILES:
            raise NotAuthorized(reasons.NOT_AUTHORIZED, "403, as of every file that is missing")
        return bucket.open_file(name)

    assert read_metadata(URI, open_file).config.context == 64
