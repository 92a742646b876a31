"""Decide what a request to forget posts needs: once a version without them is served, a Job erases what holds them.

The request is the annotation forget-at, the posts are those of spec.filter.excludeIds (decision 87). It is recorded
when it is first seen, with its time, from which 24 hours run, and each try before its Job is created.
"""

from datetime import datetime

from tweetbot_contract.handover import PERMANENT_EXIT_CODES, build_forget_job_name
from tweetbot_contract.identity import hash_identity
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.reasons import FORGET_INCOMPLETE, FORGET_PENDING, FORGETTING, RESULT_LOST, SERVED_HOLDS_POSTS
from tweetbot_contract.reasons.reason import RETRAIN
from tweetbot_contract.result.erasure import ErasedCounts, ForgetSucceeded
from tweetbot_contract.status import CurrentRun, ModelStatus
from tweetbot_contract.status.tasks import FORGET_SECONDS, ForgetStatus
from tweetbot_operator.decisions.failures import explain_end, parse_message
from tweetbot_operator.decisions.run import RETRY_CAP_SECONDS, RETRY_SECONDS
from tweetbot_operator.decisions.tasks.task_job import TaskJob, decide_task_actions, find_problem, list_requeue_times
from tweetbot_operator.jobs.cleanup import build_forget_job
from tweetbot_operator.types.actions import Action
from tweetbot_operator.types.objects import Observed, PodView
from tweetbot_operator.types.stage_state import ForgetUpdate, PinUpdate, StartProblem, Summary
from tweetbot_operator.types.times import add_seconds, compute_backoff, format_time, get_earliest, parse_time

#: Seconds of the longest pause before a try that only a person can help.
_LONGEST_PAUSE = 14400
#: Things that could not be erased which a status names.
_NAMED = 16


def settle_forgetting(run: CurrentRun, summary: Summary, bot: TweetBot, observed: Observed) -> ForgetUpdate | None:
    """Return what has become of the request that the annotation makes; None where there is none."""
    request = _find_request(bot, observed.now)
    if request is None:
        return None
    overdue = observed.now >= get_deadline(request)
    if request.outcome == "Succeeded":
        return ForgetUpdate(request)
    if request.retry_at and parse_time(request.retry_at) > observed.now:
        return ForgetUpdate(request, overdue=overdue)
    if request.started_at is None or request.retry_at:
        wait = _find_wait(run, summary, bot, observed)
        started_at = None if wait else _get_start_time(bot.status.forget, observed.now)
        begun = request.model_copy(update={"started_at": started_at, "retry_at": None})
        return ForgetUpdate(begun, wait, overdue=overdue)
    return _observe_job(request, bot, observed, overdue=overdue)


def _find_request(bot: TweetBot, now: datetime) -> ForgetStatus | None:
    """Return the recorded request, or a new one where the annotation has another value.

    An open request leaves its time to the next one, which includes its posts. It ends without an erasure only if both
    the annotation and the list of posts are gone.
    """
    recorded = bot.status.forget
    if bot.forget_at and (recorded is None or recorded.request != bot.forget_at):
        is_open = recorded is not None and recorded.outcome != "Succeeded"
        requested_at = recorded.requested_at if recorded and is_open else format_time(now)
        return ForgetStatus(request=bot.forget_at, requested_at=requested_at)
    dropped = not bot.forget_at and not bot.spec.filter.exclude_ids
    return None if recorded and recorded.outcome != "Succeeded" and dropped else recorded


def get_deadline(request: ForgetStatus) -> datetime:
    """Return when the time is over in which the posts have to be forgotten."""
    return add_seconds(parse_time(request.requested_at), FORGET_SECONDS)


def _get_start_time(former: ForgetStatus | None, now: datetime) -> str:
    """Return the present time, or a second after the former try: equal times would give equal names."""
    if former is None or former.started_at is None:
        return format_time(now)
    return format_time(max(now, add_seconds(parse_time(former.started_at), 1)))


def _find_wait(run: CurrentRun, summary: Summary, bot: TweetBot, observed: Observed) -> StartProblem | None:
    """Return what has to come before the erasure; None once nothing has to."""
    model = bot.status.model
    if not bot.spec.filter.exclude_ids:
        return _wait("spec.filter.excludeIds lists no post. List those there that are to be forgotten.")
    if model and model.identity != hash_identity(bot.spec):
        return _wait(_explain_served(model, run, summary, bot))
    if model is None and run.outcome is None:
        return _wait(f"Run {run.number} has not ended. {summary.message}")
    former = [f"Job {job.name}" for job in observed.jobs if not job.finished and job.run_id != run.id]
    former += [f"Pod {pod.name}" for pod in observed.pods if not pod.ended and pod.run_id not in ("", run.id)]
    return _wait(f"{former[0]} of an earlier run has to end first.") if former else None


