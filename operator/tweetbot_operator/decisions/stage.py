"""Read from the Job of a run's stage, its Pods and their diagnostics what has become of the stage."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.reasons import (
    DEADLINE_EXCEEDED,
    OUT_OF_MEMORY,
    POD_REFUSED,
    PREEMPTED_TOO_OFTEN,
    TRAINER_BUG,
)
from tweetbot_contract.result import PrepareSucceeded, TrainSucceeded
from tweetbot_contract.spec.lifecycle import RunPolicy
from tweetbot_contract.status import CurrentRun
from tweetbot_operator.decisions.advice import explain_start_timeout, name_fields
from tweetbot_operator.decisions.causes import get_memory_advice
from tweetbot_operator.decisions.failures import diagnose_attempt, diagnose_excess, diagnose_failure, parse_message
from tweetbot_operator.decisions.pod_problems import (
    POD_START_GRACE_SECONDS,
    STALLED_SECONDS,
    diagnose_pod,
    find_creation_problem,
    find_former_problem,
    find_pod_problem,
)
from tweetbot_operator.decisions.run import compute_used_seconds, count_disruptions
from tweetbot_operator.jobs.job import FIRST_PAUSE, LONGEST_PAUSE, build_creation_key, build_job
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.objects import Diagnostics, JobView, Manifest, Observed, PodView
from tweetbot_operator.types.stage_state import (
    Active,
    Failed,
    JobMissing,
    Outdated,
    PrepareComplete,
    ResultLost,
    ResultPending,
    RetryableFailure,
    StageState,
    Suspended,
    Terminating,
    TrainComplete,
)
from tweetbot_operator.types.times import add_seconds, compute_backoff, get_earliest, parse_time, sanitize

#: Disruptions of one Job after which it pauses, and evictions for memory after which memory is the cause.
PREEMPTIONS, MEMORY_EVICTIONS = 20, 2


@dataclass(frozen=True)  # without slots, as cached_property needs a __dict__
class Stage:
    """A run's present stage, and what has become of its Job."""

    observed: Observed
    bot: TweetBot
    run: CurrentRun
    job: JobView | None = None
    """The stage's own Job."""
    pods: tuple[PodView, ...] = ()
    """That Job's, oldest first."""
    state: StageState = field(default_factory=JobMissing)

    @property
    def now(self) -> datetime:
        """The time of the observation."""
        return self.observed.now

    @property
    def settings(self) -> OperatorSettings:
        """The operator's settings."""
        return self.observed.settings

    @property
    def diagnostics(self) -> Diagnostics:
        """What was asked about the TweetBot's Jobs and Pods."""
        return self.observed.diagnostics

    @property
    def limits(self) -> RunPolicy:
        """How long and how often the run may try."""
        return self.bot.spec.run

    @cached_property
    def job_to_create(self) -> Manifest | str:
        """The stage's Job, or why there can be none."""
        try:
            return build_job(self.bot, self.run, self.settings)
        except ValueError as fault:
            return str(fault)


def observe_stage(bot: TweetBot, run: CurrentRun, observed: Observed) -> Stage:
    """Find the Job of the run's stage with its Pods, and read what has become of it."""
    job = next((job for job in observed.jobs if job.name == run.job_name), None)
    pods = tuple(pod for pod in observed.pods if job and pod.controller_uid == job.uid)
    stage = Stage(observed, bot, run, job, pods)
    if run.outcome or job is None:
        return stage
    state = _observe_job(job, stage)
    return replace(stage, state=name_fields(state, bot) if isinstance(state, Failed | RetryableFailure) else state)


def _observe_job(job: JobView, stage: Stage) -> StageState:
    stale = _is_outdated(job, stage.run)
    if job.deleting:
        complete = job.finished_condition == "Complete" and not stale
        return (_find_result(stage) if complete else None) or Terminating(lost=complete)
    if stale:
        return Outdated()
    if done := [pod for pod in stage.pods if pod.done]:
        return _parse_result(done[-1].message, stage.run) or _build_silent_success()
    if job.finished_condition == "Complete":
        return _observe_completion(job, stage)
    if job.finished_condition == "Failed":
        if job.reason == "DeadlineExceeded":
            return _observe_timeout(job, stage)
        return diagnose_failure(job, stage.pods, searched=job.uid in stage.diagnostics.searched)
    return _observe_active(job, stage)


