"""`kubectl tweetbot plan NAME` or `-f FILE`: what a run would take, from the spec and earlier runs alone."""

import argparse
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tweetbot_contract.identity import hash_identity
from tweetbot_contract.manifest import InvalidManifest, TweetBot, parse
from tweetbot_contract.spec.estimate import (
    POST_TOKENS,
    Span,
    TrainingEstimate,
    XBill,
    compute_x_bills,
    estimate_training,
    find_weights,
)
from tweetbot_contract.status import RunRecord, TweetBotStatus
from tweetbot_kubectl.commands.command import PROGRAM, Command, Session
from tweetbot_kubectl.failures import CommandFailed, ExitCode, NotFound, UsageError
from tweetbot_kubectl.output.blocks import Block, Text, build_fields

#: Bytes; a manifest has a page or two.
_MANIFEST_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class BotPlan:
    """What a run would take. `training` is None where no earlier run and no source says how many posts there are."""

    name: str
    kept_posts: int | None
    x_bills: tuple[XBill, ...]
    training: TrainingEstimate | None
    measured: bool
    """Whether the minutes follow from how fast the served model was trained, by the same spec."""
    earlier_minutes: tuple[float, ...]
    """How long runs that trained took, waits included, the newest first."""


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Print what a run would take."""
    if (arguments.name is None) == (arguments.filename is None):
        raise UsageError("Give the name of a TweetBot, or a manifest with -f.")
    bot = _read_manifest(Path(arguments.filename)) if arguments.filename else _get_bot(session, arguments.name)
    status = _find_status(session, bot) if arguments.filename else bot.status
    plan = build_plan(bot, status)
    session.output.show(plan, render_plan(plan))
    return ExitCode.DONE


def build_plan(bot: TweetBot, status: TweetBotStatus) -> BotPlan:
    """Estimate a run of a TweetBot from what its earlier runs say."""
    kept = status.data.kept if status.data else None
    paid = status.data.billed.get("x") if status.data and status.data.billed else None
    same = status.model is not None and status.model.identity == hash_identity(bot.spec)
    speed = status.metrics.tokens_per_second if status.metrics and same else None
    posts = kept or sum(source.x.max_posts for source in bot.spec.sources if source.x)
    training = estimate_training(bot.spec, posts * POST_TOKENS, weights=find_weights(bot.spec.model), speed=speed)
    return BotPlan(
        name=bot.name,
        kept_posts=kept,
        x_bills=compute_x_bills(bot.spec.sources, paid),
        training=training if posts else None,
        measured=speed is not None,
        earlier_minutes=tuple(_measure_minutes(each) for each in status.runs if each.outcome == "Succeeded"),
    )


def render_plan(plan: BotPlan) -> tuple[Block, ...]:
    """Return what a plan shows."""
    training = plan.training
    fields: list[tuple[str, Text | str | None]] = [
        ("name", Text(plan.name, "strong")),
        ("posts", f"{plan.kept_posts} kept by the last run" if plan.kept_posts is not None else "not read yet"),
        *(("X", _describe_bill(bill)) for bill in plan.x_bills),
        ("steps", _format_span(training.steps) if training else None),
        ("tokens", _format_span(training.tokens) if training else None),
        ("minutes", _describe_minutes(plan)),
        ("earlier", _describe_earlier(plan)),
    ]
    hint = (
        "" if training else "Nothing says how many posts there are: `tweetbot-trainer plan --manifest FILE` reads them."
    )
    return (build_fields(fields), *([Text(hint, "faint")] if hint else []))


def _describe_bill(bill: XBill) -> str:
    expected = f", ${bill.expected_usd:.2f} if as many as last time" if bill.expected_usd is not None else ""
    least = f"sources[{bill.source}]: at most ${bill.most_usd:.2f}{expected}"
    return f"{least}; the run stops at ${bill.refused_above_usd}. It cannot be read without paying."


def _describe_minutes(plan: BotPlan) -> str | None:
    if plan.training is None:
        return None
    if plan.training.minutes is None:
        return "unknown: the size of this base is not known, and no run of this spec has trained"
    by = "the speed of the served model's training" if plan.measured else "the size of the base"
    return f"{_format_span(plan.training.minutes, digits=1)}, by {by}; waits are not counted"


def _describe_earlier(plan: BotPlan) -> str | None:
    shown = ", ".join(f"{minutes:.0f}" for minutes in plan.earlier_minutes[:5])
    return f"{shown} minutes, waits included; runs that adopted a model are short" if shown else None


def _format_span(span: Span, digits: int = 0) -> str:
    least, most = f"{span.least:,.{digits}f}", f"{span.most:,.{digits}f}"
    return least if least == most else f"{least} to {most}"


def _measure_minutes(record: RunRecord) -> float:
    began, ended = (datetime.fromisoformat(at) for at in (record.started_at, record.finished_at))
    return round((ended - began).total_seconds() / 60, 1)


def _get_bot(session: Session, name: str) -> TweetBot:
    bot = session.cluster.get_bot(session.namespace, name)
    if not isinstance(bot, TweetBot):
        raise CommandFailed(f"The spec of {name} is not valid: `{PROGRAM} status {name}` says why.")
    return bot


def _find_status(session: Session, bot: TweetBot) -> TweetBotStatus:
    """Return the status of the TweetBot that a manifest would change; an empty one where none can be read."""
    try:
        return session.cluster.get_bot(session.chosen_namespace or bot.namespace or session.namespace, bot.name).status
    except CommandFailed:
        return TweetBotStatus()


def _read_manifest(path: Path) -> TweetBot:
    import yaml

    try:
        content = yaml.safe_load(path.read_bytes()[:_MANIFEST_LIMIT])
        return parse(content if isinstance(content, dict) else {})
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    except InvalidManifest as error:
        raise UsageError(f"{path}: {error}") from error


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="name of the TweetBot")
    parser.add_argument("-f", "--filename", metavar="FILE", help="manifest of a TweetBot, instead of a name")


PLAN = Command(
    "plan",
    "say what a run would take: X's bill, steps, tokens and minutes",
    run,
    _add_arguments,
    "It reads no posts and writes nothing. `tweetbot-trainer plan` also reads the sources that cost nothing.",
)
