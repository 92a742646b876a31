"""The run that a TweetBot asks for, what a stage's end makes of it, and what it has used.

While a Job is active, its Pods are summed in every pass. A Pod is counted in the status, each once, when it is about to
be gone or a write is due anyway, so counting costs an undisturbed run no write.
"""

from datetime import datetime
from typing import assert_never

from tweetbot_contract.handover import FORCE_TRIGGER, SCHEDULE_TRIGGER, TAKE_OVER_TRIGGER, build_job_name
from tweetbot_contract.identity import compute_run_id, has_execution, hash_execution, hash_identity
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.reasons import ADOPTED, NOTHING_NEW, SUCCEEDED
from tweetbot_contract.result import Figures, HubResult, PrepareSucceeded, TrainSucceeded
from tweetbot_contract.status import CurrentRun
from tweetbot_operator.jobs.job import FIRST_PAUSE, LONGEST_PAUSE
from tweetbot_operator.types.creations import CreatedJob
from tweetbot_operator.types.objects import JobView, Observed, PodView
from tweetbot_operator.types.stage_state import (
    Active,
    AttemptFailed,
    Failed,
    JobMissing,
    Outdated,
    PrepareComplete,
    ResultLost,
    ResultPending,
    RetryableFailure,
    RunUpdate,
    StageState,
    Suspended,
    Terminating,
    TrainComplete,
)
from tweetbot_operator.types.times import add_seconds, compute_backoff, format_time, parse_time

#: Seconds of the pause after attempts that a temporary fault ended; it doubles each time.
RETRY_SECONDS = 300
#: Seconds of the longest such pause.
RETRY_CAP_SECONDS = 3600
#: Seconds of all such pauses together after which the run fails: a service away for a day will not be back soon.
RETRY_TOTAL_SECONDS = 86400
#: Counted Pods remembered; fewer than that exist of one Job (10 attempts, 20 disruptions).
_REMEMBERED = 64
#: Nodes avoided at once; a fault of more is that of the image or the cluster.
_AVOIDED = 16
#: Jobs of a stage that are created in quick succession before pauses begin, and the seconds of these pauses: no policy,
#: janitor or edit may make Jobs without end.
FREE_CREATIONS = 5
FIRST_CREATION_PAUSE, LONGEST_CREATION_PAUSE = 600, 14400
#: Seconds after its record by which a Job has surely been created, or refused.
_CREATION_TIME = 60
Pods = tuple[PodView, ...]


def decide_run(bot: TweetBot, due: datetime | None, now: datetime) -> CurrentRun:
    """Return the recorded run, restarted after an edit, or a new one; `due` is a time of the schedule that has come."""
    trigger = _decide_trigger(bot, due)
    recorded, wanted = bot.status.current_run, compute_run_id(bot.spec, trigger)
    if recorded is None or recorded.id != wanted:
        return _create_run(bot, wanted, trigger, now)
    if recorded.run_class != bot.run_class:
        recorded = recorded.model_copy(update={"run_class": bot.run_class})
    if has_execution(bot.spec, recorded.execution, bot.class_pods) or recorded.outcome == "Succeeded":
        return recorded
    return _restart(recorded, hash_execution(bot.spec, bot.class_pods))


def _decide_trigger(bot: TweetBot, due: datetime | None) -> str:
    """Return what asks for the run beside the spec: a new annotation, a time of the schedule, else the last trigger.

    A trigger stays in force when its cause goes: removing the annotation or the schedule starts nothing, nor does an
    older annotation restored from a backup or Git. Once the training that it forced has ended well, it forces none of
    another spec. A schedule waits until the last run has ended and nothing is suspended.
    """
    recorded = bot.status.current_run
    past = (record.trigger.removeprefix(FORCE_TRIGGER) for record in bot.status.runs)
    if bot.retrain_at and bot.retrain_at not in {bot.status.last_handled_retrain_at, *past}:
        return bot.retrain_trigger
    if recorded and bot.take_over not in ("", bot.status.last_handled_take_over):
        return f"{TAKE_OVER_TRIGGER}{bot.take_over}"
    if due and recorded and recorded.outcome is not None and not bot.spec.suspend:
        return f"{SCHEDULE_TRIGGER}{format_time(due)}"
    trigger = recorded.trigger if recorded else ""
    fulfilled = recorded and recorded.outcome == "Succeeded" and recorded.identity != hash_identity(bot.spec)
    return trigger.removeprefix(FORCE_TRIGGER) if fulfilled else trigger


def _create_run(bot: TweetBot, wanted: str, trigger: str, now: datetime) -> CurrentRun:
    former = bot.status.current_run
    return CurrentRun(
        id=wanted,
        number=former.number + 1 if former else 1,
        trigger=trigger,
        identity=hash_identity(bot.spec),
        execution=hash_execution(bot.spec, bot.class_pods),
        run_class=bot.run_class,
        stage="Prepare",
        job_name=build_job_name(bot.name, wanted, "Prepare"),
        attempt=1,
        started_at=format_time(now),
    )


