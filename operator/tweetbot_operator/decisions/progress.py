"""Decide when the latest report is written into the status: often enough to be watched, at most 20 times for a Pod.

A status that is written at every report makes every watcher of the cluster work (argo-cd#6108, kuberay#1061). So it is
written at a Pod's first report, after 10 points at once, and after 15 s if the training has moved by 6 points or its
first estimate is known. From 0 to 99 these are at most 18 writes, and the end writes 100. How many posts are read has
no end that is known: it is written after a minute, and each time when as long has passed again.
"""

from dataclasses import replace
from datetime import datetime

from tweetbot_contract.handover import Task
from tweetbot_contract.progress import ProgressReport, Waiting
from tweetbot_contract.reasons import (
    BLUESKY_BAD_PAYLOAD,
    BLUESKY_UNAVAILABLE,
    BY_NAME,
    FOREIGN_ENDPOINT,
    MODEL_HUB_UNAVAILABLE,
    NOT_AUTHORIZED,
    PREPARING,
    RATE_LIMITED,
    STORAGE_FULL,
    STORAGE_UNAVAILABLE,
    STORAGE_UNSUPPORTED,
    TRAINING,
    X_BAD_PAYLOAD,
    X_UNAVAILABLE,
)
from tweetbot_contract.status import CurrentRun, ProgressStatus
from tweetbot_operator.types.objects import Observed, PodView
from tweetbot_operator.types.stage_state import RunUpdate, StartProblem
from tweetbot_operator.types.times import add_seconds, format_time, make_printable, parse_time

#: Points of a percentage since the last write after which the next one is due at once.
_POINTS_AT_ONCE = 10
#: Points and seconds since the last write that together make the next one due.
_POINTS, _SECONDS = 6, 15.0
#: Seconds after its start at which a preparation's posts are first written; most end before. It takes eleven writes
#: in a day.
_POSTS_SECONDS = 60.0
#: Reasons for which a stage may wait while it runs; a Pod that reports another one is not believed.
_SERVICES = {
    reason.name
    for reason in (
        RATE_LIMITED,
        X_UNAVAILABLE,
        X_BAD_PAYLOAD,
        BLUESKY_UNAVAILABLE,
        BLUESKY_BAD_PAYLOAD,
        STORAGE_UNAVAILABLE,
        STORAGE_FULL,
        STORAGE_UNSUPPORTED,
        NOT_AUTHORIZED,
        FOREIGN_ENDPOINT,
        MODEL_HUB_UNAVAILABLE,
    )
}


def add_progress(update: RunUpdate, observed: Observed) -> RunUpdate:
    """Return the update with its run's progress: what was written before, or what is due to be written now."""
    if (report := _find_current_report(update.run, observed)) and report.tracking_degraded:
        update = replace(update, degraded=report.tracking_degraded)
    progress = _decide_progress(observed.bot.status.current_run, update.run, observed)
    return update if progress == update.run.progress else replace(update, run=_set_progress(update.run, progress))


def get_next_write_time(run: CurrentRun, observed: Observed) -> datetime | None:
    """Return when the live report is to be written; None while it says little that the status does not."""
    report = _find_current_report(run, observed)
    if report is None:
        return None
    if run.stage == "Prepare":
        return _get_next_posts_time(run, report, observed)
    if run.progress is None or run.progress.percent is None:
        return observed.now
    moved = abs((report.percent or 0) - run.progress.percent)
    if moved >= _POINTS_AT_ONCE:
        return observed.now
    first_estimate = run.progress.eta_seconds is None and report.eta_seconds is not None
    worthwhile = moved >= _POINTS or first_estimate
    return add_seconds(parse_time(run.progress.updated_at), _SECONDS) if worthwhile else None


def _get_next_posts_time(run: CurrentRun, report: ProgressReport, observed: Observed) -> datetime | None:
    """Return when the number of posts is written next."""
    pod = next(pod for pod in observed.pods if pod.uid == report.pod_uid)
    if report.posts is None or pod.started_at is None:
        return None
    written = parse_time(run.progress.updated_at) if run.progress else pod.started_at
    ran = (written - pod.started_at).total_seconds()
    return add_seconds(written, max(ran, _POSTS_SECONDS))


def _decide_progress(before: CurrentRun | None, run: CurrentRun, observed: Observed) -> ProgressStatus | None:
    if run.outcome == "Succeeded":
        return _complete_progress(run, observed)
    if run.outcome == "Failed":
        return run.progress
    kept = run.progress if _get_attempt_key(before) == _get_attempt_key(run) else None
    report = _find_current_report(run, observed)
    due = get_next_write_time(_set_progress(run, kept), observed)
    return _build_progress(report, observed.now) if report and due and due <= observed.now else kept


