"""The Job that acts on a request of spec.pin: what to do for it, what keeps it from running, when to look again."""

from datetime import datetime

from tweetbot_contract.handover import build_pin_job_name
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.reasons import PINNING
from tweetbot_contract.status import PinStatus
from tweetbot_operator.decisions.advice import explain_refused_job
from tweetbot_operator.decisions.pod_problems import (
    POD_START_GRACE_SECONDS,
    STALLED_SECONDS,
    find_creation_problem,
    find_pod_problem,
    find_start_step,
)
from tweetbot_operator.decisions.progress import find_task_problem
from tweetbot_operator.decisions.run import compute_creation_pause
from tweetbot_operator.jobs.cleanup import build_pin_job
from tweetbot_operator.types.actions import Action, CreateJob, DeleteJob, ListEvents, ListPods
from tweetbot_operator.types.creations import CreateFailure
from tweetbot_operator.types.objects import JobView, Observed, PodView
from tweetbot_operator.types.stage_state import StartProblem
from tweetbot_operator.types.times import add_seconds, get_earliest, parse_time


def decide_pin_actions(bot: TweetBot, observed: Observed) -> tuple[Action, ...]:
    """Decide what to do for the recorded pin: end the Jobs of other requests, create its own, or look into that."""
    pin = _get_open_request(bot)
    name = build_pin_job_name(bot.name, bot.uid, pin) if pin else ""
    others = tuple(job for job in observed.pins if job.name != name and not job.finished)
    ends = tuple(DeleteJob(job, "pin") for job in others if not (job.deleting or _is_finishing(job, observed)))
    if pin is None:
        return ends
    if job := find_pin_job(pin, bot, observed):
        return (*ends, *_look_into(job, observed))
    ending = others or any(pod.stage == "pin" and not pod.ended for pod in observed.pods)
    if ending or _get_creation_times(pin, bot, observed):
        return ends
    last = observed.diagnostics.created.get(name)
    return (*ends, CreateJob(build_pin_job(bot, pin, observed.settings), "", last.count + 1 if last else 1))


def compute_pin_requeue_at(bot: TweetBot, observed: Observed) -> datetime | None:
    """Return when something is due for the recorded pin although no event comes."""
    pin, now = bot.status.pin, observed.now
    if pin is None or pin.outcome == "Succeeded":
        return None
    moments = [parse_time(pin.retry_at)] if pin.retry_at else _get_creation_times(pin, bot, observed)
    job = find_pin_job(pin, bot, observed)
    if waiting := _find_waiting(job, observed) if job else None:
        start = _get_start(waiting)
        moments += [add_seconds(start, POD_START_GRACE_SECONDS), add_seconds(start, STALLED_SECONDS)]
        moments += [_get_ask_time(waiting, observed)]
    return get_earliest(*(moment for moment in moments if moment > now))


def find_pin_job(pin: PinStatus, bot: TweetBot, observed: Observed) -> JobView | None:
    """Return the request's own Job."""
    name = build_pin_job_name(bot.name, bot.uid, pin)
    return next((job for job in observed.pins if job.name == name), None)


def list_pin_pods(job: JobView, observed: Observed) -> list[PodView]:
    """Return the Job's Pods, oldest first."""
    return [pod for pod in observed.pods if pod.controller_uid == job.uid]


def find_pin_problem(pin: PinStatus, bot: TweetBot, observed: Observed) -> StartProblem | None:
    """Return what keeps the request's Job from being created, or from running."""
    job, diagnostics, now = find_pin_job(pin, bot, observed), observed.diagnostics, observed.now
    if job is None:
        failure = _find_create_failure(pin, bot, observed)
        return explain_refused_job(failure, bot.spec, "Pin") if failure else None
    if job.suspended:
        return StartProblem(PINNING.name, f"Job {job.name} is suspended until its queue admits it.", stalled=False)
    match _find_waiting(job, observed):
        case PodView() as pod:
            return find_pod_problem(pod, diagnostics, now, bot.spec) or find_start_step(pod, now)
        case JobView() if check := diagnostics.mounts.get(job.uid):
            return find_creation_problem(check, _get_start(job), now, bot.spec, "Pin")
        case _:
            return find_task_problem("Pin", observed)


def _is_finishing(job: JobView, observed: Observed) -> bool:
    """Whether its Pods have ended, so that it finishes by itself, and is kept for its log."""
    pods = list_pin_pods(job, observed)
    return bool(pods) and all(pod.ended for pod in pods)


def _get_open_request(bot: TweetBot) -> PinStatus | None:
    """Return the recorded request if a Job is to act on it now."""
    pin = bot.status.pin
    return pin if pin and pin.outcome != "Succeeded" and pin.retry_at is None else None


def _look_into(job: JobView, observed: Observed) -> tuple[Action, ...]:
    if job.finished:
        return () if job.uid in observed.diagnostics.searched else (ListPods(job),)
    waiting = _find_waiting(job, observed)
    ask = waiting is not None and not job.suspended and _get_ask_time(waiting, observed) <= observed.now
    return (ListEvents(waiting),) if waiting and ask else ()


def _find_waiting(job: JobView, observed: Observed) -> PodView | JobView | None:
    """Return the Job's Pod whose trainer has not started, or the Job itself if it has no Pod; None if neither waits."""
    pods = [pod for pod in list_pin_pods(job, observed) if not pod.ended]
    if job.finished or any(pod.started_at or pod.exit_code is not None for pod in pods):
        return None
    return pods[-1] if pods else job


def _get_start(waiting: PodView | JobView) -> datetime:
    """Return since when it waits."""
    if isinstance(waiting, PodView):
        return waiting.scheduled_at or waiting.created_at
    return waiting.started_at or waiting.created_at


def _get_ask_time(waiting: PodView | JobView, observed: Observed) -> datetime:
    check = observed.diagnostics.mounts.get(waiting.uid)
    return check.next_at if check else add_seconds(_get_start(waiting), POD_START_GRACE_SECONDS)


def _get_creation_times(pin: PinStatus, bot: TweetBot, observed: Observed) -> list[datetime]:
    """Return until when the Job's creation waits: it was refused, or created and lost again and again."""
    failure = _find_create_failure(pin, bot, observed)
    last = observed.diagnostics.created.get(build_pin_job_name(bot.name, bot.uid, pin))
    moments = [failure.retry_at] if failure else []
    moments += [add_seconds(last.at, compute_creation_pause(last.count + 1))] if last else []
    return [moment for moment in moments if moment > observed.now]


def _find_create_failure(pin: PinStatus, bot: TweetBot, observed: Observed) -> CreateFailure | None:
    return observed.diagnostics.get_create_failure(build_pin_job_name(bot.name, bot.uid, pin), "")