def _is_outdated(job: JobView, run: CurrentRun) -> bool:
    """Whether the Job is not the one that the run wants now.

    Unless complete, it must have the run's execution and belong to its present retry; only an unfinished Job of another
    run with the same id is taken over. A complete Job counts whatever its execution, unless another run completed it
    before this one was recorded: its model may be erased by now. The stages then run again and reuse what S3 still has.
    A Job that has lost these annotations is taken for the present one, unless it was created before the retry was due.
    """
    if not (job.execution and job.creation_key):
        return run.retry_at is not None and job.created_at < parse_time(run.retry_at)
    number = f"{run.number}-"
    if job.finished_condition == "Complete":
        before = job.finished_at is not None and job.finished_at < parse_time(run.started_at)
        return before and not job.creation_key.startswith(number)
    ours = job.finished_condition == "Failed" or job.creation_key.startswith(number)
    return job.execution != run.execution or (ours and job.creation_key != build_creation_key(run))


def _observe_completion(job: JobView, stage: Stage) -> StageState:
    if state := _find_result(stage):
        return state
    if job.uid not in stage.diagnostics.searched:
        return ResultPending(job)
    return _build_silent_success() if any(pod.phase == "Succeeded" for pod in stage.pods) else ResultLost()


def _find_result(stage: Stage) -> PrepareComplete | TrainComplete | None:
    ended = [pod for pod in stage.pods if pod.phase == "Succeeded"]
    return _parse_result(ended[-1].message, stage.run) if ended else None


def _build_silent_success() -> Failed:
    return Failed(TRAINER_BUG.name, f"The stage succeeded but left no readable result. {TRAINER_BUG.advice}")


def _parse_result(message: str, run: CurrentRun) -> PrepareComplete | TrainComplete | None:
    """Return the result in a termination message, if it is one of this stage."""
    match parse_message(message):
        case PrepareSucceeded() as result if run.stage == "Prepare":
            return PrepareComplete(result)
        case TrainSucceeded() as result if run.stage == "Train":
            return TrainComplete(result)
        case _:
            return None


def _observe_active(job: JobView, stage: Stage) -> StageState:
    attempt = min(job.first_attempt + job.failed_pods, stage.limits.attempts)
    live = [pod for pod in stage.pods if not pod.ended]
    if live and live[-1].held_by and not (job.suspended or live[-1].deleting_at or live[-1].disrupted):
        return _observe_held_pod(live[-1], stage, attempt)
    if live and (excess := diagnose_excess(job, stage.pods, stage.limits.attempts)):
        return excess
    used, limit = compute_used_seconds(stage.run, stage.pods, stage.now), stage.limits.active_deadline_seconds
    done = any(pod.exit_code == 0 or pod.phase == "Succeeded" for pod in stage.pods)  # its Job is Complete in a moment
    if not done and (exhausted := _find_exhausted_limit(stage, used)):
        return exhausted
    if job.suspended:
        return _observe_suspended(job, stage, attempt)
    if not live:
        return _observe_missing_pod(job, stage, attempt)
    pod = live[-1]
    if pod.started_at is None and pod.exit_code is None:
        return _observe_waiting_pod(pod, stage, attempt)
    return _observe_running_pod(pod, stage, attempt, left=limit - used)


def _observe_held_pod(pod: PodView, stage: Stage, attempt: int) -> StageState:
    """Observe a Pod whose trainer has failed and which others keep: the Job controller does not see it fail."""
    if pod.uid in stage.run.counted_pods:
        return Outdated()
    return diagnose_attempt(stage.pods, attempt, stage.run.stage, last=attempt >= stage.limits.attempts)


def _observe_suspended(job: JobView, stage: Stage, attempt: int) -> Suspended:
    """Observe a suspended Job. No deadline holds: the queue's owner decides how long it waits."""
    check = stage.diagnostics.queues.get(job.uid)
    if not job.queue:
        return Suspended(job, attempt)
    ask_at = check.next_at if check else stage.now
    cause, unserved = (check.message, check.unserved) if check else ("", False)
    return Suspended(job, attempt, cause, unserved, ask=stage.now >= ask_at, requeue_at=ask_at)


def _find_exhausted_limit(stage: Stage, used: float) -> Failed | RetryableFailure | None:
    """Return how a Job ends that has used up its time, its memory evictions or its disruptions."""
    limit = stage.limits.active_deadline_seconds
    if used >= limit:
        message = f"The stage ran for {limit} s, its limit. {DEADLINE_EXCEEDED.advice}"
        return Failed(DEADLINE_EXCEEDED.name, message)
    evictions = [pod.eviction for pod in stage.pods if "resource: memory" in pod.eviction]  # the kubelet's words
    if len(evictions) >= MEMORY_EVICTIONS:
        words = f"Evicted for its memory {len(evictions)} times: {sanitize(evictions[-1], 600)}"
        return Failed(OUT_OF_MEMORY.name, f"{words}. {get_memory_advice(stage.run.stage)}")
    if count_disruptions(stage.run, stage.pods) >= PREEMPTIONS:
        return RetryableFailure(PREEMPTED_TOO_OFTEN.name, PREEMPTED_TOO_OFTEN.meaning.rstrip("."))
    return None


