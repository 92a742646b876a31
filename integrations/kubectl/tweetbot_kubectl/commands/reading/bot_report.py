"""What is known of one TweetBot: its status, what that means, and what runs for it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from tweetbot_contract import reasons
from tweetbot_contract.manifest import BaseTweetBot
from tweetbot_contract.reasons import Reason
from tweetbot_contract.result import Metrics
from tweetbot_contract.status import Condition, CurrentRun, DataStatus, ModelStatus, TweetBotStatus
from tweetbot_contract.status.tasks import FORGET_SECONDS
from tweetbot_kubectl.cluster.objects import EventView, JobView, PodView
from tweetbot_kubectl.cluster.parse import parse_time
from tweetbot_kubectl.commands.command import Session
from tweetbot_kubectl.failures import Forbidden

#: Events that are shown.
NEWEST = 5
_REASONS = {value.name: value for value in vars(reasons).values() if isinstance(value, Reason)}
_ACTORS = {"Author": "you", "Platform": "the platform team", "Nobody": "nobody"}
T = TypeVar("T")
V = TypeVar("V", JobView, PodView)


@dataclass(frozen=True, slots=True)
class StaleData:
    """What holds posts that are to be forgotten, in the operator's words, and until when it may."""

    reason: str
    message: str
    until: datetime


@dataclass(frozen=True, slots=True)
class BotReport:
    """What is known of a TweetBot. `actor` must do what `advice` says: you, the platform team, or nobody.

    `unseen` has a sentence for each right that the caller lacks, whose part is then empty.
    """

    namespace: str
    name: str
    phase: str
    well: bool
    reason: str
    message: str
    advice: str
    actor: str
    since: datetime | None
    next_run_at: datetime | None
    run: CurrentRun | None
    model: ModelStatus | None
    pinned: str | None
    metrics: Metrics | None
    data: DataStatus | None
    stale: StaleData | None
    jobs: tuple[JobView, ...]
    pods: tuple[PodView, ...]
    events: tuple[EventView, ...]
    unseen: tuple[str, ...]


def gather_report(session: Session, name: str) -> BotReport:
    """Read a TweetBot and what runs for it. Rights that are missing leave out their part. Raises NotFound."""
    cluster, namespace = session.cluster, session.namespace
    bot, unseen = cluster.get_bot(namespace, name), list[str]()
    current = bot.status.current_run.id if bot.status.current_run else ""
    jobs = _keep_run(_try_to_read(lambda: cluster.list_jobs(namespace, name), unseen), current)
    pods = _keep_run(_try_to_read(lambda: cluster.list_pods(namespace, name), unseen), current)
    objects = [("TweetBot", name), *(("Job", job.name) for job in jobs), *(("Pod", pod.name) for pod in pods)]
    events = _try_to_read(lambda: _list_events(session, objects), unseen)
    return build_report(bot, jobs, pods, events[:NEWEST], tuple(unseen))


def build_report(
    bot: BaseTweetBot,
    jobs: tuple[JobView, ...] = (),
    pods: tuple[PodView, ...] = (),
    events: tuple[EventView, ...] = (),
    unseen: tuple[str, ...] = (),
) -> BotReport:
    """Return what a TweetBot's status says, and what it means."""
    status = bot.status
    telling = _find_telling_condition(status)
    reason = telling.reason if telling else reasons.WAITING_FOR_OPERATOR.name
    known = _REASONS.get(reason)
    since = (status.columns.since if status.columns else None) or (telling.last_transition_time if telling else None)
    return BotReport(
        namespace=bot.namespace,
        name=bot.name,
        phase="Deleting" if bot.deleting else status.phase,
        well=status.phase != "Failed" and not _holds(status, "Stalled"),
        reason=reason,
        message=telling.message if telling else reasons.WAITING_FOR_OPERATOR.meaning,
        advice=known.advice if known else "",
        actor=_ACTORS[known.actor] if known else "nobody",
        since=parse_time(since) if since else None,
        next_run_at=parse_time(status.next_schedule_time) if status.next_schedule_time else None,
        run=status.current_run,
        model=status.model,
        pinned=status.pin.version if status.pin and status.pin.version else None,
        metrics=status.metrics,
        data=status.data,
        stale=_find_stale_data(status),
        jobs=jobs,
        pods=pods,
        events=events,
        unseen=unseen,
    )


def _find_stale_data(status: TweetBotStatus) -> StaleData | None:
    said, request = status.find_condition("DataStale"), status.forget
    if said is None or said.status != "True" or request is None:
        return None
    until = parse_time(request.requested_at) + timedelta(seconds=FORGET_SECONDS)
    return StaleData(said.reason, said.message, until)


def _keep_run(objects: tuple[V, ...], run_id: str) -> tuple[V, ...]:
    """Return those of a run, and those of no run: Jobs that move latest.json or erase."""
    return tuple(each for each in objects if each.run_id in ("", run_id))


def _find_telling_condition(status: TweetBotStatus) -> Condition | None:
    """Return the condition that says most: what stalls it, otherwise what it does."""
    stalled = status.find_condition("Stalled")
    return stalled if stalled and stalled.status == "True" else status.find_condition("Progressing")


def _holds(status: TweetBotStatus, type_: str) -> bool:
    found = status.find_condition(type_)
    return found is not None and found.status == "True"


def _list_events(session: Session, objects: Iterable[tuple[str, str]]) -> tuple[EventView, ...]:
    found = (session.cluster.list_events(session.namespace, name, kind) for kind, name in objects)
    return tuple(sorted((event for events in found for event in events), key=lambda event: event.at, reverse=True))


def _try_to_read(read: Callable[[], tuple[T, ...]], unseen: list[str]) -> tuple[T, ...]:
    try:
        return read()
    except Forbidden as refusal:
        unseen.append(str(refusal))
        return ()
