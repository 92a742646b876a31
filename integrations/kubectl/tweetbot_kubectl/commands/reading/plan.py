"""`kubectl tweetbot plan NAME` or `-f FILE`: what a run would take, from the spec and earlier runs alone."""

import argparse
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tweetbot_contract.identity import hash_identity
from tweetbot_contract.manifest import InvalidManifest, TweetBot, parse
from tweetbot_contract.platform_class.prices import Prices
from tweetbot_contract.spec.estimate import (
    POST_TOKENS,
    Span,
    TrainingEstimate,
    XBill,
    compute_x_bills,
    estimate_training,
)
from tweetbot_contract.spec.memory import estimate_pod, find_load, format_gibibytes, resolve_memory
from tweetbot_contract.spec.quantities import read_quantity
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_contract.status import RunRecord, TweetBotStatus
from tweetbot_contract.status.costs import RunActual, RunEstimate
from tweetbot_contract.status.forecast import (
    build_estimate,
    find_figures,
    find_measured,
    foresee_gates,
    price_training_hour,
)
from tweetbot_kubectl.cluster.requests import Document
from tweetbot_kubectl.commands.command import PROGRAM, Command, Session
from tweetbot_kubectl.commands.reading.platform import NO_PRICES, apply_class, read_prices
from tweetbot_kubectl.failures import CommandFailed, ExitCode, NotFound, UsageError
from tweetbot_kubectl.output.blocks import Block, Text, build_fields
from tweetbot_kubectl.output.costs import format_money

#: Bytes; a manifest has a page or two.
_MANIFEST_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Memory of the training's Pod: what it gets, and what it needs at least and has room in, as quantities."""

    given: str
    least: str
    enough: str


@dataclass(frozen=True, slots=True)
class BotPlan:
    """What a run would take. `training` and `estimate` are None where nothing says how many posts there are."""

    name: str
    kept_posts: int | None
    x_bills: tuple[XBill, ...]
    training: TrainingEstimate | None
    measured: bool
    """Whether the minutes follow from how long the same spec trained before."""
    estimate: RunEstimate | None
    hour_price: float | None
    """Price of an hour of its training; None without prices of the platform."""
    currency: str
    memory: MemoryPlan | None
    """None where the base is not known by its name."""
    adopts: str | None
    """Version that it would adopt if the posts were the same."""
    obstacles: tuple[str, ...]
    """What it would fail by."""
    notes: tuple[str, ...]
    earlier: tuple[RunActual, ...]
    """What runs that succeeded took, the newest first."""
    earlier_minutes: tuple[float, ...]
    """How long these took, waits included."""


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Print what a run would take."""
    if (arguments.name is None) == (arguments.filename is None):
        raise UsageError("Give the name of a TweetBot, or a manifest with -f.")
    if arguments.filename:
        bot, note = _read_manifest(Path(arguments.filename), session)
        status = _find_status(session, bot)
    else:
        bot = _get_bot(session, arguments.name)
        status, note = bot.status, ""
    prices = read_prices(session, session.chosen_namespace or bot.namespace)
    plan = build_plan(bot, status, prices, (note,) if note else ())
    session.output.show(plan, render_plan(plan))
    return ExitCode.DONE


def build_plan(bot: TweetBot, status: TweetBotStatus, prices: Prices, notes: tuple[str, ...] = ()) -> BotPlan:
    """Estimate a run of a TweetBot from what its earlier runs say."""
    kept, spec = status.data.kept if status.data else None, bot.spec
    paid = status.data.billed.get("x") if status.data and status.data.billed else None
    asked = sum(source.x.max_posts for source in spec.sources if source.x)
    posts = kept or asked
    measured = find_measured(spec, status, posts)
    training = estimate_training(spec, posts * POST_TOKENS, measured=measured) if posts else None
    estimate = build_estimate(spec, posts, training.minutes, x_posts=asked or None, prices=prices) if training else None
    same = status.model if status.model and status.model.identity == hash_identity(spec) else None
    done = [each for each in status.runs if each.outcome == "Succeeded"]
    memory, short = _plan_memory(spec)
    return BotPlan(
        name=bot.name,
        kept_posts=kept,
        x_bills=compute_x_bills(spec.sources, paid),
        training=training,
        measured=measured is not None,
        estimate=estimate,
        hour_price=price_training_hour(spec, prices) if prices.known else None,
        currency=prices.currency,
        memory=memory,
        adopts=same.version if same else None,
        obstacles=(*short, *foresee_gates(spec, kept, find_figures(spec, status))),
        notes=(*notes, *_note_prices(spec, prices)),
        earlier=tuple(each.actual for each in done if each.actual),
        earlier_minutes=tuple(map(_measure_minutes, done)),
    )


def _plan_memory(spec: TweetBotSpec) -> tuple[MemoryPlan | None, tuple[str, ...]]:
    """Return the memory of the training's Pod, and what speaks against it."""
    load, given = find_load(spec), resolve_memory(spec)
    if load is None:
        return None, ()
    need = estimate_pod(spec, load)
    plan = MemoryPlan(given, format_gibibytes(need.least), format_gibibytes(need.enough))
    short = (read_quantity(given) or 0) < need.least
    return plan, ((f"resources.memory is {given}, and the training needs at least {plan.least}",) if short else ())


