"""Find out which base a spec means, through the run's store or the hub."""

from functools import partial

from tweetbot_contract.spec import TweetBotSpec
from tweetbot_trainer.model.identity import BaseIdentity, base_identity
from tweetbot_trainer.store import ObjectStore, RetryBudget


def identified_base(spec: TweetBotSpec, store: ObjectStore, patience: RetryBudget) -> BaseIdentity:
    """Return the identity of the spec's base; a hub that is away is waited for as long as the budget lasts.

    Raises SpecRefused (BaseModelNotFound, BaseModelRefused), NotAuthorized or Temporary.
    """
    return base_identity(spec.model, open_stream=store.open_stream, resolve=partial(_commit_on_hub, patience))


def _commit_on_hub(patience: RetryBudget, name: str, revision: str | None) -> str:
    from tweetbot_trainer.model.hub import resolve_commit  # httpx and the hub's client: not for other bases

    return patience.run(lambda: resolve_commit(name, revision))
