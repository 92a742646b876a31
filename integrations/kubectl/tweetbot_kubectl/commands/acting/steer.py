"""`kubectl tweetbot retrain`, `suspend`, `resume`, `pin` and `unpin`: one change each, and what follows from it."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.status import CurrentRun
from tweetbot_kubectl.cluster.cluster import build_bot_path
from tweetbot_kubectl.commands.acting.whole_bot import get_whole_bot
from tweetbot_kubectl.commands.command import Command, Session, add_name
from tweetbot_kubectl.decisions import changes
from tweetbot_kubectl.decisions.changes import Change
from tweetbot_kubectl.decisions.field_owners import find_gitops_owner, warn_of_owner
from tweetbot_kubectl.failures import ExitCode, UsageError
from tweetbot_kubectl.output.blocks import Block, Text

#: Whose fields they are, in metadata.managedFields.
MANAGER = "kubectl-tweetbot"
#: Seconds between two looks at a run that is waited for.
_POLL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Steered:
    """What a command did to a TweetBot."""

    namespace: str
    name: str
    changed: bool
    done: str
    follows: tuple[str, ...]
    warnings: tuple[str, ...]


def run_retrain(arguments: argparse.Namespace, session: Session) -> int:
    """Ask for another run, and wait for its end if asked to; then the exit code is 1 if it did not succeed."""
    now = session.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    _steer(arguments, session, lambda bot: changes.plan_retrain(bot, now, force=arguments.force))
    if not arguments.wait:
        return ExitCode.DONE
    run = _wait_for_run(arguments.name, now, session)
    session.output.note(f"Run {run.number} ended: {run.outcome}, {run.reason}. {run.message or ''}".strip())
    return ExitCode.DONE if run.outcome == "Succeeded" else ExitCode.NOT_WELL


def run_suspend(arguments: argparse.Namespace, session: Session) -> int:
    """Set spec.suspend."""
    return _steer(arguments, session, changes.plan_suspend)


def run_resume(arguments: argparse.Namespace, session: Session) -> int:
    """Unset spec.suspend."""
    return _steer(arguments, session, changes.plan_resume)


def run_pin(arguments: argparse.Namespace, session: Session) -> int:
    """Set spec.pin."""
    try:
        return _steer(arguments, session, lambda bot: changes.plan_pin(bot, arguments.version))
    except changes.NotAVersion as wrong:
        raise UsageError(str(wrong)) from None


def run_unpin(arguments: argparse.Namespace, session: Session) -> int:
    """Remove spec.pin."""
    return _steer(arguments, session, changes.plan_unpin)


def _steer(arguments: argparse.Namespace, session: Session, plan: Callable[[TweetBot], Change]) -> int:
    """Send a change, and say what follows."""
    document, bot = get_whole_bot(session, arguments.name)
    change = plan(bot)
    warnings: tuple[str, ...] = ()
    if change.patch is not None:
        session.cluster.requests.patch(build_bot_path(bot.namespace, bot.name), change.patch, manager=MANAGER)
        owner = find_gitops_owner(document, change.field)
        warnings = (warn_of_owner(owner, change),) if owner else ()
    result = Steered(bot.namespace, bot.name, change.patch is not None, change.done, change.follows, warnings)
    session.output.show(result, _render(result))
    return ExitCode.DONE


def _render(result: Steered) -> tuple[Block, ...]:
    return (
        Text(result.done, "good" if result.changed else ""),
        *(Text(sentence) for sentence in result.follows),
        *(Text(f"Warning: {sentence}", "bad") for sentence in result.warnings),
    )


def _wait_for_run(name: str, asked: str, session: Session) -> CurrentRun:
    """Wait until the run that was asked for has ended, or another one took its place; return the current run."""
    said = ""
    while True:
        bot = session.cluster.get_bot(session.namespace, name)
        run = bot.status.current_run
        if run and bot.status.last_handled_retrain_at == asked and run.outcome:
            return run
        columns = bot.status.columns
        state = f"{bot.status.phase}: {columns.message}" if columns else bot.status.phase
        if state != said:
            session.output.note(state)
            said = state
        session.sleep(_POLL_SECONDS)


def _add_retrain(parser: argparse.ArgumentParser) -> None:
    add_name(parser)
    parser.add_argument("--force", action="store_true", help="train even if the posts are the same")
    parser.add_argument("--wait", action="store_true", help="wait until the run has ended")


def _add_pin(parser: argparse.ArgumentParser) -> None:
    add_name(parser)
    parser.add_argument("version", metavar="VERSION", help="16 hex digits, as `kubectl tweetbot versions` lists them")


RETRAIN = Command(
    "retrain",
    "start another run, which reads the posts again",
    run_retrain,
    _add_retrain,
    "If the posts are the same, it adopts the published model and uses no GPU.",
)
SUSPEND = Command("suspend", "stop the run after a checkpoint, and begin no other", run_suspend, add_name)
RESUME = Command("resume", "go on from the last checkpoint", run_resume, add_name)
PIN = Command("pin", "serve an earlier version, whatever later runs publish", run_pin, _add_pin)
UNPIN = Command("unpin", "serve the newest version that passed its gates again", run_unpin, add_name)
