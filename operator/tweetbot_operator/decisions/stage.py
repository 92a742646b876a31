"""Job, its Pods and what was found out about them → the outcome of a run's stage."""

from dataclasses import dataclass
from datetime import datetime

from tweetbot_contract.reasons import (
    DEADLINE_EXCEEDED,
    OUT_OF_MEMORY,
    PREEMPTED_TOO_OFTEN,
    START_DEADLINE_EXCEEDED,
    TRAINER_BUG,
)
from tweetbot_contract.result import PrepareSucceeded, StageFailed, TrainSucceeded, decode
from tweetbot_contract.spec.lifecycle import Run
from tweetbot_contract.status import CurrentRun
from tweetbot_operator.decisions.failures import failure_of
from tweetbot_operator.decisions.pod_problems import blockage_of, cause_of, refusal_of
from tweetbot_operator.decisions.usage import disruptions_of, seconds_used
from tweetbot_operator.jobs.job import FIRST_PAUSE, LONGEST_PAUSE
from tweetbot_operator.jobs.run_facts import round_of
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.diagnostics import Findings
from tweetbot_operator.types.objects import JobView, PodView
from tweetbot_operator.types.stage_state import (
    Broken,
    Going,
    Held,
    Interrupted,
    Leaving,
    Lost,
    NoJob,
    Outcome,
    Prepared,
    Stale,
    Trained,
    Unread,
)
from tweetbot_operator.types.times import after, clause, earliest, moment_of

#: Disruptions of one Job after which the cluster gets a pause, and evictions for memory that are no bad luck any more.
PREEMPTIONS, MEMORY_EVICTIONS = 20, 2


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything an outcome is read from."""

    run: CurrentRun
    limits: Run
    job: JobView | None
    pods: tuple[PodView, ...]
    """The Job's own, oldest first."""
    findings: Findings
    now: datetime
    settings: OperatorSettings


def outcome_of(scene: Scene) -> Outcome:
    """Return what has become of the Job of the run's stage."""
    job = scene.job
    if job is None:
        return NoJob()
    stale = _is_stale(job, scene.run)
    if job.deleting:
        return Leaving(lost=job.verdict == "Complete" and not stale)
    if stale:
        return Stale()
    if job.verdict == "Complete":
        return _completed(job, scene)
    if job.verdict == "Failed":
        if job.reason == "DeadlineExceeded":
            return _out_of_time(job, scene)
        return failure_of(job, scene.pods, searched=job.uid in scene.findings.searched)
    return _going(job, scene)


def _is_stale(job: JobView, run: CurrentRun) -> bool:
    """A result counts however it was come by; only what is unfinished or failed is held against execution and round.

    What goes on from another run of the same id is taken over; from an earlier round of this one, it has had its time.
    What another run had finished before this one was recorded was true then: by now another model may be served, and
    that one erased. The stages are asked again, and find in S3 what still stands.
    """
    number = f"{run.number}-"
    if job.verdict == "Complete":
        before = job.finished_at is not None and job.finished_at < moment_of(run.started_at)
        return before and not job.round.startswith(number)
    ours = job.verdict == "Failed" or job.round.startswith(number)
    return job.execution != run.execution or (ours and job.round != round_of(run))


def _completed(job: JobView, scene: Scene) -> Outcome:
    ended = [pod for pod in scene.pods if pod.phase == "Succeeded"]
    if ended and (outcome := _result(ended[-1].message, scene.run)):
        return outcome
    if job.uid not in scene.findings.searched:
        return Unread(job)
    if not ended:
        return Lost()
    return Broken(TRAINER_BUG.name, "The stage ended well but left no result that can be read. " + TRAINER_BUG.advice)


def _result(message: str, run: CurrentRun) -> Prepared | Trained | None:
    """Return the result in a termination message, if it is one of this stage."""
    try:
        result = decode(message)
    except ValueError:
        return None
    match result:
        case PrepareSucceeded() if run.stage == "Prepare":
            return Prepared(result)
        case TrainSucceeded() if run.stage == "Train":
            return Trained(result)
        case PrepareSucceeded() | TrainSucceeded() | StageFailed():
            return None


def _going(job: JobView, scene: Scene) -> Outcome:
    used, limit = seconds_used(scene.run, scene.pods, scene.now), scene.limits.active_deadline_seconds
    finished = any(pod.phase == "Succeeded" for pod in scene.pods)  # its Job will be Complete in a moment
    if not finished and (exhausted := _exhausted(scene, used)):
        return exhausted
    attempt = min(job.failed_pods + 1, scene.limits.attempts)
    if job.suspended:
        return _held(job, scene, attempt)
    live = [pod for pod in scene.pods if not pod.ended]
    if not live:
        return _without_pod(job, scene, attempt)
    pod = live[-1]
    if pod.started_at is None:
        return _waiting(pod, scene, attempt)
    return Going(attempt, wake_at=after(scene.now, limit - used))


