"""owner.json: the TweetBot that a prefix belongs to, and the TweetBots of other clusters that use it.

TweetBots of the same namespace and name, in several clusters, may have the same output. The owner moves latest.json and
erases; the others may adopt models. What they use is not erased, and when the owner is deleted, the first of them
becomes the owner.

Within one cluster a namespace and name has one TweetBot at a time, so a TweetBot that is created again succeeds the
former one. Every change is one conditional write, so a kill at any request leaves a record that the next attempt can
continue from.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Annotated, Literal, Protocol

from pydantic import Field, ValidationError

from tweetbot_contract.handover import TAKE_OVER_ANNOTATION, RunDocument
from tweetbot_contract.reasons import PREFIX_OWNED
from tweetbot_contract.spec.parts import Part
from tweetbot_trainer.data.posts import format_time
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.store import ObjectStore, StorageUnavailable, StoredObject, join

OWNER_FILE = "owner.json"
#: Attempts to change the record. Each lost one means that another TweetBot changed it.
ROUNDS = 10
_ABANDONED = "If that TweetBot is gone for good, erase the folder by hand."


class PrefixOwned(SpecRefused):
    """The prefix belongs to a TweetBot of another cluster."""

    def __init__(self, message: str) -> None:
        super().__init__(PREFIX_OWNED, message)


#: What another cluster wrote is told in a status, so it is one short line.
Name = Annotated[str, Field(max_length=128, pattern="^[ -~]*$")]


class FolderUser(Protocol):
    """A TweetBot that writes to a folder: that of a run, or the one in whose name a person gives a command."""

    @property
    def namespace(self) -> str:
        """Namespace of the TweetBot."""

    @property
    def name(self) -> str:
        """Name of the TweetBot."""

    @property
    def uid(self) -> str:
        """uid of the TweetBot."""

    @property
    def cluster(self) -> str:
        """uid of its cluster; empty without one."""

    @property
    def take_over(self) -> str:
        """uid or cluster of a TweetBot whose rights to the folder end."""

    @property
    def prefix(self) -> str:
        """Address of the folder, without a slash at the end."""


class PrefixUser(Part):
    """A TweetBot that writes to the prefix. `cluster` is empty for runs without one."""

    cluster: Name
    uid: Name
    since: Name
    #: The version that it serves without being the owner.
    version: Name | None = None


class OwnerRecord(Part):
    """The content of owner.json; `users` are all but the owner, the longest-standing first."""

    schema_version: Literal[1] = 1
    owner: PrefixUser
    users: tuple[PrefixUser, ...] = ()
    #: Folders of versions that the owner is erasing, below the prefix; nobody adopts them any more.
    erasing: tuple[str, ...] = ()
    #: Whether the owner was deleted and everything is being erased.
    ending: bool = False

    def encode(self) -> bytes:
        """Return the file's content."""
        return (self.model_dump_json(by_alias=True, exclude_none=True, indent=1) + "\n").encode()


Change = Callable[[OwnerRecord | None], OwnerRecord]


def join_prefix(store: ObjectStore, run: RunDocument, log: Log) -> str | None:
    """Register the run's TweetBot as the owner, or as a user if there is one; then return and log a message about it.

    Raises PrefixOwned while another owner is erasing everything, and as the store does.
    """
    record = _change_record(store, run, lambda record: _join(record, run))
    if is_owner(record, run):
        return None
    if record.ending:
        raise PrefixOwned(f"{describe_owner(record, run)} and is being erased. {_format_advice(record, run)}")
    limits = "Until a run finds that to have changed, this one may serve its models, but neither train nor erase any"
    message = f"{describe_owner(record, run)}. {limits}. {_format_advice(record, run)}"
    log.warning("prefix.owned", reason=str(PREFIX_OWNED), message=message)
    return message


def require_owner(store: ObjectStore, run: FolderUser) -> OwnerRecord:
    """Return the record if the run's TweetBot owns the prefix, or if nobody has yet. Raises PrefixOwned.

    Unlike join_prefix it takes over from nobody, so a trainer that outlives its TweetBot stops here.
    """
    return _change_record(store, run, lambda record: _check_owner(record, run))


def reserve_version_use(store: ObjectStore, run: RunDocument, version: str) -> bool:
    """Keep the owner from erasing a version that the run is about to adopt; False if it is already erasing it.

    The owner itself needs no reservation. Verify the version after this, as it may be gone already.
    """

    def change(record: OwnerRecord | None) -> OwnerRecord:
        record = record or OwnerRecord(owner=_build_user(run))
        if is_owner(record, run):
            return record
        known = any(user.uid == run.uid for user in record.users)
        users = record.users if known else (*record.users, _build_user(run))
        use = {"version": version}
        # In its place: two that joined within one millisecond have the same `since`.
        placed = tuple(user.model_copy(update=use) if user.uid == run.uid else user for user in users)
        return record.model_copy(update={"users": placed})

    record = _change_record(store, run, change)
    return is_owner(record, run) or not (record.ending or f"models/{version}" in record.erasing)


def announce_erasure(store: ObjectStore, run: FolderUser, homes: Iterable[str]) -> tuple[str, ...]:
    """Announce that versions are erased, and return the addresses of those that nobody else uses.

    Raises PrefixOwned if the run's TweetBot is not the owner.
    """
    folders = {home: home.removeprefix(f"{run.prefix}/") for home in homes}

    def change(record: OwnerRecord | None) -> OwnerRecord:
        owned = _check_owner(record, run)
        kept = {f"models/{user.version}" for user in owned.users}
        return owned.model_copy(update={"erasing": tuple(path for path in folders.values() if path not in kept)})

    record = _change_record(store, run, change)
    return tuple(home for home, path in folders.items() if path in record.erasing)


