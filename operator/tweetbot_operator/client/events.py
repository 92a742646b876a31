"""Events: what deserves one, and a recorder of our own."""

import asyncio
import hashlib
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from tweetbot_contract import reasons
from tweetbot_contract.handover import GROUP, KIND, VERSION
from tweetbot_contract.result import Figures
from tweetbot_contract.status import CurrentRun, Trouble, TweetBotStatus
from tweetbot_operator.client.errors import ApiError, NamespaceTerminating, Rejected
from tweetbot_operator.client.interface import Cluster
from tweetbot_operator.telemetry.logs import with_fields
from tweetbot_operator.types.objects import CachedTweetBot, JobView, Manifest
from tweetbot_operator.types.times import extract_meaning, format_micro_time, format_time

LOG = logging.getLogger(__name__)
#: Longest note that the API server accepts, in bytes, although its message says characters.
_NOTE_BYTES = 1024
#: Events that wait to be posted at most; beyond that the oldest are dropped, as the newest describe the present.
_MAX_WAITING = 1000
#: Seconds of the pause before an Event, as its pass still has a Job to create, and between two Events while TweetBots
#: wait for a worker: otherwise a third of all requests at a launch would be Events.
_PAUSE = 0.1
#: Conditions that hold where something is less than was asked for.
_ADVISORIES = ("DataAdvisory", "GateAdvisory", "HubDegraded", "PrefixShared", "TrackingDegraded", "TrainingAdvisory")
#: Reasons for which nobody must act, and which yet cost the run time.
_WARNINGS = {
    *(reasons.EVICTED, reasons.RATE_LIMITED, reasons.RESULT_LOST, reasons.RETRY_BACKOFF, reasons.STOPPED),
    *(reasons.BLUESKY_UNAVAILABLE, reasons.MODEL_HUB_UNAVAILABLE, reasons.STORAGE_UNAVAILABLE, reasons.X_UNAVAILABLE),
    *(reasons.FORGET_INCOMPLETE, reasons.FORGET_OVERDUE, reasons.TIMELINE_INCOMPLETE),
}
#: Reasons that are about the TweetBot, not about its run.
_OF_THE_BOT = {
    *(reasons.ERASING, reasons.ERASURE_GIVEN_UP, reasons.FINALIZER_REFUSED, reasons.INVALID_SPEC),
    *(reasons.PINNED_VERSION_NOT_FOUND, reasons.PINNED_VERSION_UNUSABLE, reasons.STATUS_REFUSED),
}


@dataclass(frozen=True, slots=True)
class EventSpec:
    """What an Event says."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str
    about: str = ""
    """What tells it from another of the same words in the same run."""


def build_event(spec: EventSpec, metadata: Manifest, regarding: Manifest, action: str, now: datetime) -> Manifest:
    """Return the manifest of an Event of the core API reported by this operator.

    events.k8s.io refuses the old times, by which `kubectl get events --sort-by=.lastTimestamp` sorts.
    """
    seen = {"eventTime": format_micro_time(now), "firstTimestamp": format_time(now), "lastTimestamp": format_time(now)}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": metadata,
        **seen,
        "count": 1,
        "type": spec.type,
        "reason": spec.reason,
        "action": action,
        "message": spec.message,
        "involvedObject": regarding,
        "source": {"component": "tweetbot-operator"},
        "reportingComponent": f"{GROUP}/operator",
        "reportingInstance": "tweetbot-operator",
    }


def build_events(before: TweetBotStatus, after: TweetBotStatus) -> tuple[EventSpec, ...]:
    """Return the Events that a change of status deserves, in the order in which things happened."""
    return (
        *_build_supersession(before, after),
        *_build_attempt_end(before, after),
        *_build_state_change(before, after),
        *_build_notices(before, after),
    )


def _build_supersession(before: TweetBotStatus, after: TweetBotStatus) -> tuple[EventSpec, ...]:
    old, new = before.current_run, after.current_run
    if old and new and old.id != new.id and old.outcome is None:
        return (_build_spec(reasons.SUPERSEDED.name, f"Run {old.number} gives way to run {new.number}."),)
    return ()


def _build_attempt_end(before: TweetBotStatus, after: TweetBotStatus) -> tuple[EventSpec, ...]:
    """Report a Pod that ended without a result; the end of the run tells the last one's itself."""
    run, trouble = after.current_run, _find_new_trouble(before, after)
    if run is None or trouble is None or run.outcome is not None:
        return ()
    message = f"Run {run.number}: {_describe_attempt(trouble)} ended: {trouble.message}"
    return (EventSpec("Warning", trouble.reason, _truncate_note(message), about=trouble.pod or ""),)


