"""Load a base model: from scratch, the hub or a folder; a GPT-2 in safetensors and nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from safetensors import SafetensorError
from tokenizers import Tokenizer

from tweetbot_trainer.learning.decoder.build import build_decoder
from tweetbot_trainer.learning.decoder.configs import DecoderConfig
from tweetbot_trainer.learning.decoder.decoder import Decoder
from tweetbot_trainer.learning.decoder.weights import HeadDiffers, load_weights
from tweetbot_trainer.learning.model import scratch
from tweetbot_trainer.learning.model.identity import (
    CONFIG,
    FILES,
    TOKENIZER,
    WEIGHTS,
    BaseIdentity,
    make_missing_error,
    make_refusal,
)
from tweetbot_trainer.learning.model.metadata import OWN_HEAD, read_metadata
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.store.hashing import compute_sha256
from tweetbot_trainer.store.interface import ObjectNotFound

#: Writes the object at an address into a file (`ObjectStore.download`). Raises ObjectNotFound.
Download = Callable[[str, Path], None]


@dataclass(frozen=True, slots=True)
class Base:
    """A model in float32 on the CPU, its tokenizer, and which base it is."""

    model: Decoder
    tokenizer: Tokenizer
    identity: BaseIdentity


def load_base(
    identity: BaseIdentity,
    *,
    train_texts: Sequence[str],
    seed: int,
    folder: Path,
    download: Download,
    retry_budget: RetryBudget,
    hub_token: str | None = None,
) -> Base:
    """Load the base; downloads go to `folder`, and a scratch base's tokenizer is trained on `train_texts`.

    Retries an unavailable hub within `retry_budget`. Raises SpecRefused (BaseModelNotFound, BaseModelRefused),
    NotAuthorized or TemporaryError.
    """
    if identity.kind == "scratch":
        model, tokenizer = scratch.create_base(identity.uri, train_texts, seed)
        return Base(model, tokenizer, identity)
    folder.mkdir(parents=True, exist_ok=True)
    if name := identity.hub_name:
        from tweetbot_trainer.learning.model import hub  # loads the Hub's client, which no other base needs

        retry_budget.call(lambda: hub.download(name, identity.digest, folder, token=hub_token))
    else:
        _fetch(identity, folder, download)
    return read_base(folder, identity)


def read_base(folder: Path, identity: BaseIdentity) -> Base:
    """Read the base in a folder. Raises SpecRefused (BaseModelNotFound, BaseModelRefused) with what is wrong."""

    def open_file(name: str) -> BinaryIO:
        try:
            return (folder / name).open("rb")
        except FileNotFoundError as missing:
            raise ObjectNotFound(f"{identity.uri}/{name}") from missing

    metadata = read_metadata(identity.uri, open_file)
    return Base(_load_weights(folder, metadata.config, identity.uri), metadata.tokenizer, identity)


def _fetch(identity: BaseIdentity, folder: Path, download: Download) -> None:
    expected = {CONFIG: identity.config, TOKENIZER: identity.tokenizer, WEIGHTS: identity.digest}
    for name in FILES:
        try:
            download(f"{identity.uri}/{name}", folder / name)
        except ObjectNotFound as missing:
            raise make_missing_error(identity.uri, name) from missing
        if compute_sha256(folder / name) != expected[name]:
            raise make_refusal(identity.uri, f"{name} was replaced during the run; start another run")


def _load_weights(folder: Path, config: DecoderConfig, uri: str) -> Decoder:
    """Load weights that fit their configuration, as read_metadata has found. Raises SpecRefused (BaseModelRefused)."""
    model = build_decoder(config).eval()
    try:
        load_weights(model, folder / WEIGHTS)
    except HeadDiffers as error:
        raise make_refusal(uri, OWN_HEAD) from error
    except (SafetensorError, RuntimeError, LookupError, OSError) as error:
        raise make_refusal(uri, f"its {WEIGHTS} is damaged or does not fit its {CONFIG}") from error
    return model
