"""`tweetbot-trainer serve`: published models for the browser and for programs."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tweetbot_contract import reasons
from tweetbot_trainer.publishing.registry.download import CopyCheck, download_model, load_copy_check
from tweetbot_trainer.publishing.registry.lineage import find_dataset_folder
from tweetbot_trainer.publishing.registry.manifest import MODEL_FOLDER, StoredVersion, read_version
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.serving.access import Access, build_access
from tweetbot_trainer.serving.app import build_app
from tweetbot_trainer.serving.drafting.served import (
    ServedModel,
    describe_model,
    load_served_model,
    name_apart,
    share_cores,
)
from tweetbot_trainer.serving.server import open_listener, run_server
from tweetbot_trainer.store import OpenStore
from tweetbot_trainer.store.folder import FolderStore

TOKEN_ENV = "TWEETBOT_SERVE_TOKEN"  # noqa: S105  # the variable's name


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What is served, and where. Models and the dataset are folders or addresses."""

    models: tuple[str, ...]
    host: str
    port: int
    token_file: Path | None
    dataset: str | None
    idle_seconds: float | None = None
    """Seconds without a request after which the server ends; None: it stays."""


@dataclass(frozen=True, slots=True)
class _Source:
    """A model in a folder, the version that it is if a manifest says so, and what its copies are recognized by."""

    folder: Path
    version: StoredVersion | None
    check: CopyCheck


def run_serve(wish: ServeOptions, open_opener: Callable[[str], OpenStore], stop: StopRequest) -> int:
    """Load the models and serve them until the end. Raises SpecRefused, which names the option.

    `open_opener` returns what opens the store of an address.
    """
    access = _read_access(wish.host, wish.token_file)
    with ExitStack() as stack:
        listener = stack.enter_context(open_listener(wish.host, wish.port))
        sources = [stack.enter_context(_open_source(model, wish.dataset, open_opener)) for model in wish.models]
        abouts = name_apart(describe_model(source.folder, source.version) for source in sources)
        loaded = zip(sources, abouts, strict=True)
        served = [load_served_model(source.folder, about, source.check) for source, about in loaded]
        share_cores(served)
        _print_warnings(served)
        run_server(build_app(served, access), listener, stop, idle_seconds=wish.idle_seconds)
    return 0


def _read_access(host: str, token_file: Path | None) -> Access:
    try:
        token = token_file.read_text(encoding="utf-8").strip() if token_file else os.environ.get(TOKEN_ENV) or None
        return build_access(host, token)
    except (OSError, ValueError) as error:
        where = f"--token-file {token_file}: {error}" if isinstance(error, OSError) else str(error)
        raise SpecRefused(reasons.SPEC_REFUSED, where) from error


@contextmanager
def _open_source(model: str, dataset: str | None, open_opener: Callable[[str], OpenStore]) -> Iterator[_Source]:
    given = _get_uri(dataset) if dataset else None
    if "://" in model:
        open_store = open_opener(model)
        with download_model(open_store(model), model) as (folder, version):
            check = load_copy_check(open_store, given=given, found=find_dataset_folder(version))
            yield _Source(folder, version, check)
        return
    folder, found = _find_folder(Path(model).resolve())
    check = load_copy_check(
        open_opener(given or folder.as_uri()), given=given, found=find_dataset_folder(found) if found else None
    )
    yield _Source(folder, found, check)


def _get_uri(place: str) -> str:
    return place if "://" in place else Path(place).resolve().as_uri()


def _find_folder(folder: Path) -> tuple[Path, StoredVersion | None]:
    """Return the folder of the model, and the version if this folder or the one above it has a manifest."""
    above = folder.parent if folder.name == MODEL_FOLDER else folder
    for home in (folder, above):
        version = read_version(FolderStore(), home.as_uri()) if home.name else None
        if version:
            return home / MODEL_FOLDER, version
    return folder, None


def _print_warnings(served: Sequence[ServedModel]) -> None:
    for model in served:
        if model.check.detector is None:
            print(
                f"{model.about.name}: its posts may copy posts of the dataset, which is not compared: "
                f"{model.check.missing}. Pass --dataset",
                file=sys.stderr,
            )
