"""Decide what spec.pin needs: a short Job beside the run, as only trainers may write to the bucket.

A request is recorded in the status before its Job is created, and its time is in the Job's document and name. So a Job
of an earlier request, a restart of the operator or two operators change nothing: the bucket keeps the latest request.
"""

from dataclasses import replace
from datetime import datetime
from typing import Literal

from tweetbot_contract.handover import PERMANENT_EXIT_CODES, build_pin_job_name
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.reasons import NO_MODEL, PINNED, PINNING, RESULT_LOST
from tweetbot_contract.result import PinSucceeded, TrainSucceeded
from tweetbot_contract.status import ModelStatus
from tweetbot_contract.status.tasks import NewestVersion, PinStatus
from tweetbot_operator.decisions.failures import explain_end, parse_message
from tweetbot_operator.decisions.run import RETRY_CAP_SECONDS, RETRY_SECONDS
from tweetbot_operator.decisions.tasks.task_job import (
    TaskJob,
    decide_task_actions,
    find_problem,
    list_requeue_times,
    list_task_pods,
)
from tweetbot_operator.jobs.cleanup import build_pin_job
from tweetbot_operator.types.actions import Action, DeleteJob
from tweetbot_operator.types.objects import JobView, Manifest, Observed, PodView
from tweetbot_operator.types.stage_state import PinUpdate, RunUpdate, StartProblem
from tweetbot_operator.types.times import add_seconds, compute_backoff, format_time, get_earliest, parse_time

#: Seconds of the longest pause before a request is tried again that only a person can help.
_LONGEST_PAUSE = 14400


def settle_pin(update: RunUpdate, bot: TweetBot, observed: Observed) -> RunUpdate:
    """Return the update with what has become of spec.pin, and with what is served now."""
    seen, result = _observe_pin(bot, observed)
    served = _find_served_result(seen.pin, result, update.trained)
    seen = replace(seen, served=served, model=_build_model(served, result, update, bot) if served else None)
    if update.trained:
        newest = _describe_run(update, update.trained)
        seen = replace(seen, pin=_note_publication(seen.pin, update.trained, newest, bot, observed.now))
    return replace(update, pin=seen)


#: How a request ended, or None.
Outcome = Literal["Succeeded", "Failed"] | None
#: What is known of spec.pin, and the result of its Job if that has just ended.
Seen = tuple[PinUpdate, PinSucceeded | None]


def _observe_pin(bot: TweetBot, observed: Observed) -> Seen:
    """Find what has become of the request that spec.pin makes, or make a new one."""
    recorded, wanted, now = bot.status.pin, bot.spec.pin or "", observed.now
    if recorded is None and not wanted:
        return PinUpdate(), None
    if recorded is None or recorded.version != wanted:
        return PinUpdate(_create_request(bot, observed)), None
    if recorded.outcome == "Succeeded":
        return PinUpdate(recorded), None
    if recorded.retry_at:
        due = parse_time(recorded.retry_at) <= now
        return PinUpdate(_renew(recorded, bot, now) if due else recorded), None
    return _observe_job(recorded, bot, observed)


def _create_request(bot: TweetBot, observed: Observed) -> PinStatus:
    """Create a request. One for what is served needs no Job, unless a trainer may be about to move latest.json."""
    former, model = bot.status.pin, bot.status.model
    settled = (former is None or former.outcome == "Succeeded") and not _is_any_active(observed)
    served = model is not None and model.version == bot.spec.pin
    return PinStatus(
        version=bot.spec.pin or "",
        requested_at=_get_request_time(former, observed.now),
        generation=bot.generation,
        outcome="Succeeded" if served and settled else None,
        newest=former.newest if former else _describe_newest(model),
    )


def _get_request_time(former: PinStatus | None, now: datetime) -> str:
    """Return the present time, or a second after the former request's: equal times would give equal names."""
    return format_time(max(now, add_seconds(parse_time(former.requested_at), 1)) if former else now)


