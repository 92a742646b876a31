"""Status before and after → the Events that tell people what changed, at most one a change."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from tweetbot_contract.handover import GROUP, KIND, VERSION
from tweetbot_contract.reasons import SUPERSEDED
from tweetbot_contract.status import CurrentRun, TweetBotStatus

REPORTER = f"{GROUP}/operator"
#: Longest note that the API server takes, in bytes, though its message calls them characters.
_NOTE_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Happening:
    """What an Event says."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


def happenings(before: TweetBotStatus, after: TweetBotStatus) -> tuple[Happening, ...]:
    """Return what a person would want to hear of: another run, another reason, an alarm or its end."""
    told: list[Happening] = []
    old, new = before.current_run, after.current_run
    if old and new and old.id != new.id and old.outcome is None:
        told.append(Happening("Normal", SUPERSEDED.name, f"Run {old.number} gives way to run {new.number}."))
    was, now = before.condition("Progressing"), after.condition("Progressing")
    alarmed, alarm = before.condition("Stalled") is not None, after.condition("Stalled") is not None
    if now and (was is None or was.reason != now.reason or alarm != alarmed or _another_run(old, new)):
        told.append(Happening("Warning" if alarm else "Normal", now.reason, _note(now.message)))
    return tuple(told)


def warning(reason: str, message: str) -> Happening:
    """Return what is heard of beside any status."""
    return Happening("Warning", reason, _note(message))


def _note(message: str) -> str:
    return message.encode()[:_NOTE_BYTES].decode(errors="ignore")


def _another_run(old: CurrentRun | None, new: CurrentRun | None) -> bool:
    return (old and (old.id, old.number)) != (new and (new.id, new.number))


def event_for(happening: Happening, about: tuple[str, str, str], scope: str, now: datetime) -> dict[str, Any]:
    """Return the Event's manifest; `about` is namespace, name and uid of the TweetBot, `scope` its run.

    The name is a hash of what it says in this run, so a repetition after a crash is refused as a duplicate.
    """
    namespace, name, uid = about
    said = "\0".join((uid, scope, happening.type, happening.reason, happening.message))
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.{hashlib.sha256(said.encode()).hexdigest()[:16]}", "namespace": namespace},
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "type": happening.type,
        "reason": happening.reason,
        "action": "Reconcile",
        "note": happening.message,
        "regarding": {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": KIND,
            "namespace": namespace,
            "name": name,
            "uid": uid,
        },
        "reportingController": REPORTER,
        "reportingInstance": "tweetbot-operator",
    }
