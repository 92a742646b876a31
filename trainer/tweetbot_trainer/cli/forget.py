"""`tweetbot-trainer forget`: find what holds deleted posts, and erase it if asked to."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tweetbot_contract import reasons
from tweetbot_contract.handover import ExitCode
from tweetbot_contract.result.erasure import ErasedCounts, LeftOver
from tweetbot_contract.spec.id_lists import parse_id_list
from tweetbot_trainer.cli.console import ConsoleLog
from tweetbot_trainer.publishing.forgetting.contents import BotContents, read_contents
from tweetbot_trainer.publishing.forgetting.elsewhere import connect_person
from tweetbot_trainer.publishing.forgetting.erasure import Erasure
from tweetbot_trainer.publishing.forgetting.plan import (
    CANNOT_TELL,
    DatasetHit,
    ErasurePlan,
    ModelHit,
    plan_erasure,
)
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.retry_budget import LONGEST_STORAGE_PAUSE, RetryBudget
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.store import ObjectStore

#: Largest list of ids that is accepted, in bytes.
LIST_LIMIT = 64 * 1024**2
#: Ids printed per dataset; --json prints all.
SHOWN = 5
#: Seconds to wait for the Hub and W&B: somebody is watching.
PATIENCE_SECONDS = 30.0
_ADVICE = """
To forget them, for each TweetBot above, in its cluster:

  kubectl tweetbot forget {name} --namespace {namespace} --ids {ids}