def leave_prefix(store: ObjectStore, run: RunDocument) -> str | None:
    """Take a deleted TweetBot out of the record. Return None if all may be erased, else to whom it left the prefix.

    Raises PrefixOwned if the prefix was never its own.
    """
    owned = False

    def change(record: OwnerRecord | None) -> OwnerRecord:
        nonlocal owned
        left = record or OwnerRecord(owner=_build_user(run))
        owned |= is_owner(left, run) or _gives_way(left.owner, run)
        return _leave(left, run)

    record = _change_record(store, run, change)
    if is_owner(record, run):
        return None
    if not owned:
        raise PrefixOwned(f"Nothing was erased. {describe_owner(record, run)}. {_ABANDONED}")
    return f"Nothing was erased. {describe_owner(record, run)}, which uses it. {_ABANDONED}"


def find_owner(store: ObjectStore, folder: str) -> OwnerRecord | None:
    """Read the record of a TweetBot's folder; None if there is none. Raises PrefixOwned if it cannot be read."""
    found = store.find(join(folder, OWNER_FILE))
    return _decode(found, folder) if found else None


def is_owner(record: OwnerRecord, run: FolderUser) -> bool:
    """Tell whether the run's TweetBot owns the prefix."""
    return record.owner.uid == run.uid


def describe_owner(record: OwnerRecord, run: FolderUser) -> str:
    """Say to whom the prefix belongs, as a sentence without its full stop."""
    owner = record.owner
    place = f"in cluster {owner.cluster}" if owner.cluster else "(run without a cluster)"
    return (
        f"The folder {run.namespace}/{run.name} of spec.output.s3 has belonged to the TweetBot with uid {owner.uid} "
        f"{place} since {owner.since}"
    )


def _format_advice(record: OwnerRecord, run: FolderUser) -> str:
    wrong = f" It names {run.take_over}, which is not the owner." if run.take_over else ""
    return (
        f"To change that, delete the other TweetBot, choose another spec.output.s3.uri, or set the annotation "
        f"{TAKE_OVER_ANNOTATION} to {record.owner.uid}.{wrong}"
    )


def _check_owner(record: OwnerRecord | None, run: FolderUser) -> OwnerRecord:
    """Return the record, or a first one. Raises PrefixOwned if the run's TweetBot is not the owner."""
    record = record or OwnerRecord(owner=_build_user(run))
    if is_owner(record, run):
        return record
    message = "Only its owner may train new models, move latest.json and erase"
    raise PrefixOwned(f"{describe_owner(record, run)}. {message}. {_format_advice(record, run)}")


def _join(record: OwnerRecord | None, run: RunDocument) -> OwnerRecord:
    """Add the run's TweetBot, in place of those that give way to it."""
    us = _build_user(run)
    if record is None:
        return OwnerRecord(owner=us)
    users = tuple(user for user in record.users if not _gives_way(user, run))
    others = tuple(user for user in users if user.uid != run.uid)
    if is_owner(record, run):
        owner = record.owner.model_copy(update={"cluster": run.cluster})
        return record.model_copy(update={"owner": owner, "users": others, "ending": False})
    if _gives_way(record.owner, run):
        return OwnerRecord(owner=us, users=others)
    return record.model_copy(update={"users": users if len(users) > len(others) else (*users, us)})


def _leave(record: OwnerRecord, run: RunDocument) -> OwnerRecord:
    others = tuple(user for user in record.users if user.uid != run.uid and not _gives_way(user, run))
    if not (is_owner(record, run) or _gives_way(record.owner, run)):
        return record.model_copy(update={"users": others})
    if not others:
        return OwnerRecord(owner=record.owner if is_owner(record, run) else _build_user(run), ending=True)
    heir = PrefixUser(cluster=others[0].cluster, uid=others[0].uid, since=_get_current_time())
    return OwnerRecord(owner=heir, users=others[1:])


def _gives_way(user: PrefixUser, run: RunDocument) -> bool:
    """Tell whether the run's TweetBot succeeds another one: in the same cluster, or as its annotation says."""
    succeeded = bool(run.cluster) and user.cluster == run.cluster
    return user.uid != run.uid and (succeeded or (bool(run.take_over) and run.take_over in (user.uid, user.cluster)))


def _change_record(store: ObjectStore, run: FolderUser, change: Change) -> OwnerRecord:
    """Change the record by compare-and-swap, and return it as it is then."""
    uri = _build_uri(run)
    for _ in range(ROUNDS):
        found = store.find(uri)
        before = _decode(found, run.prefix) if found else None
        after = change(before)
        if after == before:
            return after
        # A refused write may have been our own whose answer was lost: then the next round has nothing to change.
        body = after.encode()
        if store.put_if_match(uri, body, found.etag) if found else store.put_if_absent(uri, body):
            return after
    raise StorageUnavailable(f"{uri} is changed by others as fast as it is written")


def _decode(found: StoredObject, folder: str) -> OwnerRecord:
    try:
        return OwnerRecord.model_validate_json(found.body)
    except ValidationError as error:
        advice = "run a newer version of the operator, or delete the object if nobody else uses the folder"
        raise PrefixOwned(f"{join(folder, OWNER_FILE)} cannot be read, so its owner is unknown: {advice}") from error


def _build_uri(run: FolderUser) -> str:
    return join(run.prefix, OWNER_FILE)


def _build_user(run: FolderUser) -> PrefixUser:
    return PrefixUser(cluster=run.cluster, uid=run.uid, since=_get_current_time())


def _get_current_time() -> str:
    return format_time(datetime.now(UTC))
