"""Document of the cache → a TweetBot, or what can be said of one whose spec cannot be read."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tweetbot_contract.manifest import BaseTweetBot, InvalidManifest, TweetBot, parse, parse_metadata, read_spec
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_operator.types.schedule import find_schedule_error


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidTweetBot(BaseTweetBot):
    """A TweetBot whose stored spec breaks a rule, as after an upgrade of the CRD."""

    error: str


@lru_cache(maxsize=32)  # the last look of a pass meets what the one before it met
def parse_tweetbot(document: bytes) -> TweetBot | InvalidTweetBot:
    """Return the TweetBot of a stored document."""
    manifest = json.loads(document)
    try:
        return _check_schedule(parse(manifest, _read_cached_spec))
    except InvalidManifest as fault:
        return InvalidTweetBot(error=str(fault), **parse_metadata(manifest))


def _read_cached_spec(raw: dict[str, Any]) -> TweetBotSpec:
    return _parse_spec(json.dumps(raw, separators=(",", ":")))


@lru_cache(maxsize=128)  # a spec outlives many statuses: some 10 KiB each, for the TweetBots in work
def _parse_spec(text: str) -> TweetBotSpec:
    return read_spec(json.loads(text), unknown="ignore")


def _check_schedule(bot: TweetBot) -> TweetBot:
    """What CEL cannot tell of a schedule is told here; an erasure needs none. Raises InvalidManifest."""
    error = find_schedule_error(bot.spec.schedule) if bot.spec.schedule and not bot.deleting else None
    if error:
        raise InvalidManifest(error)
    return bot