def _note_prices(spec: TweetBotSpec, prices: Prices) -> tuple[str, ...]:
    if not prices.known:
        return (NO_PRICES,)
    if price_training_hour(spec, prices) is None:
        return (f"The platform's prices have none for {spec.resources.gpu.resource}, so no money is told.",)
    return ()


def render_plan(plan: BotPlan) -> tuple[Block, ...]:
    """Return what a plan shows."""
    training, memory = plan.training, plan.memory
    fields: list[tuple[str, Text | str | None]] = [
        ("name", Text(plan.name, "strong")),
        ("posts", f"{plan.kept_posts} kept by the last run" if plan.kept_posts is not None else "not read yet"),
        *(("X", _describe_bill(bill)) for bill in plan.x_bills),
        ("steps", _format_span(training.steps) if training else None),
        ("tokens", _format_span(training.tokens) if training else None),
        ("minutes", _describe_minutes(plan)),
        ("money", _describe_money(plan)),
        ("memory", f"{memory.given}; {memory.enough} is room enough, {memory.least} the least" if memory else None),
        ("adopts", f"{plan.adopts}, without training, if the posts are the same as before" if plan.adopts else None),
        ("earlier", _describe_earlier(plan)),
        *(("fails", Text(why, "bad")) for why in plan.obstacles),
    ]
    unread = "Nothing says how many posts there are: `tweetbot-trainer plan --manifest FILE` reads them."
    hints = (*plan.notes, *(() if training else (unread,)))
    return (build_fields(fields), *(Text(hint, "faint") for hint in hints))


def _describe_bill(bill: XBill) -> str:
    expected = f", ${bill.expected_usd:.2f} if as many as last time" if bill.expected_usd is not None else ""
    least = f"sources[{bill.source}]: at most ${bill.most_usd:.2f}{expected}"
    return f"{least}; the run stops at ${bill.refused_above_usd}. It cannot be read without paying."


def _describe_minutes(plan: BotPlan) -> str | None:
    if plan.training is None:
        return None
    if plan.training.minutes is None:
        return "unknown: the size of this base is not known, and no run of this spec has trained"
    by = "what the same training took before" if plan.measured else "the size of the base"
    return f"{_format_span(plan.training.minutes, digits=1)}, by {by}; waits are not counted"


def _describe_money(plan: BotPlan) -> str | None:
    estimate = plan.estimate
    if estimate and estimate.cost_least is not None and estimate.cost_most is not None:
        return f"{format_money(estimate.cost_least, estimate.cost_most)} {plan.currency}"
    return None if plan.hour_price is None else f"{plan.hour_price:.2f} {plan.currency} for an hour of its training"


def describe_price(manifest: Document, session: Session) -> str:
    """Return what a run of a new manifest, or an hour of it, costs; else why that is not told."""
    namespace = str((manifest.get("metadata") or {}).get("namespace") or "default")
    prices = read_prices(session, namespace)
    if not prices.known:
        return NO_PRICES
    try:
        bot = parse(apply_class(session, manifest, namespace)[0])
    except InvalidManifest:
        return "What it costs is not known, as its class is not."
    plan = build_plan(bot, TweetBotStatus(), prices)
    money = _describe_money(plan)
    return f"It costs {money}{', for a run' if plan.training else ''}." if money else " ".join(plan.notes)


def _describe_earlier(plan: BotPlan) -> str | None:
    shown = ", ".join(f"{minutes:.0f}" for minutes in plan.earlier_minutes[:5])
    costs = [f"{each.cost:.2f}" for each in plan.earlier[:5] if each.cost is not None]
    money = f"; {', '.join(costs)} {plan.currency}" if costs else ""
    return f"{shown} minutes, waits included; runs that adopted a model are short{money}" if shown else None


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


def _read_manifest(path: Path, session: Session) -> tuple[TweetBot, str]:
    """Return the TweetBot of a manifest with what its class would give, and a sentence about that class."""
    import yaml

    note = ""
    try:
        content = yaml.safe_load(path.read_bytes()[:_MANIFEST_LIMIT])
        content = content if isinstance(content, dict) else {}
        own = (content.get("metadata") or {}).get("namespace")
        content, note = apply_class(session, content, session.chosen_namespace or own or "default")
        return parse(content), note
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, ValueError, RecursionError, AttributeError) as error:
        raise UsageError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    except InvalidManifest as error:
        raise UsageError(f"{path}: {error}{f'. {note}' if note else ''}") from error


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="name of the TweetBot")
    parser.add_argument("-f", "--filename", metavar="FILE", help="manifest of a TweetBot, instead of a name")


PLAN = Command(
    "plan",
    "say what a run would take: X's bill, steps, tokens, minutes, memory and money",
    run,
    _add_arguments,
    "It reads no posts and writes nothing. `tweetbot-trainer plan` also reads the sources that cost nothing.",
)
