"""hub.json: which versions were sent to which repositories, so that `forget` and cleanup find the copies."""

import hashlib
from collections.abc import Callable

from pydantic import ValidationError

from tweetbot_contract.spec.parts import Part
from tweetbot_trainer.store import ObjectStore, StorageUnavailable, join

RECORD_FILE = "hub.json"
#: In the repository: whose it is, and which version it holds.
MARKER_FILE = "tweetbot.json"
_ROUNDS = 10


class HubPush(Part):
    """A version that was about to be sent to a repository."""

    repo: str
    url: str
    version: str
    #: Digest of the dataset that it was trained on.
    dataset: str


class HubRecord(Part):
    """The content of hub.json."""

    schema_version: int = 1
    pushes: tuple[HubPush, ...] = ()

    def encode(self) -> bytes:
        """Return the file's content."""
        return (self.model_dump_json(by_alias=True, indent=1) + "\n").encode()


class Marker(Part):
    """The content of tweetbot.json. `folder` names the TweetBot's folder in its bucket without telling where it is."""

    schema_version: int = 1
    bot_uid: str
    folder: str
    version: str
    manifest_sha256: str

    def encode(self) -> bytes:
        """Return the file's content."""
        return (self.model_dump_json(by_alias=True, indent=1) + "\n").encode()

    def has_owner_of(self, other: "Marker") -> bool:
        """Whether both are of one TweetBot: the same one, or one that succeeds another in its folder."""
        return self.folder == other.folder or self.bot_uid == other.bot_uid

    def has_version_of(self, other: "Marker") -> bool:
        """Whether both name the same version of one TweetBot."""
        return self.has_owner_of(other) and self.manifest_sha256 == other.manifest_sha256


def hash_folder(prefix: str) -> str:
    """Return a name of a TweetBot's folder that does not tell its address."""
    return hashlib.sha256(prefix.encode()).hexdigest()[:16]


def decode_marker(body: bytes) -> Marker | None:
    """Parse a tweetbot.json; None if it cannot be read."""
    try:
        return Marker.model_validate_json(body, extra="ignore")
    except ValidationError:
        return None


def read_pushes(store: ObjectStore, uri: str) -> tuple[HubPush, ...]:
    """Return the pushes in a hub.json; none if it is missing or cannot be read."""
    found = store.find(uri)
    return _decode(found.body).pushes if found else ()


def record_push(store: ObjectStore, prefix: str, push: HubPush) -> None:
    """Note a push before it begins: a copy that nobody knows of could not be forgotten."""
    _change(store, join(prefix, RECORD_FILE), lambda pushes: (*(one for one in pushes if one != push), push))


def drop_pushes(store: ObjectStore, prefix: str, repo: str) -> None:
    """Take a repository that was deleted out of the record."""
    _change(store, join(prefix, RECORD_FILE), lambda pushes: tuple(one for one in pushes if one.repo != repo))


def _change(store: ObjectStore, uri: str, change: Callable[[tuple[HubPush, ...]], tuple[HubPush, ...]]) -> None:
    for _ in range(_ROUNDS):
        found = store.find(uri)
        before = _decode(found.body).pushes if found else ()
        after = change(before)
        if set(after) == set(before):
            return
        body = HubRecord(pushes=after).encode()
        if store.put_if_match(uri, body, found.etag) if found else store.put_if_absent(uri, body):
            return
    raise StorageUnavailable(f"{uri} is changed by others as fast as it is written")


def _decode(body: bytes) -> HubRecord:
    try:
        return HubRecord.model_validate_json(body, extra="ignore")
    except ValidationError:
        return HubRecord()
