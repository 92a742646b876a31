"""Decide what to do for a run's present stage: what keeps it from starting, which Jobs go, when to look again."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from tweetbot_contract.handover import TASK_STAGES
from tweetbot_contract.reasons import (
    ATTEMPTS_EXHAUSTED,
    DEADLINE_EXCEEDED,
    JOB_KEPT,
    JOB_LOST_TOO_OFTEN,
    JOB_MUTATED,
    JOB_REFUSED,
    NODE_LOST,
    START_DEADLINE_EXCEEDED,
    TRAINER_BUG,
)
from tweetbot_contract.status import CurrentRun
from tweetbot_operator.decisions.advice import explain_refused_job
from tweetbot_operator.decisions.platform.budgets import find_budget_wait, record_begin
from tweetbot_operator.decisions.run import FREE_CREATIONS, find_creation_time, record_creation
from tweetbot_operator.decisions.stage import Stage
from tweetbot_operator.jobs.job import build_labels, find_pod_mutations, format_mutations, get_queue_name
from tweetbot_operator.types.actions import Action, CreateJob, DeleteJob, FollowJob, GetWorkload, ListEvents, ListPods
from tweetbot_operator.types.creations import CreateFailure
from tweetbot_operator.types.objects import JobView, Observed, QueuePosition
from tweetbot_operator.types.stage_state import (
    Active,
    Failed,
    JobMissing,
    Outdated,
    ResultLost,
    ResultPending,
    StartProblem,
    Suspended,
)
from tweetbot_operator.types.times import add_seconds, format_time, get_earliest, make_printable, parse_time, sanitize
from tweetbot_operator.types.usage import BudgetWait

#: Seconds beyond its grace period after which a Pod that does not end means a dead node.
NODE_LOST_SECONDS = 60
#: Seconds after its deletion by which a Job should be gone, of which its Pod may take two minutes.
JOB_KEPT_SECONDS = 180
#: Seconds between two reads of a Job that no watch shows in full, as somebody took off the label that it selects.
FOLLOW_SECONDS = 30
#: Ends of a stage that a mutation of its Job or Pod explains better.
_UNEXPLAINED = {reason.name for reason in (ATTEMPTS_EXHAUSTED, DEADLINE_EXCEEDED, START_DEADLINE_EXCEEDED, TRAINER_BUG)}


def is_superseded(job: JobView, stage: Stage) -> bool:
    """Another run has taken over. A Job of the present one is known by its name, whatever became of its labels."""
    return not job.finished and job.run_id != stage.run.id and job.name != stage.run.job_name


def is_suspended(job: JobView, stage: Stage) -> bool:
    """The user asked for a pause."""
    return not job.finished and stage.bot.spec.suspend


def is_overtaken(job: JobView, stage: Stage) -> bool:
    """The run has ended without it, by a deadline."""
    return not job.finished and stage.run.outcome is not None


def is_left_behind(job: JobView, stage: Stage) -> bool:
    """Its stage is over, and other containers keep its Pod."""
    run = stage.run
    return not job.finished and job.run_id == run.id and run.stage == "Train" and job.name != run.job_name


def is_outdated(job: JobView, stage: Stage) -> bool:
    """It has the name of the run's Job and is not that Job, or its result is lost."""
    wanted = stage.run.outcome is None and job.name == stage.run.job_name
    gone = isinstance(stage.state, ResultLost) or not _get_creation_wait(stage)  # else nothing would take its place
    return wanted and isinstance(stage.state, Outdated | ResultLost) and gone


def is_expired(job: JobView, stage: Stage) -> bool:
    """It finished long ago, and its result is in the status."""
    due = get_expiry_time(job, stage)
    return due is not None and stage.now >= due


def get_expiry_time(job: JobView, stage: Stage) -> datetime | None:
    """Return when a finished Job is deleted; None while its result may still be needed."""
    if job.finished_at is None or (stage.run.outcome is None and job.name == stage.run.job_name):
        return None
    complete, settings = job.finished_condition == "Complete", stage.settings
    return add_seconds(job.finished_at, settings.success_ttl_seconds if complete else settings.failure_ttl_seconds)


CHECKS: tuple[Callable[[JobView, Stage], bool], ...] = (
    is_superseded,
    is_suspended,
    is_overtaken,
    is_left_behind,
    is_outdated,
    is_expired,
)


def find_deletion_reason(job: JobView, stage: Stage) -> str | None:
    """Return the name of the first check by which a Job must go; None if it stays or is being deleted."""
    if job.deleting:
        return None
    return next((check.__name__.removeprefix("is_") for check in CHECKS if check(job, stage)), None)


