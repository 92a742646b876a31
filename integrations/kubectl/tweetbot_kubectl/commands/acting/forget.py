"""`kubectl tweetbot forget NAME --ids FILE`: exclude posts from now on, and have everything erased that holds them."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tweetbot_contract.spec.id_lists import parse_id_list
from tweetbot_kubectl.cluster.cluster import build_bot_path
from tweetbot_kubectl.cluster.requests import Conflict
from tweetbot_kubectl.commands.acting.steer import MANAGER
from tweetbot_kubectl.commands.acting.whole_bot import get_whole_bot
from tweetbot_kubectl.commands.command import Command, Session, add_name
from tweetbot_kubectl.decisions.field_owners import find_gitops_owner
from tweetbot_kubectl.decisions.forgetting import Forgetting, UnfitIds, plan_forgetting, warn_of_git
from tweetbot_kubectl.failures import CommandFailed, ExitCode, UsageError
from tweetbot_kubectl.output.blocks import Block, Text

#: Bytes of a list that are read.
_LIST_LIMIT = 64 * 1024**2
#: Changes of others that are taken in before the command gives up.
_TRIES = 5
#: Ids up to which text shows what to commit; the document always has it.
_SHOWN = 50
#: Seconds between two looks at a request that is waited for.
_POLL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What a TweetBot was asked to forget, or would be with --dry-run."""

    namespace: str
    name: str
    asked: bool
    added: int
    excluded: int
    request: str
    follows: tuple[str, ...]
    warning: str
    commit: str
    """What to commit, as YAML; empty where no GitOps tool manages the TweetBot."""


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of one stored TweetBot, and what to say of it."""

    path: str
    resource_version: str
    plan: Forgetting
    said: Asked


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Ask for posts to be forgotten, and wait for it if asked to; then the exit code is 1 if something holds them."""
    ids = _read_ids(arguments.ids)
    now = session.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def plan() -> _Change:
        return _plan(session, arguments.name, ids, now, dry_run=arguments.dry_run)

    change = plan()
    blocks = _render(change.said)
    if not (arguments.dry_run or arguments.yes):
        _confirm(change.said, session)
        blocks = blocks[:1]
    if not arguments.dry_run:
        _send(session, change, plan)
    session.output.show(change.said, blocks)
    waits = arguments.wait and not arguments.dry_run
    return _wait(arguments.name, now, session) if waits else ExitCode.DONE


def _read_ids(file: str) -> frozenset[str]:
    try:
        with sys.stdin.buffer if file == "-" else Path(file).open("rb") as stream:
            content = stream.read(_LIST_LIMIT + 1)
    except OSError as fault:
        raise UsageError(f"{file} cannot be read: {fault.strerror}") from None
    if len(content) > _LIST_LIMIT:
        raise UsageError(f"{file} has more than {_LIST_LIMIT} bytes")
    try:
        return parse_id_list(content, "the list" if file == "-" else file)
    except ValueError as wrong:
        raise UsageError(str(wrong)) from None


def _plan(session: Session, name: str, ids: frozenset[str], now: str, *, dry_run: bool) -> _Change:
    document, bot = get_whole_bot(session, name)
    try:
        plan = plan_forgetting(bot, ids, now)
    except UnfitIds as wrong:
        raise CommandFailed(str(wrong)) from None
    owner = find_gitops_owner(document, ("f:spec",))
    said = Asked(
        namespace=bot.namespace,
        name=bot.name,
        asked=not dry_run,
        added=plan.added,
        excluded=len(plan.excluded),
        request=plan.request,
        follows=plan.follows,
        warning=warn_of_git(owner) if owner else "",
        commit=plan.manifest if owner else "",
    )
    return _Change(build_bot_path(bot.namespace, bot.name), bot.resource_version, plan, said)


def _send(session: Session, change: _Change, plan: Callable[[], _Change]) -> None:
    """Send the patch for the version that was read, so that ids which others add meanwhile stay."""
    for _ in range(_TRIES):
        body = change.plan.build_patch(change.resource_version)
        try:
            session.cluster.requests.patch(change.path, body, manager=MANAGER)
        except Conflict:
            change = plan()
        else:
            return
    raise CommandFailed(f"TweetBot {change.said.name} changes faster than it can be changed: try again")


def _render(result: Asked) -> tuple[Block, ...]:
    verb = "Asked" if result.asked else "You would ask"
    known = f"{result.added} new, {result.excluded} in spec.filter.excludeIds"
    snippet = result.commit.splitlines() if result.excluded <= _SHOWN else ("(-o json has it in `commit`)",)
    return (
        Text(f"{verb} {result.name} to forget posts: {known}.", "good" if result.asked else ""),
        *(Text(sentence) for sentence in result.follows),
        *([Text(f"Warning: {result.warning}", "bad"), *map(Text, snippet)] if result.warning else []),
    )


def _confirm(result: Asked, session: Session) -> None:
    """Have a person agree. Raises UsageError where nobody can answer, CommandFailed for another answer than yes."""
    if not sys.stdin.isatty():
        raise UsageError("What is erased is gone for good. Where nobody can answer, agree with --yes.")
    for sentence in (*result.follows, *filter(None, (result.warning, result.commit))):
        session.output.note(sentence)
    print(f"Forget {result.added} more posts of {result.name}? [y/N] ", end="", file=session.output.notes, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CommandFailed("Nothing was changed.")


def _wait(name: str, request: str, session: Session) -> int:
    """Wait until all is erased; the exit code is 1 where that needs a person."""
    said = ""
    while True:
        status = session.cluster.get_bot(session.namespace, name).status
        known = status.forget if status.forget and status.forget.request == request else None
        stale, stalled = status.find_condition("DataStale"), status.find_condition("Stalled")
        message = stale.message if known and stale else "Waiting for the operator."
        if message != said:
            session.output.note(message)
            said = message
        if known and known.outcome == "Succeeded":
            return ExitCode.DONE
        if known and (known.outcome or (stalled and stalled.status == "True")):
            return ExitCode.NOT_WELL
        session.sleep(_POLL_SECONDS)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_name(parser)
    parser.add_argument(
        "--ids",
        required=True,
        metavar="FILE",
        help="one id, or one JSON object with an id, per line; or deleted-tweets.js of an X archive; - is stdin",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--dry-run", action="store_true", help="say what would happen, and change nothing")
    parser.add_argument("--wait", action="store_true", help="wait until everything is erased")


FORGET = Command(
    "forget",
    "exclude posts from now on, and erase everything that holds them",
    run,
    _add_arguments,
    "A run learns again without the posts; once its version is served, the rest is erased for good.",
)
