"""Document of the cache → a TweetBot, or what can be said of one whose spec cannot be read."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from tweetbot_contract.manifest import InvalidManifest, TweetBot, parse, read_spec
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_contract.status import TweetBotStatus
from tweetbot_operator.types.schedule import schedule_error


@dataclass(frozen=True, slots=True)
class InvalidTweetBot:
    """A TweetBot whose stored spec no longer obeys the rules, as after an upgrade of the CRD."""

    namespace: str
    name: str
    uid: str
    generation: int
    resource_version: str
    status: TweetBotStatus
    error: str
    deleting: bool = False
    deleted_at: str = ""
    finalizers: tuple[str, ...] = ()


@lru_cache(maxsize=32)  # the last look of a pass meets what the one before it met
def parse_tweetbot(document: bytes) -> TweetBot | InvalidTweetBot:
    """Return the TweetBot of a stored document."""
    manifest = json.loads(document)
    try:
        return _check_schedule(parse(manifest, _read_cached_spec))
    except InvalidManifest as fault:
        metadata = manifest["metadata"]
        return InvalidTweetBot(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            generation=metadata["generation"],
            resource_version=metadata["resourceVersion"],
            status=_parse_status(manifest.get("status") or {}),
            error=str(fault),
            deleting="deletionTimestamp" in metadata,
            deleted_at=metadata.get("deletionTimestamp", ""),
            finalizers=tuple(metadata.get("finalizers") or ()),
        )


def _read_cached_spec(raw: dict[str, Any]) -> TweetBotSpec:
    return _parse_spec(json.dumps(raw, separators=(",", ":")))


@lru_cache(maxsize=128)  # a spec outlives many statuses: some 10 KiB each, for the TweetBots in work
def _parse_spec(text: str) -> TweetBotSpec:
    return read_spec(json.loads(text), unknown="ignore")


def _check_schedule(bot: TweetBot) -> TweetBot:
    """What CEL cannot tell of a schedule is told here; an erasure needs none. Raises InvalidManifest."""
    error = schedule_error(bot.spec.schedule) if bot.spec.schedule and not bot.deleting else None
    if error:
        raise InvalidManifest(error)
    return bot


def _parse_status(raw: dict[str, object]) -> TweetBotStatus:
    try:
        return TweetBotStatus.model_validate(raw, extra="ignore")
    except ValidationError:
        return TweetBotStatus()