def _find_current_report(run: CurrentRun, observed: Observed) -> ProgressReport | None:
    """Return the report of the stage's present Pod; an earlier Pod's says nothing of this attempt."""
    report = observed.latest_report
    if report is None or run.outcome or (report.run_id, report.stage) != (run.id, run.stage):
        return None
    return report if _is_active(report, observed) else None


def _is_active(report: ProgressReport, observed: Observed) -> bool:
    """Whether the trainer that reported still runs; other containers may keep its Pod."""
    return any(pod.uid == report.pod_uid and not (pod.ended or pod.finished_at) for pod in observed.pods)


def find_wait(report: ProgressReport | None, run_id: str, stage: Task, observed: Observed) -> Waiting | None:
    """Return what a running Pod waits for, if it says so with a reason of services that are away."""
    if report is None or report.waiting is None or (report.run_id, report.stage) != (run_id, stage):
        return None
    return report.waiting if report.waiting.reason in _SERVICES and _is_active(report, observed) else None


def describe_activity(run: CurrentRun, pod: PodView | None, attempt: str = "") -> str:
    """Return what a stage does, how far it is and where, in sentences, as of the last write of its progress.

    So it causes no write of its own.
    """
    progress, where = run.progress, f" It runs in Pod {pod.name}." if pod and run.progress else ""
    if run.stage == "Prepare":
        read = "" if progress is None or progress.posts is None else f": {progress.posts:,} read"
        return f"{PREPARING.meaning.rstrip('.')}{attempt}{read}.{where}"
    if progress is None or progress.step is None or progress.total_steps is None:
        return f"{TRAINING.meaning.rstrip('.')}{attempt}.{where}"
    return f"Fine-tuning{attempt}, step {progress.step:,} of {progress.total_steps:,}.{where}"


def describe_wait(wait: Waiting, activity: str = "") -> str:
    """Return what is waited for, since when, and what to do about it, in sentences; `activity` is what goes on."""
    going_on = f"No checkpoint has been saved since {wait.since}. {activity}"
    since = going_on if wait.beside else f"Waiting since {wait.since}."
    return f"{make_printable(wait.message).rstrip('.')}. {since} {BY_NAME[wait.reason].advice}"


def find_task_problem(task: Task, observed: Observed) -> StartProblem | None:
    """Return what the Job of a task beside the stages waits for."""
    wait = find_wait(observed.task_report, "", task, observed)
    return StartProblem(wait.reason, describe_wait(wait), stalled=False) if wait else None


def _get_attempt_key(run: CurrentRun | None) -> tuple[object, ...]:
    return (run.id, run.number, run.stage, run.execution, run.retries, run.attempt) if run else ()


def _set_progress(run: CurrentRun, progress: ProgressStatus | None) -> CurrentRun:
    return run.model_copy(update={"progress": progress})


def _build_progress(report: ProgressReport, now: datetime) -> ProgressStatus:
    return ProgressStatus(
        percent=report.percent or 0 if report.stage == "Train" else None,
        posts=report.posts,
        step=report.step,
        total_steps=report.total_steps,
        eta_seconds=report.eta_seconds,
        eta=None if report.eta_seconds is None else format_duration(report.eta_seconds),
        train_loss=report.train_loss,
        eval_loss=report.eval_loss,
        updated_at=format_time(now),
    )


def _complete_progress(run: CurrentRun, observed: Observed) -> ProgressStatus | None:
    """A training that has ended well is done, with its last report's figures; an adopted model was not trained here.

    A step before the last says that the report was early, or that the training stopped early: no step agrees with 100.
    """
    if run.stage == "Prepare":
        return run.progress
    done: dict[str, object] = {"percent": 100, "eta_seconds": None, "eta": None}
    if run.progress and run.progress.percent == 100:
        return run.progress.model_copy(update=done)
    report = observed.latest_report
    if report and report.run_id == run.id and report.stage == run.stage == "Train":
        done["step"] = report.step if report.step == report.total_steps else None
        return _build_progress(report, observed.now).model_copy(update=done)
    return ProgressStatus(percent=100, updated_at=format_time(observed.now)) if run.progress else None


def format_duration(seconds: int) -> str:
    """Return a span of time in its two largest units, as kubectl prints ages."""
    if seconds < 120:
        return f"{seconds}s"
    minutes, left = divmod(seconds, 60)
    if minutes < 10:
        return f"{minutes}m{left}s" if left else f"{minutes}m"
    if minutes < 120:
        return f"{minutes}m"
    hours, left = divmod(minutes, 60)
    return f"{hours}h{left}m" if left and hours < 48 else f"{hours}h"
