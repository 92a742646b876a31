"""Which base a model is trained from, to the byte. Light on purpose: `prepare` asks for it and may not import torch."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import BinaryIO, Literal

from tweetbot_contract import reasons
from tweetbot_contract.spec.model import Model
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.store.hashing import compute_stream_sha256
from tweetbot_trainer.store.interface import ObjectNotFound

HUB = "hf://"
WEIGHTS, TOKENIZER, CONFIG = "model.safetensors", "tokenizer.json", "config.json"
#: What a base folder holds; anything else in it is not read.
FILES = (CONFIG, TOKENIZER, WEIGHTS)
#: Shape and tokenizer recipe of each base from nothing; raise its number with every change of `scratch`, `tokenizer`.
SCRATCH_DIGESTS = {"scratch://mini": "mini-1", "scratch://small": "small-1"}

#: Opens the object at an address (`ObjectStore.open_stream`). Raises ObjectNotFound where there is none.
OpenStream = Callable[[str], BinaryIO]
#: Takes a name on the hub and a revision, returns the commit.
ResolveCommit = Callable[[str, str | None], str]


@dataclass(frozen=True, slots=True)
class BaseIdentity:
    """A base that can be named again: `digest` is a recipe, a commit of the hub, or sha256 of the weights.

    `tokenizer` and `config` are sha256 of their files where the base is a folder, else part of the digest.
    """

    uri: str
    kind: Literal["scratch", "hub", "folder"]
    digest: str
    tokenizer: str = ""
    config: str = ""

    def as_json(self) -> dict[str, str]:
        """Return what enters the training key. The address of a folder does not: a copy of it is the same base."""
        content = asdict(self)
        return content if self.kind != "folder" else {key: content[key] for key in content if key != "uri"}

    @property
    def hub_name(self) -> str | None:
        """Return the name on the Hugging Face Hub, such as `gpt2`, where the base comes from there."""
        return self.uri.removeprefix(HUB) if self.kind == "hub" else None


def identify_base(model: Model, *, open_stream: OpenStream, resolve: ResolveCommit) -> BaseIdentity:
    """Return the identity of the base that the spec names.

    Raises SpecRefused (BaseModelNotFound, BaseModelRefused), NotAuthorized or Temporary.
    """
    if digest := SCRATCH_DIGESTS.get(model.base):
        return BaseIdentity(model.base, "scratch", digest)
    if model.base.startswith(HUB):
        return BaseIdentity(model.base, "hub", resolve(model.base.removeprefix(HUB), model.revision))
    return _identify_folder(model.base.rstrip("/"), open_stream)


def _identify_folder(uri: str, open_stream: OpenStream) -> BaseIdentity:
    config, tokenizer, weights = (_hash_file(uri, name, open_stream) for name in FILES)
    return BaseIdentity(uri, "folder", weights, tokenizer, config)


def _hash_file(uri: str, name: str, open_stream: OpenStream) -> str:
    try:
        with open_stream(f"{uri}/{name}") as stream:
            return compute_stream_sha256(stream)
    except ObjectNotFound as missing:
        raise make_missing_error(uri, name) from missing


def make_missing_error(uri: str, name: str) -> SpecRefused:
    """Return the refusal of a base folder without one of its files; without a configuration it is no base at all."""
    if name == CONFIG:
        return SpecRefused(
            reasons.BASE_MODEL_NOT_FOUND, f"There is no base model at {uri}: {CONFIG} is missing. Correct model.base."
        )
    return SpecRefused(
        reasons.BASE_MODEL_REFUSED,
        f"The base model at {uri} has no {name}: give a GPT-2 whose folder holds {', '.join(FILES)}.",
    )