def _find_new_trouble(before: TweetBotStatus, after: TweetBotStatus) -> Trouble | None:
    former, latest = (status.current_run and status.current_run.last_trouble for status in (before, after))
    return latest if latest and latest.pod and not (former and former.pod == latest.pod) else None


def _describe_attempt(trouble: Trouble) -> str:
    code = "" if trouble.exit_code is None else f", exit code {trouble.exit_code}"
    return f"attempt {trouble.attempt} of the {trouble.stage.lower()} stage (Pod {trouble.pod}{code})"


def _build_state_change(before: TweetBotStatus, after: TweetBotStatus) -> tuple[EventSpec, ...]:
    """Report another run or reason, and Stalled or its end."""
    now, stalled = after.find_condition("Progressing"), after.find_condition("Stalled")
    if now is None or (_get_state(before) == _get_state(after) and not _is_new_run(before, after)):
        return ()
    said = stalled or now
    return (_build_spec(said.reason, _describe_state(before, after, said.reason, said.message), bool(stalled)),)


def _get_state(status: TweetBotStatus) -> tuple[str | None, str | None]:
    now, stalled = status.find_condition("Progressing"), status.find_condition("Stalled")
    return now.reason if now else None, stalled.reason if stalled else None


def _describe_state(before: TweetBotStatus, after: TweetBotStatus, reason: str, message: str) -> str:
    run, records = after.current_run, after.runs
    if run is None or reasons.BY_NAME.get(reason) in _OF_THE_BOT or (run.outcome and reason != run.reason):
        return message
    if run.outcome is None:
        known = before.current_run and before.current_run.dataset
        posts = f" Its dataset has {after.data.kept:,} posts." if run.dataset and not known and after.data else ""
        return f"Run {run.number}: {message}{posts}"
    if run.outcome == "Failed":
        trouble = _find_new_trouble(before, after)
        return f"Run {run.number} failed{f' in {_describe_attempt(trouble)}' if trouble else ''}: {message}"
    if run.figures and records and records[0].model_uri:
        return _describe_model(run, run.figures, records[0].model_uri, after)
    return f"Run {run.number}: {message}"


def _describe_model(run: CurrentRun, figures: Figures, uri: str, after: TweetBotStatus) -> str:
    """Say what was published or adopted, with the figures by which people tell whether it is any good."""
    verb, model = "adopted" if run.reason == reasons.ADOPTED.name else "published", after.model
    served = model is not None and model.uri == uri
    name = model.name if model and served else f"version {uri.removesuffix('/model').rpartition('/')[2]} beside the pin"
    posts = f", {after.data.kept:,} posts" if after.data and after.data.digest == run.dataset else ""
    return f"Run {run.number} {verb} {name}: evalLoss {figures.eval_loss:.3g}{posts}."


def _build_notices(before: TweetBotStatus, after: TweetBotStatus) -> Iterator[EventSpec]:
    """Report what else is less than was asked for, another pinned version, and posts that are to be forgotten."""
    number = f"Run {after.current_run.number}: " if after.current_run else ""
    for kind in _ADVISORIES:
        former, advisory = (status.find_condition(kind) for status in (before, after))
        if advisory and advisory.status == "True" and (former is None or former.message != advisory.message):
            yield EventSpec("Warning", advisory.reason, _truncate_note(f"{number}{advisory.message}"))
    was_ready, ready = (status.find_condition("ModelReady") for status in (before, after))
    if ready and ready.reason == reasons.PINNED.name and (was_ready is None or was_ready.message != ready.message):
        yield _build_spec(ready.reason, ready.message)
    was_stale, stale = (status.find_condition("DataStale") for status in (before, after))
    if stale and after.forget and (was_stale is None or was_stale.reason != stale.reason):
        yield replace(_build_spec(stale.reason, stale.message), about=after.forget.request)


def _build_spec(reason: str, message: str, stalled: bool = False) -> EventSpec:
    """Return an Event whose type tells from the first one on whether something is wrong."""
    known = reasons.BY_NAME.get(reason)
    asks = known is not None and known.actor != "Nobody" and not known.steady
    wrong = stalled or asks or known in _WARNINGS
    return EventSpec("Warning" if wrong else "Normal", reason, _truncate_note(message))


def _truncate_note(message: str) -> str:
    return message.encode()[:_NOTE_BYTES].decode(errors="ignore")