def _is_any_active(observed: Observed) -> bool:
    jobs = any(not job.finished for job in (*observed.jobs, *observed.tasks))
    return jobs or any(not pod.ended for pod in observed.pods)


def _describe_newest(model: ModelStatus | None) -> NewestVersion | None:
    return NewestVersion(version=model.version, run_id=model.run_id, identity=model.identity) if model else None


def _renew(pin: PinStatus, bot: TweetBot, now: datetime) -> PinStatus:
    """Ask again under the present time: the bucket may have recorded another request since."""
    later = {"requested_at": _get_request_time(pin, now), "generation": bot.generation, "retry_at": None}
    return pin.model_copy(update=later)


def _build_task(pin: PinStatus, bot: TweetBot, observed: Observed) -> TaskJob:
    def build() -> Manifest:
        return build_pin_job(bot, pin, observed.settings)

    return TaskJob("Pin", build_pin_job_name(bot.name, bot.uid, pin), PINNING, build, bot, observed)


def _observe_job(pin: PinStatus, bot: TweetBot, observed: Observed) -> Seen:
    task, now = _build_task(pin, bot, observed), observed.now
    job, pods = task.job, task.pods
    results = [result for pod in pods if isinstance(result := parse_message(pod.message), PinSucceeded)]
    if results:
        return PinUpdate(_succeed(pin, results[-1])), results[-1]
    if pods and pods[-1].exit_code in PERMANENT_EXIT_CODES:
        return PinUpdate(_fail(pin, pods[-1], now, outcome="Failed")), None
    if job and job.finished and job.uid in observed.diagnostics.searched:
        return PinUpdate(_fail(pin, pods[-1] if pods else None, now, outcome=pin.outcome)), None
    return PinUpdate(pin, problem=find_problem(task)), None


def _succeed(pin: PinStatus, result: PinSucceeded) -> PinStatus | None:
    """Return the pin in force; None once the newest version is served again."""
    if not pin.version:
        return None
    newest = pin.newest if pin.newest and pin.newest.version == result.newest else None
    newest = newest or (NewestVersion(version=result.newest) if result.newest else None)
    done = {"outcome": "Succeeded", "reason": None, "message": None, "retries": 0, "newest": newest}
    return pin.model_copy(update=done)


def _fail(pin: PinStatus, pod: PodView | None, now: datetime, *, outcome: Outcome) -> PinStatus:
    """Pause before the next try, twice as long as the last time; `outcome` is Failed where only a person can help."""
    cause = explain_end(pod, "Pin") if pod else None
    longest, retries = _LONGEST_PAUSE if outcome else RETRY_CAP_SECONDS, pin.retries + 1
    return pin.model_copy(
        update={
            "outcome": outcome,
            "reason": cause.reason if cause else RESULT_LOST.name,
            "message": cause.message if cause else "The Job that moves latest.json left no result.",
            "retries": retries,
            "retry_at": format_time(add_seconds(now, compute_backoff(retries, RETRY_SECONDS, longest))),
        }
    )


def _find_served_result(
    pin: PinStatus | None, result: PinSucceeded | None, trained: TrainSucceeded | None
) -> TrainSucceeded | None:
    """Return the result whose version is served now, of the pin's Job or the run's; None if what was served stays."""
    held = pin is not None and pin.version != "" and pin.outcome == "Succeeded"
    if trained and not trained.pinned and not held:
        return trained
    return result.served if result else None


def _build_model(served: TrainSucceeded, result: PinSucceeded | None, update: RunUpdate, bot: TweetBot) -> ModelStatus:
    """Return the served model, with the run that made it as far as the status knows."""
    former, run, version = bot.status, update.run, served.model.version
    origin = NewestVersion(version=version, run_id=result.run_id if result else "")
    known = (former.pin.newest if former.pin else None, _describe_newest(former.model))
    origin = next((one for one in known if one and one.version == version), origin)
    if served is update.trained or (origin.run_id == run.id and not origin.identity):
        origin = _describe_run(update, served)
    return ModelStatus(**served.model.model_dump(), run_id=origin.run_id, identity=origin.identity)