def _restart(run: CurrentRun, execution: str) -> CurrentRun:
    """Give a run whose execution was edited new attempts and time, under the same id and in the same stage."""
    reset = {"outcome": None, "reason": None, "message": None, "finished_at": None, "retry_at": None, "figures": None}
    unused = {"attempt": 1, "retries": 0, "ran_seconds": 0, "disruptions": 0, "avoided_nodes": ()}
    return run.model_copy(update={**reset, **unused, "execution": execution})


def get_served(update: RunUpdate) -> TrainSucceeded | None:
    """Return the result whose version is served now; None if what was served stays."""
    return update.pin.served if update.pin else update.trained


def get_hub(update: RunUpdate) -> HubResult | None:
    """Return what became of the served version's copy on the Hub; None without news of it."""
    return found.hub if (found := get_served(update) or update.prepared) else None


def advance_run(run: CurrentRun, state: StageState, observed: Observed) -> RunUpdate:
    """Return what the stage's state makes of the run. One that has ended stays so, whatever its Jobs look like."""
    if run.outcome is not None:
        return RunUpdate(run)
    now = observed.now
    match state:
        case PrepareComplete(result):
            return _finish_prepare(run, result, observed)
        case TrainComplete(result):
            return RunUpdate(_end_run(run, SUCCEEDED.name, now, figures=result.metrics.figures), trained=result)
        case Failed(reason, message, figures):
            return RunUpdate(_end_run(run, reason, now, message=message, figures=figures))
        case RetryableFailure() | AttemptFailed():
            return RunUpdate(_pause_run(run, state, now))
        case Active(attempt=attempt) | Suspended(attempt=attempt):
            fresh = {"attempt": attempt, "retry_at": None, "reason": None, "message": None}
            return RunUpdate(run.model_copy(update=fresh))
        case JobMissing() | Terminating() | Outdated() | ResultPending() | ResultLost():
            return RunUpdate(run)
        case _:
            assert_never(state)


def _finish_prepare(run: CurrentRun, result: PrepareSucceeded, observed: Observed) -> RunUpdate:
    """End the run where a model is adopted or nothing is new; else begin the train stage, with its own attempts."""
    fresh = {"retries": 0, "retry_at": None, "reason": None, "message": None}
    run = run.model_copy(update={"dataset": result.dataset.digest, **fresh})
    if result.adopted:
        ended = _end_run(run, ADOPTED.name, observed.now, figures=result.adopted.metrics.figures)
        return RunUpdate(ended, result, result.adopted)
    if result.new_posts is not None:
        return RunUpdate(_end_run(run, NOTHING_NEW.name, observed.now), result)
    unused = {"attempt": 1, "ran_seconds": 0, "disruptions": 0, "counted_pods": ()}
    unused |= {"job_creations": 0, "job_created_at": None}
    stage = {"stage": "Train", "job_name": build_job_name(observed.bot.name, run.id, "Train"), **unused}
    return RunUpdate(run.model_copy(update=stage), result)


def _pause_run(run: CurrentRun, fault: RetryableFailure | AttemptFailed, now: datetime) -> CurrentRun:
    """Pause before the next attempts, twice as long as the last time; a fault that outlasts every pause is final."""
    if isinstance(fault, AttemptFailed):
        return _schedule_attempt(run, fault, now)
    retries = run.retries + 1
    if (pause := compute_retry_delay(retries)) is None:
        return _end_run(run, fault.reason, now, message=fault.message)
    retry_at = format_time(add_seconds(now, pause))
    why = {"reason": fault.reason, "message": fault.message, "attempt": 1, "disruptions": 0}
    why["avoided_nodes"] = tuple(dict.fromkeys((*run.avoided_nodes, *fault.avoid)))[-_AVOIDED:]
    return run.model_copy(update={"retries": retries, "retry_at": retry_at, **why})


def _schedule_attempt(run: CurrentRun, failed: AttemptFailed, now: datetime) -> CurrentRun:
    """Pause before the next attempt, in another Job, as the Job controller would between two Pods of one."""
    retry_at = format_time(add_seconds(now, compute_backoff(failed.attempt, FIRST_PAUSE, LONGEST_PAUSE)))
    why = {"reason": failed.reason, "message": failed.message, "attempt": failed.attempt + 1, "disruptions": 0}
    return run.model_copy(update={"retry_at": retry_at, **why})


def compute_retry_delay(retries: int) -> float | None:
    """Return the seconds before the retry of this number (from 1), or None when retrying has gone on long enough."""
    pauses = [compute_backoff(each, RETRY_SECONDS, RETRY_CAP_SECONDS) for each in range(1, retries + 1)]
    return pauses[-1] if sum(pauses) <= RETRY_TOTAL_SECONDS else None