def _observe_timeout(job: JobView, stage: Stage) -> Failed | RetryableFailure:
    """Observe the Job's own deadline. It also counts waiting, so disruptions may use it up before the stage has run."""
    used = compute_used_seconds(stage.run, stage.pods, stage.now)
    if used < stage.limits.active_deadline_seconds and count_disruptions(stage.run, stage.pods):
        return RetryableFailure(PREEMPTED_TOO_OFTEN.name, "Disruptions used up the Job's time before the stage's")
    hint = f"It also counts waiting, and a policy may have lowered it. {DEADLINE_EXCEEDED.advice}"
    message = f"The Job exceeded its own deadline: {sanitize(job.message, 600)}. {hint}"
    return Failed(DEADLINE_EXCEEDED.name, message)


def _observe_missing_pod(job: JobView, stage: Stage, attempt: int) -> StageState:
    """Observe a Job between two Pods, or before its first, which the Job controller may be unable to create."""
    if job.spec_edited and job.started_at is None:
        return Active(attempt)  # the Job controller has not seen the admission yet
    since = _find_podless_since(job, stage)
    deadline = add_seconds(since, stage.limits.start_deadline_seconds)
    check = stage.diagnostics.mounts.get(job.uid)
    if stage.now >= deadline:
        cause = (check.message if check else "") or "no Pod was created for it"
        return explain_start_timeout(POD_REFUSED, cause, stage.bot.spec, stage.run.stage)
    now = stage.now
    ask_at = check.next_at if check else add_seconds(since, POD_START_GRACE_SECONDS)
    later = [moment for moment in (ask_at, add_seconds(since, STALLED_SECONDS), deadline) if moment > now]
    return Active(
        attempt,
        start_problem=(find_creation_problem(check, since, now, stage.bot.spec, stage.run.stage) if check else None)
        or (find_former_problem(stage.pods) if stage.pods else None),
        evicted=_has_been_evicted(stage.pods, stage.run),
        look_up=job if now >= ask_at else None,
        requeue_at=get_earliest(*later),
    )


def _find_podless_since(job: JobView, stage: Stage) -> datetime:
    """Return since when the Job has had no Pod; evicted Pods are gone, and with them the time at which they ended."""
    last = [pod.finished_at or pod.created_at for pod in stage.pods[-1:]]
    seen = stage.diagnostics.podless.get(job.uid, job.created_at)
    gone = job.failed_pods + count_disruptions(stage.run, stage.pods)
    pause = compute_backoff(gone, FIRST_PAUSE, LONGEST_PAUSE) if gone else 0
    return add_seconds(max(*last, seen, job.started_at or job.created_at), pause)


def _observe_waiting_pod(pod: PodView, stage: Stage, attempt: int) -> StageState:
    now = stage.now
    deadline = add_seconds(pod.created_at, stage.limits.start_deadline_seconds)
    if now >= deadline:
        return explain_start_timeout(*diagnose_pod(pod, stage.diagnostics), stage.bot.spec, stage.run.stage)
    since = pod.scheduled_at or pod.created_at
    patience, stalled = add_seconds(since, POD_START_GRACE_SECONDS), add_seconds(since, STALLED_SECONDS)
    check = stage.diagnostics.mounts.get(pod.uid)
    ask_at = (check.next_at if check else patience) if pod.scheduled_at else None
    later = [moment for moment in (patience, stalled, ask_at, deadline) if moment and moment > now]
    return Active(
        attempt,
        start_problem=find_pod_problem(pod, stage.diagnostics, now, stage.bot.spec)
        or find_former_problem(stage.pods[:-1]),
        evicted=_has_been_evicted(stage.pods[:-1], stage.run),
        look_up=pod if ask_at and now >= ask_at else None,
        requeue_at=get_earliest(*later),
    )


def _observe_running_pod(pod: PodView, stage: Stage, attempt: int, *, left: float) -> Active:
    """Observe a Pod whose trainer runs, perhaps without a container of others that cannot start."""
    ends = add_seconds(stage.now, left) if pod.finished_at is None else None
    problem = find_pod_problem(pod, stage.diagnostics, stage.now, stage.bot.spec) if pod.unready else None
    report_at = add_seconds(pod.scheduled_at or pod.created_at, POD_START_GRACE_SECONDS) if pod.unready else None
    return Active(
        attempt,
        start_problem=replace(problem, stalled=False) if problem else None,
        requeue_at=get_earliest(ends, report_at if report_at and report_at > stage.now else None),
    )


def _has_been_evicted(former: tuple[PodView, ...], run: CurrentRun) -> bool:
    """Whether the Pod before was evicted: it is soon deleted and then counted, while a failed one stays."""
    return former[-1].disrupted if former else run.disruptions > 0