It excludes the posts, and erases all that is listed here once a model without them is served. With GitOps, list the
posts in spec.filter.excludeIds and set the annotation tweetbot.dev/forget-at. Without a cluster, list them there, run
the manifest, and give this command --erase. Delete the posts from the source, too, unless it is X."""


@dataclass(frozen=True, slots=True)
class ForgetOptions:
    """The list of ids, where to look for the posts, and whether to erase, to ask before that, and to print JSON."""

    ids: Path
    root: str
    erase: bool = False
    ask: bool = True
    as_json: bool = False


@dataclass(slots=True)
class _Outcome:
    """What an erasure of several TweetBots has come to; `refused` says of a folder why nothing was erased there."""

    erased: ErasedCounts = field(default_factory=ErasedCounts)
    left: list[LeftOver] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def code(self) -> ExitCode:
        if self.refused or any(not one.retry for one in self.left):
            return ExitCode.REFUSED
        return ExitCode.TEMPORARY if self.left else ExitCode.DONE


@dataclass(frozen=True, slots=True)
class _Owner:
    """The TweetBot that a folder belongs to; its uid is empty if no record says."""

    prefix: str
    uid: str = ""
    cluster: str = ""
    take_over: str = ""

    @property
    def namespace(self) -> str:
        return self.prefix.split("/")[-2]

    @property
    def name(self) -> str:
        return self.prefix.split("/")[-1]


def run_forget(store: ObjectStore, options: ForgetOptions, stop: StopRequest) -> int:
    """Print what holds the listed posts below an address, and erase it if asked to; return the exit code.

    That is 10 if something cannot tell what it holds or could not be erased, 75 if that may pass. Raises SpecRefused
    for a list that cannot be read, and as the store does.
    """
    wanted = _read_ids(options.ids)
    contents = read_contents(store, options.root, wanted)
    plans = [plan_erasure(each) for each in contents]
    if options.as_json and options.erase and options.ask:
        raise SpecRefused(reasons.SPEC_REFUSED, "--json asks nothing: give --yes, too")
    if not options.as_json:
        print("\n".join(_format_plans(plans, wanted)))
    outcome = None
    if options.erase and (not options.ask or _ask(plans)):
        outcome = _erase(store, contents, plans, stop, quiet=options.as_json)
    elif not options.as_json and not options.erase:
        print("\n".join(_format_advice(plans, options.ids)), end="")
    if options.as_json:
        print(json.dumps(_build_document(plans, wanted, outcome), ensure_ascii=False))
    if outcome:
        return int(outcome.code)
    return int(ExitCode.REFUSED if options.erase or any(plan.left for plan in plans) else ExitCode.DONE)


def _read_ids(ids: Path) -> frozenset[str]:
    try:
        with ids.open("rb") as file:
            content = file.read(LIST_LIMIT + 1)
        if len(content) > LIST_LIMIT:
            raise ValueError(f"{ids} has {len(content)} bytes; at most {LIST_LIMIT} are read")
        return parse_id_list(content, str(ids))
    except OSError as error:
        raise SpecRefused(reasons.SOURCE_UNREADABLE, f"{ids} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SpecRefused(reasons.SOURCE_UNREADABLE, str(error)) from error


def _ask(plans: Iterable[ErasurePlan]) -> bool:
    """Return whether the person at the terminal wants it. Where nothing can be erased, nobody is asked."""
    if all(plan.is_empty or plan.refusal for plan in plans):
        return True
    try:
        if input("Erase all of this for good? [y/N] ").strip().lower() in ("y", "yes"):
            return True
    except EOFError:
        print()
    print("Nothing was erased: answer y, or give --yes.")
    return False


def _erase(
    store: ObjectStore, contents: list[BotContents], plans: list[ErasurePlan], stop: StopRequest, *, quiet: bool
) -> _Outcome:
    outcome = _Outcome()
    budget = RetryBudget(PATIENCE_SECONDS, ConsoleLog(), stop.pause, longest_pause=LONGEST_STORAGE_PAUSE)
    report = (lambda what: None) if quiet else (lambda what: print(f"erased   {what}", flush=True))
    for bot, plan in zip(contents, plans, strict=True):
        known = bot.owner.owner if bot.owner else None
        user = _Owner(bot.folder, known.uid, known.cluster) if known else _Owner(bot.folder)
        elsewhere = connect_person(user, os.environ, budget)
        try:
            result = Erasure(store, plan, user if known else None, elsewhere, report, stop).erase()
        except SpecRefused as refusal:
            outcome.refused[plan.folder] = refusal.message
            continue
        outcome.erased = outcome.erased.add(result.erased)
        outcome.left.extend(result.left)
    if not quiet:
        print("\n".join(_format_outcome(outcome)))
    return outcome


def _build_document(plans: list[ErasurePlan], wanted: frozenset[str], outcome: _Outcome | None) -> dict[str, Any]:
    def collect(part: str) -> list[Any]:
        return [each for plan in plans for each in getattr(plan, part)]

    done = {"erased": outcome.erased.to_dict(), "refused": outcome.refused} if outcome else {}
    left = outcome.left if outcome else collect("left")
    return {
        "datasets": [asdict(dataset) | {"bot": _parse_bot(dataset.uri)} for dataset in collect("datasets")],
        "models": [asdict(model) | {"bot": _parse_bot(model.home)} for model in collect("models")],
        "checkpoints": collect("checkpoints"),
        "runs": collect("runs"),
        "trackedRuns": collect("tracked_runs"),
        "copies": [asdict(copy) for copy in collect("copies")],
        "pages": [asdict(page) for page in collect("pages")],
        "unknown": [one.what for one in left if one.reason == CANNOT_TELL],
        "left": [one.to_dict() for one in left if one.reason != CANNOT_TELL],
        "notFound": sorted(wanted - _find_ids(plans)),
        **done,
    }


def _find_ids(plans: Iterable[ErasurePlan]) -> set[str]:
    return {post for plan in plans for post in plan.found}


def _format_plans(plans: list[ErasurePlan], wanted: frozenset[str]) -> Iterator[str]:
    datasets, models = sum(len(plan.datasets) for plan in plans), sum(len(plan.models) for plan in plans)
    yield f"{len(_find_ids(plans))} of {len(wanted)} posts found, in {datasets} datasets and {models} models"
    for plan in plans:
        yield from _format_plan(plan)


def _format_plan(plan: ErasurePlan) -> Iterator[str]:
    for dataset in plan.datasets:
        yield from _format_dataset(dataset)
    yield from (_format_model(model) for model in plan.models)
    yield from (f"trained  {uri}: checkpoints of such a run" for uri in plan.checkpoints)
    yield from (f"run      {uri}: its record" for uri in plan.runs)
    yield from (f"tracked  {url}" for url in plan.tracked_runs)
    yield from (f"copy     {copy.url}: learned from {_format_ids(copy.posts)}" for copy in plan.copies)
    yield from (f"page     {page.uri}: {_format_ids(page.posts)}" for page in plan.pages)
    yield from map(_format_left, plan.left)
    if plan.refusal:
        yield f"not yet  {plan.refusal}"


def _format_dataset(dataset: DatasetHit) -> list[str]:
    copies = {post: others for post, others in dataset.posts.items() if others}
    return [
        f"dataset  {dataset.uri}: {_format_ids(tuple(dataset.posts))}",
        *(f"         {post} has the same text as {_format_ids(others)}, not listed" for post, others in copies.items()),
    ]


def _format_model(model: ModelHit) -> str:
    state = ", and is pinned" if model.pinned else ", and is served" if model.served else ""
    return f"model    {model.uri}: learned from {_format_ids(model.posts)}{state}"


def _format_left(left: LeftOver) -> str:
    word = "unknown" if left.reason == CANNOT_TELL else "left"
    return f"{word:<7}  {left.what}: {left.message}"


def _format_outcome(outcome: _Outcome) -> Iterator[str]:
    yield from map(_format_left, outcome.left)
    yield from (f"refused  {message}" for message in outcome.refused.values())
    counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in outcome.erased if count)
    yield f"erased: {counts or 'nothing'}"


def _format_advice(plans: Iterable[ErasurePlan], ids: Path) -> Iterator[str]:
    plan = next((plan for plan in plans if not plan.is_empty), None)
    if plan:
        namespace, name = plan.folder.split("/")[-2:]
        yield _ADVICE.format(namespace=namespace, name=name, ids=ids) + "\n"


def _parse_bot(uri: str) -> str:
    """Return `<namespace>/<name>` of the TweetBot that owns a dataset or version."""
    return "/".join(uri.split("/")[-4:-2])


def _format_ids(ids: tuple[str, ...]) -> str:
    more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
    return f"{', '.join(ids[:SHOWN])}{more}" or "posts of an earlier request"
