"""deletionPolicy → the finalizers that the TweetBot should have: ours for Delete, and other people's as they are."""

from tweetbot_contract.handover import ERASE_FINALIZER
from tweetbot_contract.manifest import TweetBot
from tweetbot_operator.types.actions import SetFinalizers
from tweetbot_operator.types.tweetbot import InvalidTweetBot


def ensure_finalizer(bot: TweetBot) -> SetFinalizers | None:
    """Return what brings the finalizers to the policy, if they are not; it stands before anything is written to S3."""
    guarded = ERASE_FINALIZER in bot.finalizers
    if bot.spec.deletion_policy == "Delete":
        return None if guarded else SetFinalizers((*bot.finalizers, ERASE_FINALIZER), "deletionPolicy is Delete")
    return remove_finalizer(bot, "deletionPolicy is Retain") if guarded else None


def remove_finalizer(bot: TweetBot | InvalidTweetBot, why: str) -> SetFinalizers:
    """Return what takes our finalizer away."""
    return SetFinalizers(tuple(name for name in bot.finalizers if name != ERASE_FINALIZER), why)
