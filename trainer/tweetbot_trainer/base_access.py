"""Find out which base a spec means, through the run's store or the hub."""

from tweetbot_contract.spec import TweetBotSpec
from tweetbot_trainer.model.identity import BaseIdentity, base_identity
from tweetbot_trainer.store import ObjectStore


def identified_base(spec: TweetBotSpec, store: ObjectStore) -> BaseIdentity:
    """Return the identity of the spec's base.

    Raises SpecRefused (BaseModelNotFound, BaseModelRefused), NotAuthorized or Temporary.
    """
    return base_identity(spec.model, open_stream=store.open_stream, resolve=_commit_on_hub)


def _commit_on_hub(name: str, revision: str | None) -> str:
    from tweetbot_trainer.model.hub import resolve_commit  # httpx and the hub's client: not for other bases

    return resolve_commit(name, revision)
