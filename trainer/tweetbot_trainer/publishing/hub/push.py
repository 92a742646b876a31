"""Bring a repository to a version: one commit of its files, tagged with the version. Done twice, it changes nothing."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tweetbot_contract.reasons import HUB_DEGRADED
from tweetbot_contract.result import HubCopy
from tweetbot_trainer.data.posts import format_time
from tweetbot_trainer.publishing.hub.card import adapt_card
from tweetbot_trainer.publishing.hub.client import HubRepository, RepositoryState
from tweetbot_trainer.publishing.hub.record import (
    MARKER_FILE,
    HubPush,
    Marker,
    decode_marker,
    hash_folder,
    record_push,
)
from tweetbot_trainer.publishing.registry.lookup import download_files
from tweetbot_trainer.publishing.registry.manifest import MODEL_FOLDER, StoredVersion
from tweetbot_trainer.runtime.errors import SpecRefused, TemporaryError
from tweetbot_trainer.store import ObjectStore

CARD = "README.md"
#: Weights, configuration, tokenizer, card and pictures: nothing else of a version leaves the bucket.
_SENT = re.compile(
    r"README\.md|[\w-]+\.safetensors|model\.safetensors\.index\.json|[\w-]+\.(png|svg)|vocab\.json|merges\.txt"
    r"|(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens)\.json"
)
#: What the Hub puts into a repository that somebody creates on its pages.
_EMPTY = frozenset({".gitattributes", CARD})


@dataclass(frozen=True, slots=True)
class Push:
    """A version that is to be sent. Its files are downloaded into `folder`, unless they are there."""

    store: ObjectStore
    version: StoredVersion
    bot_uid: str
    public: bool
    folder: Path

    @property
    def prefix(self) -> str:
        """The address of the TweetBot's folder."""
        return self.version.home.rpartition("/")[0].rpartition("/")[0]

    @property
    def marker(self) -> Marker:
        """What says in the repository whose version it holds."""
        return Marker(
            bot_uid=self.bot_uid,
            folder=hash_folder(self.prefix),
            version=self.version.manifest.version,
            manifest_sha256=self.version.sha256,
        )


def push_version(repository: HubRepository, push: Push) -> tuple[HubCopy, str | None]:
    """Send a version, and return where it is, and what of the repository is not as asked for. Raises StageError."""
    state = _open_repository(repository, push)
    held = read_marker(repository, state)
    _require_own(repository, state, held, push)
    if state.private is False and not push.public:
        message = f"{repository.url} is public, and spec.output.huggingFace.visibility is Private, so nothing was sent"
        raise SpecRefused(HUB_DEGRADED, f"{message}. Make it private on its settings page, or write visibility: Public")
    version = push.version.manifest.version
    commit = state.commit
    if not (held and held.has_version_of(push.marker)):
        commit = _commit_version(repository, state, push)
    repository.tag(version, commit)
    found = HubCopy(url=f"{repository.url}/tree/{version}", commit=commit, at=format_time(datetime.now(UTC)))
    return found, _describe_visibility(repository, state, push)


def read_marker(repository: HubRepository, state: RepositoryState) -> Marker | None:
    """Return whose version a repository holds; None if it does not say."""
    return decode_marker(repository.read_file(MARKER_FILE, state.commit)) if MARKER_FILE in state.files else None


def select_files(names: Iterable[str]) -> list[str]:
    """Return the names of the files of a model's directory that are sent."""
    return [name for name in names if _SENT.fullmatch(name)]


def _open_repository(repository: HubRepository, push: Push) -> RepositoryState:
    state = repository.read_state()
    if state is None:
        repository.create(private=not push.public)
        state = repository.read_state()
    if state is None:
        raise TemporaryError(HUB_DEGRADED, f"{repository.url} was created and is not there yet")
    return state


def _require_own(repository: HubRepository, state: RepositoryState, held: Marker | None, push: Push) -> None:
    """Raise SpecRefused if somebody else's files lie in the repository, which a commit would replace."""
    if held and held.has_owner_of(push.marker):
        return
    if held is None and _EMPTY.issuperset(state.files):
        return
    whose = "another TweetBot's model" if held else f"files that no TweetBot put there, and no {MARKER_FILE}"
    message = f"{repository.url} holds {whose}, so nothing was sent"
    raise SpecRefused(
        HUB_DEGRADED, f"{message}. Write another spec.output.huggingFace.repo, or empty or delete this one"
    )


def _describe_visibility(repository: HubRepository, state: RepositoryState, push: Push) -> str | None:
    if push.public and state.private:
        advice = "Make it public on its settings page, or write visibility: Private"
        return f"{repository.url} is private, although spec.output.huggingFace.visibility is Public. {advice}"
    return None


def _commit_version(repository: HubRepository, state: RepositoryState, push: Push) -> str:
    """Replace the files of the version before by those of this one; others that people have added stay."""
    manifest = push.version.manifest
    noted = HubPush(repo=repository.name, url=repository.url, version=manifest.version, dataset=manifest.dataset.digest)
    record_push(push.store, push.prefix, noted)
    download_files(push.store, push.version, push.folder, inside=f"{MODEL_FOLDER}/")
    inside = (path.removeprefix(f"{MODEL_FOLDER}/") for path in manifest.files if path.startswith(f"{MODEL_FOLDER}/"))
    add: dict[str, Path | bytes] = {name: push.folder / MODEL_FOLDER / name for name in select_files(inside)}
    if CARD in add:
        text = (push.folder / MODEL_FOLDER / CARD).read_text(encoding="utf-8")
        place = {"repo": repository.name, "url": repository.url, "version": manifest.version}
        adapted = adapt_card(text, **place, bucket="/".join(push.prefix.split("/")[:3]))
        add[CARD] = adapted.encode()
    add[MARKER_FILE] = push.marker.encode()
    gone = [name for name in select_files(state.files) if name not in add]
    return repository.commit(add, gone, parent=state.commit, message=f"Version {manifest.version}")