def _describe_run(update: RunUpdate, trained: TrainSucceeded) -> NewestVersion:
    return NewestVersion(version=trained.model.version, run_id=update.run.id, identity=update.run.identity)


def _note_publication(
    pin: PinStatus | None, trained: TrainSucceeded, newest: NewestVersion, bot: TweetBot, now: datetime
) -> PinStatus | None:
    """Note the newest version. If latest.json did not stay where the pin wants it, ask for the pin again.

    So it is after a trainer that did not know of the pin, or of its end.
    """
    held = pin.version if pin else ""
    if (pin and pin.outcome != "Succeeded") or (trained.pinned or "") == held:
        return pin.model_copy(update={"newest": newest}) if pin else None
    at = _get_request_time(pin, now)
    return PinStatus(version=bot.spec.pin or "", requested_at=at, generation=bot.generation, newest=newest)


def describe_pin(update: PinUpdate) -> StartProblem | None:
    """Return what spec.pin waits for, or what a person must do; None where all is as it wants."""
    pin, problem = update.pin, update.problem
    if pin is None or pin.outcome == "Succeeded":
        return None
    if pin.reason and (pin.retry_at or pin.outcome == "Failed"):
        then = f" It is tried again at {pin.retry_at}." if pin.retry_at else " It is being tried again."
        return StartProblem(pin.reason, f"{(pin.message or '').rstrip('.')}.{then}", pin.outcome == "Failed")
    if problem:
        return problem
    wanted = f"{pin.version}, which spec.pin names" if pin.version else "the newest version, as spec.pin was removed"
    return StartProblem(PINNING.name, f"latest.json is being moved to {wanted}.", stalled=False)


def describe_pinned_model(update: PinUpdate, model: ModelStatus | None) -> tuple[str, str]:
    """Return the reason and the message of ModelReady while there is a pin, or its end is being acted on."""
    if said := describe_pin(update):
        return said.reason, f"{said.message} {model.name} is served until then." if model else said.message
    if model is None:
        return NO_MODEL.name, NO_MODEL.meaning
    newest = update.pin.newest if update.pin else None
    other = newest is not None and newest.version != model.version
    more = f". Without spec.pin {newest.version} would be served" if newest and other else ""
    return PINNED.name, f"{model.name} is pinned and served at {model.uri}{more}"


def decide_pin_actions(bot: TweetBot, observed: Observed) -> tuple[Action, ...]:
    """Decide what to do for the recorded pin: end the Jobs of other requests, create its own, or look into that."""
    pin = bot.status.pin
    task = _build_task(pin, bot, observed) if pin and pin.outcome != "Succeeded" and pin.retry_at is None else None
    name = task.name if task else ""
    others = tuple(job for job in observed.tasks if job.stage == "pin" and job.name != name and not job.finished)
    ends = tuple(DeleteJob(job, "pin") for job in others if not (job.deleting or _is_finishing(job, observed)))
    return (*ends, *decide_task_actions(task)) if task else ends


def _is_finishing(job: JobView, observed: Observed) -> bool:
    """Whether its Pods have ended, so that it finishes by itself, and is kept for its log."""
    pods = list_task_pods(job, observed)
    return bool(pods) and all(pod.ended for pod in pods)


def compute_pin_requeue_at(bot: TweetBot, observed: Observed) -> datetime | None:
    """Return when something is due for the recorded pin although no event comes."""
    pin, now = bot.status.pin, observed.now
    if pin is None or pin.outcome == "Succeeded":
        return None
    due = list_requeue_times(_build_task(pin, bot, observed))
    moments = [*due, parse_time(pin.retry_at)] if pin.retry_at else due
    return get_earliest(*(moment for moment in moments if moment > now))
