"""The changes of retrain, suspend, resume, pin and unpin: a merge patch, what it does, and what happens then."""

import re
from dataclasses import dataclass
from typing import Any

from tweetbot_contract.handover import FORCE_ANNOTATION, RETRAIN_ANNOTATION
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.spec.lifecycle import MODEL_VERSION
from tweetbot_contract.spec.sources import XSource

Document = dict[str, Any]
#: Where a field stands in metadata.managedFields.
FieldPath = tuple[str, ...]
_SUSPEND: FieldPath = ("f:spec", "f:suspend")
_PIN: FieldPath = ("f:spec", "f:pin")


class NotAVersion(Exception):
    """What was given to pin is not the name of a version; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one TweetBot, or why there is nothing to change."""

    done: str
    """What changed, in one sentence."""
    follows: tuple[str, ...] = ()
    """What happens now, sentence by sentence."""
    patch: Document | None = None
    """The merge patch to send; None if the TweetBot is already as asked."""
    field: FieldPath = ()
    """The field that it writes."""
    commit: str = ""
    """What to commit where Git has the manifest."""


def plan_retrain(bot: TweetBot, now: str, *, force: bool) -> Change:
    """Ask for one more run. `now` is the annotation's value, a time in RFC 3339."""
    names = (RETRAIN_ANNOTATION, FORCE_ANNOTATION) if force else (RETRAIN_ANNOTATION,)
    values = dict.fromkeys(names, now)
    return Change(
        done=f"Asked for another run of {bot.name}, by {' and '.join(names)}={now}.",
        follows=(_say_when_it_begins(bot), *_say_what_it_does(bot, force=force)),
        patch={"metadata": {"annotations": values}},
        field=("f:metadata", "f:annotations", f"f:{RETRAIN_ANNOTATION}"),
        commit="metadata.annotations: {" + ", ".join(f'{name}: "{now}"' for name in names) + "}",
    )


def _say_when_it_begins(bot: TweetBot) -> str:
    run = bot.status.current_run
    number = run.number + 1 if run else 1
    if bot.spec.suspend:
        return f"It is suspended: run {number} begins after kubectl tweetbot resume {bot.name}."
    if run and run.outcome is None:
        ending = f"Run {run.number}, which is in its {run.stage} stage, is Superseded"
        return f"{ending}; run {number} begins when its Pods are gone."
    return f"Run {number} begins within seconds."


def _say_what_it_does(bot: TweetBot, *, force: bool) -> tuple[str, ...]:
    if force:
        first = "It reads the posts again, and trains even if nothing changed."
    else:
        first = "It reads the posts again. If they are the same, it adopts the published model and uses no GPU."
    spend = sum(source.kind.max_spend_usd for source in bot.spec.sources if isinstance(source.kind, XSource))
    bill = (f"X bills the posts that it reads: at most ${spend}.",) if spend else ()
    pin = (f"Version {bot.spec.pin} stays served, as spec.pin names it.",) if bot.spec.pin else ()
    return (first, *bill, *pin)


def plan_suspend(bot: TweetBot) -> Change:
    """Set spec.suspend."""
    if bot.spec.suspend:
        return Change(f"{bot.name} is suspended already.")
    run = bot.status.current_run
    active = run is not None and run.outcome is None
    follows = (
        f"The Job of run {run.number} ends after a checkpoint, and resume goes on from it."
        if run and active
        else "No run begins until it is resumed: not by an edit, an annotation or the schedule."
    )
    serving = ("The published model stays where it is.",) if bot.status.model else ()
    return Change(
        done=f"Suspended {bot.name}.",
        follows=(follows, *serving),
        patch={"spec": {"suspend": True}},
        field=_SUSPEND,
        commit="spec.suspend: true",
    )


def plan_resume(bot: TweetBot) -> Change:
    """Unset spec.suspend."""
    if not bot.spec.suspend:
        return Change(f"{bot.name} is not suspended.")
    run = bot.status.current_run
    if run and run.outcome is None:
        follows = f"Run {run.number} goes on in its {run.stage} stage, from its last checkpoint if it has one."
    else:
        follows = "Runs begin again: for what was edited or asked for meanwhile, one begins within seconds."
    return Change(
        done=f"Resumed {bot.name}.",
        follows=(follows,),
        patch={"spec": {"suspend": False}},
        field=_SUSPEND,
        commit="spec.suspend: false",
    )


def plan_pin(bot: TweetBot, version: str) -> Change:
    """Serve this version, whatever later runs publish. Raises NotAVersion."""
    if not re.fullmatch(MODEL_VERSION, version):
        raise NotAVersion(
            f"{version} is no version: write 16 hex digits, such as 9108a32a5b6d4c1f, as kubectl tweetbot versions "
            f"{bot.name} lists them"
        )
    if bot.spec.pin == version:
        return Change(f"{bot.name} is pinned to {version} already.")
    served = bot.status.model.version if bot.status.model else ""
    instead = f" instead of {served}" if served and served != version else ""
    return Change(
        done=f"Pinned {bot.name} to {version}.",
        follows=(
            f"A Job of some seconds checks that version and serves it{instead}; if it is missing or damaged, the "
            "TweetBot is Stalled and nothing changes.",
            "Runs go on and publish beside it.",
        ),
        patch={"spec": {"pin": version}},
        field=_PIN,
        commit=f'spec.pin: "{version}"',
    )


def plan_unpin(bot: TweetBot) -> Change:
    """Remove spec.pin."""
    if not bot.spec.pin:
        return Change(f"{bot.name} is not pinned.")
    newest = bot.status.pin.newest if bot.status.pin else None
    what = newest.version if newest else "the newest version that passed its gates"
    return Change(
        done=f"Removed the pin of {bot.name}, which was {bot.spec.pin}.",
        follows=(f"A Job of some seconds serves {what} again.",),
        patch={"spec": {"pin": None}},
        field=_PIN,
        commit="no spec.pin",
    )
