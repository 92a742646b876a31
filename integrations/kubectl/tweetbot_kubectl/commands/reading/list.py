"""`kubectl tweetbot list`: the fleet, with its progress."""

import argparse
from dataclasses import dataclass
from datetime import datetime

from tweetbot_contract.manifest import BaseTweetBot
from tweetbot_kubectl.cluster.parse import parse_time
from tweetbot_kubectl.commands.command import Command, Session
from tweetbot_kubectl.failures import ExitCode
from tweetbot_kubectl.output.blocks import Block, Column, Table, Text, Tone
from tweetbot_kubectl.output.costs import describe_actual, describe_estimate
from tweetbot_kubectl.output.times import format_age

TONES: dict[str, Tone] = {
    "Succeeded": "good",
    "Failed": "bad",
    "Preparing": "busy",
    "Training": "busy",
    "Suspended": "faint",
}


@dataclass(frozen=True, slots=True)
class FleetMember:
    """A TweetBot in a list. `percent` is how much of its training is done, while a run goes on."""

    namespace: str
    name: str
    phase: str
    reason: str
    since: datetime | None
    percent: int | None
    eta: str | None
    kept: int | None
    model: str | None
    message: str
    stalled: bool
    expected: str | None
    """What its run was expected to take."""
    took: str | None
    """What it has taken in the stages that have ended."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """The TweetBots of a namespace, or of all."""

    items: tuple[FleetMember, ...]


def run(arguments: argparse.Namespace, session: Session) -> int:
    """List the TweetBots of a namespace, or of all."""
    namespace = None if arguments.all_namespaces else session.namespace
    fleet = Fleet(tuple(build_member(bot) for bot in session.cluster.list_bots(namespace)))
    if not fleet.items and session.output.form != "json":
        session.output.note(f"No TweetBots in {f'namespace {namespace}' if namespace else 'any namespace'}.")
        return ExitCode.DONE
    wide = session.output.form == "wide"
    session.output.show(fleet, render_fleet(fleet, session.now(), namespaces=namespace is None, wide=wide))
    return ExitCode.DONE


def build_member(bot: BaseTweetBot) -> FleetMember:
    """Return a TweetBot as a list shows it."""
    status, run_ = bot.status, bot.status.current_run
    progressing, stalled = status.find_condition("Progressing"), status.find_condition("Stalled")
    progress, columns = run_.progress if run_ and run_.outcome is None else None, status.columns
    return FleetMember(
        namespace=bot.namespace,
        name=bot.name,
        phase="Deleting" if bot.deleting else status.phase,
        reason=progressing.reason if progressing else "WaitingForOperator",
        since=parse_time(columns.since) if columns and columns.since else None,
        percent=progress.percent if progress else None,
        eta=progress.eta if progress else None,
        kept=status.data.kept if status.data else None,
        model=status.model.version if status.model else None,
        message=columns.message if columns else "",
        stalled=stalled is not None and stalled.status == "True",
        expected=describe_estimate(run_.estimate) if run_ and run_.estimate else None,
        took=describe_actual(run_.actual) if run_ and run_.actual else None,
    )


def render_fleet(fleet: Fleet, now: datetime, *, namespaces: bool, wide: bool) -> tuple[Block, ...]:
    """Return the table of a fleet."""
    columns = (
        *([Column("namespace")] if namespaces else []),
        Column("name", wraps=True),
        *map(Column, ("phase", "reason", "progress", "since")),
        Column("kept", numeric=True, optional=True),
        Column("model", optional=True),
        *([Column("expected", wraps=True), Column("took", wraps=True), Column("message", wraps=True)] if wide else []),
    )
    lines = (_render_member(member, now, namespaces=namespaces, wide=wide) for member in fleet.items)
    return (Table(columns, tuple(lines)),)


def _render_member(member: FleetMember, now: datetime, *, namespaces: bool, wide: bool) -> tuple[Text, ...]:
    tone: Tone = "bad" if member.stalled else TONES.get(member.phase, "")
    return (
        *([Text(member.namespace, "faint")] if namespaces else []),
        Text(member.name, "strong"),
        Text(member.phase, tone),
        Text(member.reason),
        _render_progress(member),
        Text(format_age(member.since, now)),
        Text("" if member.kept is None else str(member.kept)),
        Text(member.model or "", "faint"),
        *([Text(member.expected or "", "faint"), Text(member.took or ""), Text(member.message)] if wide else []),
    )


def _render_progress(member: FleetMember) -> Text:
    if member.percent is None:
        return Text("")
    eta = f", {member.eta} left" if member.eta else ""
    return Text(f"{member.percent}%{eta}", "busy", percent=member.percent)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="list those of all namespaces")


LIST = Command("list", "list TweetBots: phase, reason, progress, since when, posts kept, model", run, _add_arguments)