def _is_new_run(before: TweetBotStatus, after: TweetBotStatus) -> bool:
    old, new = before.current_run, after.current_run
    return (old and (old.id, old.number)) != (new and (new.id, new.number))


def build_bot_event(spec: EventSpec, bot: CachedTweetBot, scope: str, now: datetime) -> Manifest:
    """Return the manifest of an Event about a TweetBot; `scope` is its run.

    The name is a hash of what it means in this run, so the API server refuses a repetition, as after a crash, or with
    other numbers.
    """
    return _build_named_event(spec, bot, f"{GROUP}/{VERSION}", KIND, scope, now)


def _build_named_event(
    spec: EventSpec, about: CachedTweetBot | JobView, api: str, kind: str, scope: str, now: datetime
) -> Manifest:
    meaning = sorted(extract_meaning(spec.message))
    content = "\0".join((about.uid, scope, spec.about, spec.type, spec.reason, *meaning))
    name = f"{about.name}.{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    identity = {"namespace": about.namespace, "name": about.name, "uid": about.uid}
    regarding = {"apiVersion": api, "kind": kind, **identity}
    return build_event(spec, {"name": name, "namespace": about.namespace}, regarding, "Reconcile", now)


class Recorder:
    """Collects Events and posts them in order from a task of its own; one that cannot be posted is dropped."""

    def __init__(
        self,
        cluster: Cluster,
        now: Callable[[], datetime],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._cluster, self._now, self._sleep = cluster, now, sleep
        self._waiting: deque[tuple[Manifest, dict[str, str]]] = deque(maxlen=_MAX_WAITING)
        self._wake = asyncio.Event()
        self._posting = asyncio.Lock()
        self._refused = False

    def note(self, bot: CachedTweetBot, before: TweetBotStatus, after: TweetBotStatus) -> None:
        """Record the Events that a change of status deserves."""
        run = after.current_run
        scope = f"{run.id}-{run.number}-{run.retries}" if run else ""
        for spec in build_events(before, after):
            self._record(bot, spec, scope, run.id if run else None)  # the run that the pass may just have recorded

    def warn(self, bot: CachedTweetBot, reason: str, message: str) -> None:
        """Record a warning that no status shows; the API server refuses a repetition while it has the Event."""
        self._record(bot, EventSpec("Warning", reason, _truncate_note(message)), "", None)

    def warn_job(self, job: JobView, reason: str, message: str) -> None:
        """Record a warning about a Job that no TweetBot can show."""
        LOG.warning(message, extra=with_fields(reason=reason, namespace=job.namespace, name=job.bot, run=job.run_id))
        spec = EventSpec("Warning", reason, _truncate_note(message))
        event = _build_named_event(spec, job, "batch/v1", "Job", "", self._now())
        self._waiting.append((event, with_fields(namespace=job.namespace, name=job.bot, run=job.run_id)["fields"]))
        self._wake.set()

    def _record(self, bot: CachedTweetBot, spec: EventSpec, scope: str, run: str | None) -> None:
        LOG.info(spec.message, extra=with_fields(reason=spec.reason, type=spec.type, run=run))
        event = build_bot_event(spec, bot, scope, self._now())
        self._waiting.append((event, with_fields(namespace=bot.namespace, name=bot.name, run=run)["fields"]))
        self._wake.set()

    async def run(self, busy: Callable[[], bool] = lambda: False) -> None:
        """Post until cancelled, with pauses while `busy` says that there is more urgent work."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._sleep(_PAUSE)
            while self._waiting:
                await self._post_next()
                if busy():
                    await self._sleep(_PAUSE)

    async def flush(self) -> None:
        """Post all that wait, and let one that is on its way arrive."""
        while self._waiting or self._posting.locked():
            await self._post_next()

    async def _post_next(self) -> None:
        async with self._posting:
            if self._waiting:
                await self._post(*self._waiting.popleft())

    async def _post(self, event: Manifest, log_fields: dict[str, str]) -> None:
        """A duplicate was posted before a crash; a refusal is a terminating namespace or a quota."""
        try:
            await self._cluster.create_event(event)
        except ApiError as fault:
            LOG.debug("event not written", extra=with_fields(**log_fields, event=json.dumps(event), fault=str(fault)))
            self._note_refusal(fault)
        else:
            self._refused = False

    def _note_refusal(self, fault: ApiError) -> None:
        """Warn only of the first refusal in a row: a missing right would fill the log."""
        if isinstance(fault, Rejected) and not isinstance(fault, NamespaceTerminating) and not self._refused:
            self._refused = True
            LOG.warning("Events are refused", extra=with_fields(fault=str(fault)))