def _wait(message: str) -> StartProblem:
    return StartProblem(FORGET_PENDING.name, message, stalled=False)


def _explain_served(model: ModelStatus, run: CurrentRun, summary: Summary, bot: TweetBot) -> str:
    """Return why the served version may have learned from the posts, and what takes its place."""
    served = f"{model.name} is served and may have learned from the posts"
    if bot.spec.pin:
        return (
            f"{served}, as spec.pin names it. Remove spec.pin, or name a version in it that a run with these "
            "spec.filter.excludeIds has published."
        )
    if run.outcome == "Succeeded":
        return f"{served}. To have a run publish or adopt another one, {RETRAIN}."
    return f"{served}, until run {run.number} has published one without them. {summary.message}"


def _build_task(request: ForgetStatus, bot: TweetBot, observed: Observed) -> TaskJob:
    def build() -> dict[str, object]:
        return build_forget_job(bot, request, observed.settings)

    return TaskJob("Forget", build_forget_job_name(bot.name, bot.uid, request), FORGETTING, build, bot, observed)


def _observe_job(request: ForgetStatus, bot: TweetBot, observed: Observed, *, overdue: bool) -> ForgetUpdate:
    task, now = _build_task(request, bot, observed), observed.now
    pods, job = task.pods, task.job
    results = [result for pod in pods if isinstance(result := parse_message(pod.message), ForgetSucceeded)]
    if results:
        return ForgetUpdate(_finish(request, results[-1], now), overdue=overdue)
    if pods and pods[-1].exit_code in PERMANENT_EXIT_CODES:
        return ForgetUpdate(_fail(request, pods[-1], now, longest=_LONGEST_PAUSE), overdue=overdue)
    if job and job.finished and job.uid in observed.diagnostics.searched:
        return ForgetUpdate(_fail(request, pods[-1] if pods else None, now, longest=RETRY_CAP_SECONDS), overdue=overdue)
    return ForgetUpdate(request, find_problem(task), overdue=overdue)


def _finish(request: ForgetStatus, result: ForgetSucceeded, now: datetime) -> ForgetStatus:
    """Add what was erased; where something is left, pause before the next try."""
    erased = (request.erased or ErasedCounts()).add(result.erased)
    if not result.left_total:
        done = {"outcome": "Succeeded", "finished_at": format_time(now), "erased": erased}
        return ForgetStatus(**request.asked.model_dump(), **done)
    longest = RETRY_CAP_SECONDS if any(each.retry for each in result.left) else _LONGEST_PAUSE
    left = {"erased": erased, "left": result.left[:_NAMED], "left_total": result.left_total}
    why = {"outcome": "Incomplete", "reason": FORGET_INCOMPLETE.name, "message": None}
    return request.model_copy(update={**left, **why, **_pause(request, now, longest)})


def _fail(request: ForgetStatus, pod: PodView | None, now: datetime, *, longest: float) -> ForgetStatus:
    cause = explain_end(pod, "Forget") if pod else None
    reason, message = cause.reason if cause else RESULT_LOST.name, "The Job that erases left no result."
    if reason == SERVED_HOLDS_POSTS.name:
        longest = RETRY_CAP_SECONDS  # a run may soon publish another version
    why = {"outcome": "Failed", "reason": reason, "message": cause.message if cause else message}
    return request.model_copy(update={**why, **_pause(request, now, longest)})


def _pause(request: ForgetStatus, now: datetime, longest: float) -> dict[str, object]:
    """Return the fields of a pause, twice as long as the last one."""
    retries = request.retries + 1
    retry_at = add_seconds(now, compute_backoff(retries, RETRY_SECONDS, longest))
    return {"retries": retries, "retry_at": format_time(retry_at)}


def decide_forget_actions(pin: PinUpdate | None, bot: TweetBot, observed: Observed) -> tuple[Action, ...]:
    """Decide what to do for the recorded request. It gives way to a pin, as one Job beside the run is enough."""
    request = bot.status.forget
    if request is None or request.started_at is None or request.retry_at or request.outcome == "Succeeded":
        return ()
    if pin and pin.pending:
        return ()
    return decide_task_actions(_build_task(request, bot, observed))


def compute_forget_requeue_at(bot: TweetBot, observed: Observed) -> datetime | None:
    """Return when something is due for the recorded request although no event comes."""
    request, now = bot.status.forget, observed.now
    if request is None or request.outcome == "Succeeded":
        return None
    moments = [get_deadline(request)]
    if request.retry_at:
        moments.append(parse_time(request.retry_at))
    elif request.started_at:
        moments += list_requeue_times(_build_task(request, bot, observed))
    return get_earliest(*(moment for moment in moments if moment > now))
