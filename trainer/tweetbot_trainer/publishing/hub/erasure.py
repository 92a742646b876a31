"""Delete a TweetBot's copies on the Hub."""

from collections.abc import Sequence
from pathlib import Path

from tweetbot_contract.handover import RunDocument
from tweetbot_trainer.publishing.hub.client import HubRepository
from tweetbot_trainer.publishing.hub.publish import describe_token, read_token
from tweetbot_trainer.publishing.hub.push import read_marker
from tweetbot_trainer.publishing.hub.record import HubPush, Marker, hash_folder
from tweetbot_trainer.runtime.errors import NotAuthorized
from tweetbot_trainer.runtime.log import Log


def delete_copies(run: RunDocument, pushes: Sequence[HubPush], secrets: Path, log: Log) -> None:
    """Delete the repositories that hold versions of the run's TweetBot; others stay. Raises StageError."""
    names = dict.fromkeys(push.repo for push in pushes)
    if not names:
        return
    try:
        token = read_token(run, secrets)
    except NotAuthorized as fault:
        raise NotAuthorized(fault.reason, f"{', '.join(names)} was not deleted: {fault.message}") from fault
    for name in names:
        repository = HubRepository(name, token, token_place=describe_token(run))
        if left := delete_copy(repository, run.prefix, run.uid):
            log.warning("cleanup.hub_left", message=left)
        else:
            log.info("cleanup.hub_deleted", repo=name)


def delete_copy(repository: HubRepository, prefix: str, uid: str) -> str | None:
    """Delete a repository if it holds versions of the TweetBot with this folder or uid, else say why it stays.

    Raises StageError.
    """
    own = Marker(bot_uid=uid, folder=hash_folder(prefix), version="", manifest_sha256="")
    state = repository.read_state()
    held = read_marker(repository, state) if state else None
    if state and not (held and held.has_owner_of(own)):
        return f"{repository.url} is not this TweetBot's: it was left as it is"
    if state:
        repository.delete()
    return None
