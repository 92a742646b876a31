"""Run, its live report and the time → the run's progress as the status says it, written in steps.

A status that is written at every report makes every watcher of the cluster work (argo-cd#6108, kuberay#1061). So: at a
Pod's first report, and then where 5 points and 60 s have passed since the last write; at most 21 times a Pod.
"""

from dataclasses import replace
from datetime import datetime

from tweetbot_contract.status import CurrentRun, Progress
from tweetbot_operator.decisions.run import Turn
from tweetbot_operator.types.observed import World
from tweetbot_operator.types.progress import Report
from tweetbot_operator.types.times import after, moment_of, stamp

#: What must have passed since the last write: points of a percentage, and seconds.
POINTS, SECONDS = 5, 60.0


def with_progress(before: CurrentRun | None, turn: Turn, world: World) -> Turn:
    """Return the turn with its run's progress: what was written before, or what is due to be written now."""
    progress = _progress(before, turn.run, world)
    return turn if progress == turn.run.progress else replace(turn, run=_with(turn.run, progress))


def due_at(run: CurrentRun, world: World) -> datetime | None:
    """Return when the live report is to be written; None while it says little that the status does not."""
    report = _live(run, world)
    if report is None:
        return None
    if run.progress is None:
        return world.now
    moved = abs((report.percent or 0) - run.progress.percent) >= POINTS
    return after(moment_of(run.progress.updated_at), SECONDS) if moved else None


def _progress(before: CurrentRun | None, run: CurrentRun, world: World) -> Progress | None:
    if run.outcome == "Succeeded":
        return _finished(run, world)
    if run.outcome == "Failed":
        return run.progress
    kept = run.progress if _attempt(before) == _attempt(run) else None
    report = _live(run, world)
    due = due_at(_with(run, kept), world)
    return _written(report, world.now) if report and due and due <= world.now else kept


def _live(run: CurrentRun, world: World) -> Report | None:
    """Return what the run's present Pod has reported; an earlier Pod's news says nothing of this attempt."""
    live = world.live
    if live is None or (live.run, "Train", None) != (run.id, run.stage, run.outcome):
        return None
    alive = any(pod.uid == live.pod_uid and not pod.ended for pod in world.pods)
    return live.report if alive else None


def _attempt(run: CurrentRun | None) -> tuple[object, ...]:
    return (run.id, run.number, run.stage, run.execution, run.retries, run.attempt) if run else ()


def _with(run: CurrentRun, progress: Progress | None) -> CurrentRun:
    return run.model_copy(update={"progress": progress})


def _written(report: Report, now: datetime) -> Progress:
    return Progress(
        percent=report.percent or 0,
        step=report.step,
        total_steps=report.total_steps,
        eta_seconds=report.eta_seconds,
        eta=None if report.eta_seconds is None else span(report.eta_seconds),
        train_loss=report.train_loss,
        eval_loss=report.eval_loss,
        updated_at=stamp(now),
    )


def _finished(run: CurrentRun, world: World) -> Progress | None:
    """A training that has ended well is done, with its last report's figures; an adopted model was not trained here."""
    if run.progress and run.progress.percent == 100:
        return run.progress.model_copy(update={"eta_seconds": None, "eta": None})
    live = world.live if world.live and (world.live.run, run.stage) == (run.id, "Train") else None
    if live is None and run.progress is None:
        return None
    last = live.report if live else Report()
    return _written(replace(last, percent=100, eta_seconds=None), world.now)


def span(seconds: int) -> str:
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