def _held(job: JobView, scene: Scene, attempt: int) -> Held:
    """Nothing bounds the wait: whoever owns the queue decides how long it is."""
    check = scene.findings.queues.get(job.uid)
    cause = check.message if check else ""
    if not (scene.settings.kueue_version and job.queue):
        return Held(job, attempt, cause)
    ask_at = check.next_at if check else scene.now
    return Held(job, attempt, cause, ask=scene.now >= ask_at, wake_at=ask_at)


def _exhausted(scene: Scene, used: float) -> Broken | Interrupted | None:
    """Return the end of a Job that would go on by itself."""
    limit = scene.limits.active_deadline_seconds
    if used >= limit:
        message = f"The stage ran for {limit} s, all it may use. {DEADLINE_EXCEEDED.advice}"
        return Broken(DEADLINE_EXCEEDED.name, message)
    evictions = [pod.eviction for pod in scene.pods if "resource: memory" in pod.eviction]  # the kubelet's words
    if len(evictions) >= MEMORY_EVICTIONS:
        message = f"Evicted for its memory {len(evictions)} times: {clause(evictions[-1], 600)}. {OUT_OF_MEMORY.advice}"
        return Broken(OUT_OF_MEMORY.name, message)
    if disruptions_of(scene.run, scene.pods) >= PREEMPTIONS:
        return Interrupted(PREEMPTED_TOO_OFTEN.name, PREEMPTED_TOO_OFTEN.meaning.rstrip("."))
    return None


def _out_of_time(job: JobView, scene: Scene) -> Broken | Interrupted:
    """The Job's own clock also counts waiting, so Pods that had to leave may use it up before the stage has run."""
    used = seconds_used(scene.run, scene.pods, scene.now)
    if used < scene.limits.active_deadline_seconds and disruptions_of(scene.run, scene.pods):
        return Interrupted(PREEMPTED_TOO_OFTEN.name, "Pods that had to leave used up the Job's time before the stage's")
    message = f"The Job ran into its own time limit: {clause(job.message, 600)}. {DEADLINE_EXCEEDED.advice}"
    return Broken(DEADLINE_EXCEEDED.name, message)


def _without_pod(job: JobView, scene: Scene, attempt: int) -> Outcome:
    """Between two Pods, or before the first, which the Job controller may be unable to create."""
    if job.resumed and job.started_at is None:
        return Going(attempt)  # the Job controller has not yet seen that it was admitted
    since = _podless_since(job, scene)
    deadline = after(since, scene.limits.start_deadline_seconds)
    check = scene.findings.mounts.get(job.uid)
    if scene.now >= deadline:
        return _never_started((check.message if check else "") or "no Pod was created for it", scene)
    settings, now = scene.settings, scene.now
    ask_at = check.next_at if check else after(since, settings.start_patience_seconds)
    later = [moment for moment in (ask_at, after(since, settings.stalled_seconds), deadline) if moment > now]
    return Going(
        attempt,
        blockage=refusal_of(check, since, now, settings),
        evicted=_evicted(scene.pods, scene.run),
        look_up=job if now >= ask_at else None,
        wake_at=earliest(*later),
    )


def _podless_since(job: JobView, scene: Scene) -> datetime:
    """Return since when a Pod is missing. One that had to leave is gone by now, and does not tell when it ended."""
    last = [pod.finished_at or pod.created_at for pod in scene.pods[-1:]]
    seen = scene.findings.podless.get(job.uid, job.created_at)
    gone = job.failed_pods + disruptions_of(scene.run, scene.pods)
    pause = min(FIRST_PAUSE * 2 ** (gone - 1), LONGEST_PAUSE) if gone else 0
    return after(max(*last, seen, job.started_at or job.created_at), pause)


def _waiting(pod: PodView, scene: Scene, attempt: int) -> Outcome:
    settings, now = scene.settings, scene.now
    deadline = after(pod.created_at, scene.limits.start_deadline_seconds)
    if now >= deadline:
        return _never_started(cause_of(pod, scene.findings)[1] or "the cluster does not say why", scene)
    since = pod.scheduled_at or pod.created_at
    patience, stalled = after(since, settings.start_patience_seconds), after(since, settings.stalled_seconds)
    check = scene.findings.mounts.get(pod.uid)
    ask_at = (check.next_at if check else patience) if pod.scheduled_at else None
    later = [moment for moment in (patience, stalled, ask_at, deadline) if moment and moment > now]
    return Going(
        attempt,
        blockage=blockage_of(pod, scene.findings, now, settings),
        evicted=_evicted(scene.pods[:-1], scene.run),
        look_up=pod if ask_at and now >= ask_at else None,
        wake_at=earliest(*later),
    )


def _evicted(former: tuple[PodView, ...], run: CurrentRun) -> bool:
    """Tell whether the Pod before had to leave. Such a Pod soon goes, and is counted as it does; a failed one stays."""
    return former[-1].disrupted if former else run.disruptions > 0


def _never_started(cause: str, scene: Scene) -> Broken:
    reason = START_DEADLINE_EXCEEDED
    waited = f"The Pod did not start within {scene.limits.start_deadline_seconds} s"
    return Broken(reason.name, f"{waited}: {clause(cause, 600)}. {reason.advice}")
