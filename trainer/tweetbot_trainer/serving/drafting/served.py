"""A model that is served: loaded once, with what people are told about it and the queue before it."""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tweetbot_trainer.learning.sampling import SamplingParams
from tweetbot_trainer.publishing.disclosure import UNKNOWN, build_disclosure
from tweetbot_trainer.publishing.registry.download import CopyCheck, load_model
from tweetbot_trainer.publishing.registry.manifest import StoredVersion
from tweetbot_trainer.serving.drafting.card_facts import read_card_facts
from tweetbot_trainer.serving.drafting.queue import WorkQueue

if TYPE_CHECKING:
    from tweetbot_trainer.learning.model.base import Base

#: How many texts are remembered, so that a picture shows only what the model wrote.
REMEMBERED = 2000


@dataclass(frozen=True, slots=True)
class About:
    """What people are told about a model. `person` is the name of whom it imitates; empty where nothing tells.

    `disclosure` stands beside everything that it writes.
    """

    name: str
    version: str = ""
    handle: str = ""
    person: str = ""
    base: str = ""
    disclosure: str = UNKNOWN


class WrittenTexts:
    """The texts that a model wrote last, by their hashes."""

    def __init__(self) -> None:
        self._hashes: OrderedDict[bytes, None] = OrderedDict()

    def add(self, text: str) -> None:
        """Remember a text; the oldest is forgotten."""
        self._hashes[_hash(text)] = None
        if len(self._hashes) > REMEMBERED:
            self._hashes.popitem(last=False)

    def __contains__(self, text: str) -> bool:
        return _hash(text) in self._hashes


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A loaded model. `folder` has its published files."""

    about: About
    folder: Path
    base: "Base"
    sampling: SamplingParams
    check: CopyCheck
    queue: WorkQueue = field(default_factory=WorkQueue)
    written: WrittenTexts = field(default_factory=WrittenTexts)


class ServedModels:
    """The models of a server; the first is the one that is meant where none is named."""

    def __init__(self, models: Sequence[ServedModel]) -> None:
        self._models = {model.about.name: model for model in models}

    def __iter__(self) -> Iterator[ServedModel]:
        return iter(self._models.values())

    @property
    def names(self) -> list[str]:
        """The models' names, in their order."""
        return list(self._models)

    def find(self, name: str | None) -> ServedModel:
        """Return the model with this name. Raises ModelNotFound."""
        model = self._models.get(name) if name else next(iter(self))
        if model is None:
            raise ModelNotFound(f"there is no model {name!r} here; there are {', '.join(self._models)}")
        return model


class ModelNotFound(LookupError):
    """No model has this name."""


def share_cores(models: Iterable[ServedModel]) -> None:
    """Have torch use as many threads as suit these models and this container."""
    from tweetbot_trainer.learning.training.device import use_threads_for

    use_threads_for(model.base.model.config.channels for model in models)


def load_served_model(folder: Path, about: About, check: CopyCheck) -> ServedModel:
    """Load the model in a folder. Raises SpecRefused, which names the option."""
    base, sampling = load_model(folder)
    return ServedModel(about, folder, base, sampling, check)


def describe_model(folder: Path, version: StoredVersion | None) -> About:
    """Gather what the card and the manifest say of a model; a folder without a card is named after itself."""
    facts = read_card_facts(folder)
    name = facts.model_name or (version.manifest.version if version else folder.name)
    about = About(name, "", facts.handle, facts.person, facts.base, facts.disclosure)
    if version is None:
        return about
    origin = version.manifest.provenance
    handle = facts.handle or origin.handle or ""
    return replace(
        about,
        version=version.manifest.version,
        handle=handle,
        base=origin.base.get("uri") or facts.base,
        disclosure=build_disclosure(handle) if handle and facts.disclosure == UNKNOWN else facts.disclosure,
    )


def name_apart(abouts: Iterable[About]) -> list[About]:
    """Give each model a name of its own that an address can hold: the second of a name gets -2."""
    taken, named = set[str](), []
    for about in abouts:
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", about.name).strip("-.") or "model"
        name, number = plain, 1
        while name in taken:
            number += 1
            name = f"{plain}-{number}"
        taken.add(name)
        named.append(replace(about, name=name))
    return named


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
