"""The change of `forget`: which ids come to spec.filter.excludeIds, and what follows from it."""

import json
from dataclasses import dataclass

from tweetbot_contract.handover import FORGET_ANNOTATION
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.spec.id_lists import EXCLUDED_LIMIT, ID_LIMIT
from tweetbot_contract.spec.sources import XSource
from tweetbot_kubectl.decisions.changes import Document
from tweetbot_kubectl.decisions.field_owners import FieldOwner


class UnfitIds(Exception):
    """The ids do not fit spec.filter.excludeIds; the message says what to do instead."""


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What is asked of a TweetBot: the ids that it excludes from now on, and what follows."""

    added: int
    """Number of ids that it did not exclude before."""
    excluded: tuple[str, ...]
    request: str
    """Value of the annotation."""
    follows: tuple[str, ...]
    """What happens now, sentence by sentence."""

    def build_patch(self, resource_version: str) -> Document:
        """Return the merge patch to send, for this version of the TweetBot alone."""
        return {
            "metadata": {"resourceVersion": resource_version, "annotations": {FORGET_ANNOTATION: self.request}},
            "spec": {"filter": {"excludeIds": list(self.excluded)}},
        }

    @property
    def manifest(self) -> str:
        """What to commit where Git has the manifest, as YAML."""
        annotation, ids = json.dumps(self.request), json.dumps(self.excluded, ensure_ascii=False)
        return (
            f"metadata: {{annotations: {{{FORGET_ANNOTATION}: {annotation}}}}}\nspec: {{filter: {{excludeIds: {ids}}}}}"
        )


def plan_forgetting(bot: TweetBot, ids: frozenset[str], now: str) -> Forgetting:
    """Add ids to those that a TweetBot excludes, and ask for their erasure. `now` is a time in RFC 3339.

    Raises UnfitIds.
    """
    known = bot.spec.filter.exclude_ids
    added = sorted(ids.difference(known))
    if longest := next((each for each in added if len(each) > ID_LIMIT), None):
        raise UnfitIds(f"{longest[:32]}… is no id of a post: it has {len(longest)} characters, at most {ID_LIMIT} fit")
    if len(known) + len(added) > EXCLUDED_LIMIT:
        raise UnfitIds(
            f"spec.filter.excludeIds takes {EXCLUDED_LIMIT} ids; {bot.name} has {len(known)}, and {len(added)} would "
            "come. Delete the posts at the source, give the TweetBot a new export without them, and take the ids out "
            "of the list that the export no longer has."
        )
    follows = (*_say_what_runs(bot, len(added)), *_say_what_is_erased(bot))
    return Forgetting(len(added), (*known, *added), now, follows)


def _say_what_runs(bot: TweetBot, added: int) -> tuple[str, ...]:
    if not added:
        return ("All these ids are excluded already, so no run begins for them.",)
    first = "It begins once the TweetBot is resumed" if bot.spec.suspend else "It begins within seconds"
    spend = sum(source.kind.max_spend_usd for source in bot.spec.sources if isinstance(source.kind, XSource))
    bill = (f"X bills the posts that it reads: at most ${spend}.",) if spend else ()
    return (f"A run learns again, without the posts. {first}.", *bill)


def _say_what_is_erased(bot: TweetBot) -> tuple[str, ...]:
    pin = (
        (
            f"spec.pin keeps {bot.spec.pin} served. If that version learned from the posts, nothing is erased before "
            f"kubectl tweetbot unpin {bot.name}.",
        )
        if bot.spec.pin
        else ()
    )
    return (
        "Once a version without the posts is served, everything of this TweetBot that holds them is erased for good: "
        "datasets, versions, checkpoints, runs at W&B, copies on the Hub.",
        *pin,
        "Delete the posts at the source as well, and leave the ids in the list as long as the source has them.",
        f"X's terms give 24 hours: kubectl tweetbot status {bot.name} shows what is left of them.",
    )


def warn_of_git(owner: FieldOwner) -> str:
    """Return why the change has to be committed, too; what to commit follows."""
    return (
        f"{owner.tool} manages this TweetBot (field manager {owner.manager}). It may put back what Git says, and a "
        "TweetBot that is made from Git again would learn from the posts. Commit this:"
    )