def find_creation_time(run: CurrentRun, observed: Observed) -> datetime | None:
    """Return when the stage's next Job may be created; None where nothing speaks against it now or was recorded."""
    last = _find_last_creation(run, observed)
    return add_seconds(last.at, compute_creation_pause(max(last.count, 1) + 1)) if last else None


def _find_last_creation(run: CurrentRun, observed: Observed) -> CreatedJob | None:
    """Return the last creation; None if there was none, or if another one is recorded and comes next.

    A process that has created none believes the record, unless it is so young that the one before may have died then.
    """
    known, recorded = observed.diagnostics.created.get(run.job_name or ""), (run.job_creations, run.job_created_at)
    if known:
        return known if (known.count, known.recorded_at) == recorded else None
    at = parse_time(run.job_created_at) if run.job_created_at else None
    return CreatedJob(at, *recorded) if at and observed.now >= add_seconds(at, _CREATION_TIME) else None


def compute_creation_pause(count: int) -> float:
    """Return the seconds before the creation of this number, from 1, in quick succession."""
    over = count - FREE_CREATIONS
    return compute_backoff(over, FIRST_CREATION_PAUSE, LONGEST_CREATION_PAUSE) if over > 0 else 0.0


def record_creation(run: CurrentRun, observed: Observed) -> CurrentRun:
    """Return the run with another creation of its Job recorded, unless it is its first or already is.

    After twice the pause the succession is over.
    """
    due, last = find_creation_time(run, observed), _find_last_creation(run, observed)
    if due is None or last is None or due > observed.now:
        return run
    count = max(last.count, 1) + 1
    over = observed.now >= add_seconds(last.at, 2 * max(compute_creation_pause(count), FIRST_CREATION_PAUSE))
    return run.model_copy(update={"job_creations": 1 if over else count, "job_created_at": format_time(observed.now)})


def _end_run(
    run: CurrentRun, reason: str, now: datetime, *, message: str | None = None, figures: Figures | None = None
) -> CurrentRun:
    outcome = "Succeeded" if message is None else "Failed"
    end = {"outcome": outcome, "reason": reason, "message": message, "retry_at": None, "finished_at": format_time(now)}
    return run.model_copy(update={**end, "figures": figures})


def compute_used_seconds(run: CurrentRun, pods: Pods, now: datetime) -> float:
    """Sum the seconds that the stage's containers have run: those in the status and those of these Pods."""
    return run.ran_seconds + sum(_compute_pod_seconds(pod, now) for pod in _filter_uncounted(run, pods))


def compute_uncounted_gpu_time(run: CurrentRun, pods: Pods, now: datetime) -> dict[str, float]:
    """Sum the seconds, by GPU resource, that these Pods held one and that are in no status yet."""
    held = [(pod.gpu, _compute_pod_seconds(pod, now)) for pod in _filter_uncounted(run, pods) if pod.gpu]
    return {gpu: sum(seconds for of, seconds in held if of == gpu) for gpu, _ in held}


def count_disruptions(run: CurrentRun, pods: Pods) -> int:
    """Count the Pods of the stage's Job that were evicted or preempted."""
    return run.disruptions + sum(pod.disrupted and pod.ended for pod in _filter_uncounted(run, pods))


def add_usage(run: CurrentRun, job: JobView | None, pods: Pods, state: StageState, now: datetime) -> CurrentRun:
    """Return the run with those Pods counted that later passes may not see; `pods` are those of `job`."""
    if job is None or job.execution != run.execution:
        return run  # what another execution used is not this one's
    due = tuple(pod for pod in _filter_uncounted(run, pods) if _is_due(pod, state))
    if not due:
        return run
    alive = {pod.uid for pod in pods}
    counted = [*(uid for uid in run.counted_pods if uid in alive), *(pod.uid for pod in due)]
    used = {
        "ran_seconds": run.ran_seconds + round(sum(_compute_pod_seconds(pod, now) for pod in due)),
        "pods": run.pods + sum(not (pod.disrupted or isinstance(state, Suspended)) for pod in due),
        "disruptions": run.disruptions + sum(pod.disrupted for pod in due),
        "counted_pods": tuple(counted[-_REMEMBERED:]),
    }
    return run.model_copy(update=used)


def _is_due(pod: PodView, state: StageState) -> bool:
    match state:
        case PrepareComplete() | TrainComplete() | AttemptFailed() | RetryableFailure() | Failed():
            return True
        case Terminating():
            return pod.ended
        case Active():
            return pod.ended and pod.deleting_at is not None
        case Suspended():
            return pod.deleting_at is not None  # it may be gone before it is seen to have ended
        case JobMissing() | Outdated() | ResultPending() | ResultLost():
            return False
        case _:
            assert_never(state)


def _filter_uncounted(run: CurrentRun, pods: Pods) -> Pods:
    return tuple(pod for pod in pods if pod.uid not in run.counted_pods)


def _compute_pod_seconds(pod: PodView, now: datetime) -> float:
    return max(((pod.finished_at or now) - pod.started_at).total_seconds(), 0.0) if pod.started_at else 0.0