def is_previous_run_ending(stage: Stage) -> bool:
    """Whether a Job or Pod of another run or stage is still active: one TweetBot never holds two GPUs."""
    own = stage.job.uid if stage.job else ""
    jobs = any(not job.finished for job in stage.observed.jobs if job.uid != own)
    pods = (pod for pod in stage.observed.pods if pod.controller_uid != own and pod.stage not in TASK_STAGES)
    return jobs or any(not pod.ended for pod in pods)


def get_follow_times(observed: Observed) -> dict[str, datetime]:
    """Return which Jobs no watch shows in full, by name, and when each is to be read again."""
    jobs = (*observed.jobs, *observed.tasks, *observed.cleanups)
    known = {job.uid for job in jobs}
    names = {job.name for job in jobs if not job.watched and (job.deleting or not job.finished)}
    names |= {
        pod.job
        for pod in observed.pods
        if pod.job and not pod.ended and not (pod.watched and pod.controller_uid in known)
    }
    run = observed.bot.status.current_run
    if observed.bot.deleting and run and run.outcome is None and run.job_name:
        names |= {run.job_name} - {job.name for job in jobs}  # it would write what is to be erased
    followed = observed.diagnostics.followed
    return {
        name: add_seconds(followed[name].at, FOLLOW_SECONDS) if name in followed else observed.now
        for name in sorted(names)
    }


def find_jobs_to_follow(observed: Observed) -> tuple[FollowJob, ...]:
    """Return what must be read before anything is decided."""
    return tuple(FollowJob(name) for name, due in get_follow_times(observed).items() if due <= observed.now)


def find_start_problem(stage: Stage) -> StartProblem | None:
    """Return what keeps the run from starting or ending a Pod, if anything does."""
    if stage.run.outcome is not None or stage.bot.spec.suspend:
        return None
    if kept := _find_lost_node(stage) or _find_kept_job(stage):
        return kept
    match stage.state:
        case Active(start_problem=found):
            return found or _find_mutation(stage)
        case JobMissing() if not is_previous_run_ending(stage):
            return _find_creation_problem(stage) or _find_creation_pause(stage)
        case Outdated():
            return _find_creation_pause(stage)
        case _:
            return None


def _find_lost_node(stage: Stage) -> StartProblem | None:
    for pod in stage.observed.pods:
        if not pod.ended and pod.deleting_at and stage.now >= add_seconds(pod.deleting_at, NODE_LOST_SECONDS):
            message = f"Pod {pod.name} should have ended by {pod.deleting_at:%H:%M:%S} UTC. {NODE_LOST.advice}"
            return StartProblem(NODE_LOST.name, message, stalled=True)
    return None


def _find_kept_job(stage: Stage) -> StartProblem | None:
    """Report a Job that holds up the run: it was deleted, its Pods have ended, and it does not go."""
    if stage.run.retry_at and parse_time(stage.run.retry_at) > stage.now:
        return None
    alive = {pod.controller_uid for pod in stage.observed.pods if not pod.ended}
    for job in stage.observed.jobs:
        blocks = job.uid not in alive and (not job.finished or job.name == stage.run.job_name)
        if blocks and job.deleted_at and stage.now >= add_seconds(job.deleted_at, JOB_KEPT_SECONDS):
            kept = f" It has the finalizers {', '.join(job.finalizers)}." if job.finalizers else ""
            words = f"Job {job.name} was deleted at {format_time(job.deleted_at)} and is still there.{kept}"
            return StartProblem(JOB_KEPT.name, f"{words} {JOB_KEPT.advice}", stalled=True)
    return None


def blame_mutations(stage: Stage) -> Stage:
    """Let a stage that has failed for no reason of its own say what was changed of its Job or Pod."""
    state, words = stage.state, _describe_mutations(stage)
    if not (words and isinstance(state, Failed) and state.reason in _UNEXPLAINED):
        return stage
    message = f"{sanitize(words, 500)}. {JOB_MUTATED.advice} Without that: {state.message}"
    return replace(stage, state=Failed(JOB_MUTATED.name, make_printable(message)))


def _find_mutation(stage: Stage) -> StartProblem | None:
    """Report what was changed; the run goes on, as names and owners say whose Job and Pod are."""
    words = _describe_mutations(stage)
    message = f"The run goes on. {words}. {JOB_MUTATED.advice}"
    return StartProblem(JOB_MUTATED.name, message, stalled=False) if words else None


def _describe_mutations(stage: Stage) -> str:
    job, labels = stage.job, build_labels(stage.bot, stage.run.stage, stage.run.id)
    found = [(f"Job {job.name}", job.mutations)] if job else []
    found += [(f"Pod {pod.name}", find_pod_mutations(pod, labels)) for pod in stage.pods[-1:]]
    return "; ".join(f"{name} was changed: {format_mutations(mutations)}" for name, mutations in found if mutations)


