"""Which base a model is trained from, to the byte. Imports no torch: `prepare` needs it."""

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
#: The files of a base folder; others in it are not read.
FILES = (CONFIG, TOKENIZER, WEIGHTS)
#: Files that may name what ends a text, beside config.json; they can only refuse, and are no part of the identity.
GENERATION_CONFIG, TOKENIZER_CONFIG = "generation_config.json", "tokenizer_config.json"
#: Shape and tokenizer of each scratch base; raise its number with every change of `scratch` or `tokenizer`.
SCRATCH_DIGESTS = {"scratch://mini": "mini-1", "scratch://small": "small-1"}

_FAMILY_NAMES = {"llama": "Llama", "qwen2": "Qwen2", "qwen3": "Qwen3"}

#: Opens the object at an address (`ObjectStore.open_seekable`). Raises ObjectNotFound.
OpenStream = Callable[[str], BinaryIO]
#: Resolves a name on the hub and a revision to a commit.
ResolveCommit = Callable[[str, str | None], str]


@dataclass(frozen=True, slots=True)
class BaseIdentity:
    """A base to the byte: `digest` is the version of a scratch base, a hub commit, or the sha256 of a folder's weights.

    `tokenizer` and `config` are the sha256 of a folder's other files; empty for other kinds, whose digest covers them.
    `architecture` and `channels` are its model_type and width, on which default rates depend; empty where a base was
    identified before there were others than GPT-2.
    """

    uri: str
    kind: Literal["scratch", "hub", "folder"]
    digest: str
    tokenizer: str = ""
    config: str = ""
    architecture: str = ""
    channels: int = 0

    def as_json(self) -> dict[str, str]:
        """Return what enters the training key: neither what follows from the rest, nor the address of a folder.

        A copy of a folder is the same base.
        """
        left_out = {"architecture", "channels", *(("uri",) if self.kind == "folder" else ())}
        return {key: value for key, value in asdict(self).items() if key not in left_out}

    def as_record(self) -> dict[str, str]:
        """Return what a manifest says of it, in which trainers of before expect texts alone."""
        return {key: value for key, value in asdict(self).items() if key != "channels"}

    @property
    def hub_name(self) -> str | None:
        """Return the name on the Hugging Face Hub, such as `gpt2`, or None for other kinds."""
        return self.uri.removeprefix(HUB) if self.kind == "hub" else None

    @property
    def family_name(self) -> str:
        """Return what a person calls its architecture; that of random weights is GPT-2, too."""
        return _FAMILY_NAMES.get(self.architecture, "GPT-2")

    @property
    def hub_page(self) -> str | None:
        """Return the address of its page on the hub, or None for other kinds."""
        return f"https://huggingface.co/{self.hub_name}" if self.hub_name else None


def identify_base(model: Model, *, open_stream: OpenStream, resolve: ResolveCommit) -> BaseIdentity:
    """Identify the spec's base.

    Raises SpecRefused (BaseModelNotFound, BaseModelRefused), NotAuthorized or TemporaryError.
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
    """Build the error for a base folder that lacks a file; without config.json it counts as not found."""
    if name == CONFIG:
        return SpecRefused(
            reasons.BASE_MODEL_NOT_FOUND,
            f"There is no base model at {uri}: {CONFIG} is missing. Correct spec.model.base.",
        )
    return SpecRefused(
        reasons.BASE_MODEL_REFUSED,
        f"The base model at {uri} has no {name}: give a base whose folder holds {', '.join(FILES)}.",
    )


def make_refusal(uri: str, why: str) -> SpecRefused:
    """Build the error for a base that exists but cannot be used."""
    return SpecRefused(reasons.BASE_MODEL_REFUSED, f"The base model at {uri} cannot be used: {why}.")
