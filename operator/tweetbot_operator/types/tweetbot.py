"""Document of the cache → a TweetBot, or what can be said of one whose spec cannot be read."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from tweetbot_contract.manifest import InvalidManifest, TweetBot, parse, read_spec
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_contract.status import TweetBotStatus
from tweetbot_operator.types.schedule import complaint_about


@dataclass(frozen=True, slots=True)
class UnreadableBot:
    """A TweetBot whose stored spec no longer obeys the rules, as after an upgrade of the CRD."""

    namespace: str
    name: str
    uid: str
    generation: int
    resource_version: str
    status: TweetBotStatus
    complaint: str
    deleting: bool = False
    deleted_at: str = ""
    finalizers: tuple[str, ...] = ()


@lru_cache(maxsize=32)  # the last look of a pass meets what the one before it met
def bot_from(document: bytes) -> TweetBot | UnreadableBot:
    """Return the TweetBot of a stored document."""
    manifest = json.loads(document)
    try:
        return _checked(parse(manifest, _remembered))
    except InvalidManifest as fault:
        metadata = manifest["metadata"]
        return UnreadableBot(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            generation=metadata["generation"],
            resource_version=metadata["resourceVersion"],
            status=_status(manifest.get("status") or {}),
            complaint=str(fault),
            deleting="deletionTimestamp" in metadata,
            deleted_at=metadata.get("deletionTimestamp", ""),
            finalizers=tuple(metadata.get("finalizers") or ()),
        )


def _remembered(raw: dict[str, Any]) -> TweetBotSpec:
    return _spec_of(json.dumps(raw, separators=(",", ":")))


@lru_cache(maxsize=128)  # a spec outlives many statuses: some 10 KiB each, for the TweetBots in work
def _spec_of(text: str) -> TweetBotSpec:
    return read_spec(json.loads(text), unknown="ignore")


def _checked(bot: TweetBot) -> TweetBot:
    """What CEL cannot tell of a schedule is told here; an erasure needs none. Raises InvalidManifest."""
    complaint = complaint_about(bot.spec.schedule) if bot.spec.schedule and not bot.deleting else None
    if complaint:
        raise InvalidManifest(complaint)
    return bot


def _status(raw: dict[str, object]) -> TweetBotStatus:
    try:
        return TweetBotStatus.model_validate(raw, extra="ignore")
    except ValidationError:
        return TweetBotStatus()