def _find_creation_problem(stage: Stage) -> StartProblem | None:
    if failure := _get_create_failure(stage):
        return explain_refused_job(failure, stage.bot.spec, stage.run.stage)
    if isinstance(stage.job_to_create, str):
        return StartProblem(JOB_REFUSED.name, f"{stage.job_to_create}. {JOB_REFUSED.advice}", stalled=True)
    return None


def _find_creation_pause(stage: Stage) -> StartProblem | None:
    run, due = stage.run, _get_creation_wait(stage)
    if due is None or (run.retry_at and parse_time(run.retry_at) > due):
        return None
    count = max(run.job_creations, 1)
    words = f"{count} Jobs were created in quick succession. The next one comes at {format_time(due)}"
    message = f"{words}. {JOB_LOST_TOO_OFTEN.advice}"
    return StartProblem(JOB_LOST_TOO_OFTEN.name, message, stalled=count > FREE_CREATIONS)


def _get_create_failure(stage: Stage) -> CreateFailure | None:
    return stage.observed.diagnostics.get_create_failure(stage.run.job_name or "", stage.run.execution)


def decide_actions(stage: Stage) -> tuple[Action, ...]:
    """Decide what to do now, deletions first."""
    jobs, suspended = stage.observed.jobs, stage.bot.spec.suspend
    deletions = tuple(DeleteJob(job, why) for job in jobs if (why := find_deletion_reason(job, stage)))
    match stage.state:
        case JobMissing() if _may_create(stage) and not get_queue_position(stage):
            job = stage.job_to_create  # find_start_problem reports why there may be none
            run = stage.run
            if isinstance(job, str):
                return deletions
            return (*deletions, CreateJob(job, run.execution, run.job_creations, run.job_created_at))
        case ResultPending(finished):
            return (*deletions, ListPods(finished))
        case Active(look_up=item) if item is not None and not suspended:
            return (*deletions, ListEvents(item))
        case Suspended(waiting, ask=True) if not suspended:
            return (*deletions, GetWorkload(waiting))
        case _:
            return deletions


def get_queue_position(stage: Stage) -> QueuePosition | BudgetWait | None:
    """Return what a run lacks that could begin else: room in a budget of its class, or a slot, if Kueue gives none."""
    if not (isinstance(stage.state, JobMissing) and _may_create(stage)):
        return None
    if stage.observed.accounts and (wait := find_budget_wait(stage.bot, stage.run, stage.observed)):
        return wait
    return None if get_queue_name(stage.bot.spec.scheduling, stage.run.stage) else stage.observed.queue_position


def note_creation(stage: Stage) -> CurrentRun:
    """Return the run, with its begin, and the creation of another Job, recorded where a Job comes next."""
    comes = isinstance(stage.state, JobMissing) and _may_create(stage) and not get_queue_position(stage)
    if not comes:
        return stage.run
    run = record_begin(stage.bot, stage.run, stage.observed) if stage.run.run_class else stage.run
    return record_creation(run, stage.observed)


def _get_creation_wait(stage: Stage) -> datetime | None:
    """Return until when the next Job has to wait, as too many were created in quick succession."""
    due = find_creation_time(stage.run, stage.observed)
    return due if due and due > stage.now else None


def _may_create(stage: Stage) -> bool:
    run, now, failure = stage.run, stage.now, _get_create_failure(stage)
    return (
        run.outcome is None
        and not stage.bot.spec.suspend
        and (run.retry_at is None or parse_time(run.retry_at) <= now)
        and (failure is None or failure.retry_at <= now)
        and not _get_creation_wait(stage)
        and not is_previous_run_ending(stage)
    )


def compute_requeue_at(stage: Stage) -> datetime | None:
    """Return the first moment at which something is due although no event comes."""
    run, observed, failure = stage.run, stage.observed, _get_create_failure(stage)
    wait = get_queue_position(stage) if observed.accounts else None
    moments = [
        wait.fits_at if isinstance(wait, BudgetWait) else None,
        stage.state.requeue_at if isinstance(stage.state, Active | Suspended) else None,
        parse_time(run.retry_at) if run.retry_at else None,
        failure.retry_at if failure and run.outcome is None else None,
        find_creation_time(run, observed) if run.outcome is None else None,
        *get_follow_times(observed).values(),
        *(get_expiry_time(job, stage) for job in observed.jobs if not job.deleting),
        *(add_seconds(pod.deleting_at, NODE_LOST_SECONDS) for pod in observed.pods if pod.deleting_at),
        *(add_seconds(job.deleted_at, JOB_KEPT_SECONDS) for job in observed.jobs if job.deleted_at),
    ]
    return get_earliest(*(moment for moment in moments if moment and moment > stage.now))
