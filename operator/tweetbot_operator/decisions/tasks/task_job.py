"""A Job beside a run's stages, which acts on a request: when to create it, what keeps it from running, when to look.

Its name is the request's, so a Job of an earlier request, a restart of the operator or two operators change nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from tweetbot_contract.handover import Task
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.reasons import JOB_REFUSED, Reason
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
from tweetbot_operator.types.actions import Action, CreateJob, ListEvents, ListPods
from tweetbot_operator.types.creations import CreateFailure
from tweetbot_operator.types.objects import JobView, Manifest, Observed, PodView
from tweetbot_operator.types.stage_state import StartProblem
from tweetbot_operator.types.times import add_seconds


@dataclass(frozen=True)  # without slots, as cached_property needs a __dict__
class TaskJob:
    """The Job of a request, whether it exists or not."""

    task: Task
    name: str
    step: Reason
    """Why the request is open while nothing is wrong."""
    build: Callable[[], Manifest]
    """Builds it. Raises ValueError when its run document is too long for an env variable."""
    bot: TweetBot
    observed: Observed

    @cached_property
    def job(self) -> JobView | None:
        """The Job itself."""
        return next((job for job in self.observed.tasks if job.name == self.name), None)

    @property
    def pods(self) -> list[PodView]:
        """Its Pods, oldest first."""
        return list_task_pods(self.job, self.observed) if self.job else []

    @cached_property
    def waiting(self) -> PodView | JobView | None:
        """Its Pod whose trainer has not started, or the Job itself if it has no Pod; None if neither waits."""
        pods = [pod for pod in self.pods if not pod.ended]
        if self.job is None or self.job.finished or any(pod.started_at or pod.exit_code is not None for pod in pods):
            return None
        return pods[-1] if pods else self.job

    @property
    def create_failure(self) -> CreateFailure | None:
        """Why it was not created."""
        return self.observed.diagnostics.get_create_failure(self.name, "")

    @cached_property
    def manifest(self) -> Manifest | str:
        """What to create, or why there can be no such Job."""
        try:
            return self.build()
        except ValueError as fault:
            return str(fault)


def list_task_pods(job: JobView, observed: Observed) -> list[PodView]:
    """Return a Job's Pods, oldest first."""
    return [pod for pod in observed.pods if pod.controller_uid == job.uid]


def decide_task_actions(task: TaskJob) -> tuple[Action, ...]:
    """Decide what to do for an open request: create its Job once no other of its kind is active, or look into it."""
    observed, stage = task.observed, task.task.lower()
    if task.job:
        return _look_into(task, task.job)
    others = any(job.stage == stage and not job.finished for job in observed.tasks)
    ending = others or any(pod.stage == stage and not pod.ended for pod in observed.pods)
    if ending or get_creation_times(task) or isinstance(task.manifest, str):
        return ()
    last = observed.diagnostics.created.get(task.name)
    return (CreateJob(task.manifest, "", last.count + 1 if last else 1),)


def list_requeue_times(task: TaskJob) -> list[datetime]:
    """Return when something is due for the Job although no event comes."""
    moments = get_creation_times(task)
    if waiting := task.waiting:
        start = _get_start(waiting)
        moments += [add_seconds(start, POD_START_GRACE_SECONDS), add_seconds(start, STALLED_SECONDS)]
        moments += [_get_ask_time(waiting, task.observed)]
    return moments


def find_problem(task: TaskJob) -> StartProblem | None:
    """Return what keeps the Job from being created, or from running."""
    job, observed, spec = task.job, task.observed, task.bot.spec
    if job is None:
        if isinstance(task.manifest, str):
            return StartProblem(JOB_REFUSED.name, f"{task.manifest}. {JOB_REFUSED.advice}", stalled=True)
        return explain_refused_job(task.create_failure, spec, task.task) if task.create_failure else None
    if job.suspended:
        return StartProblem(task.step.name, f"Job {job.name} is suspended until its queue admits it.", stalled=False)
    match task.waiting:
        case PodView() as pod:
            return find_pod_problem(pod, observed.diagnostics, observed.now, spec) or find_start_step(pod, observed.now)
        case JobView() if check := observed.diagnostics.mounts.get(job.uid):
            return find_creation_problem(check, _get_start(job), observed.now, spec, task.task)
        case _:
            return find_task_problem(task.task, observed)


def is_finishing(job: JobView, observed: Observed) -> bool:
    """Whether its Pods have ended, so that it finishes by itself, and is kept for its log."""
    pods = list_task_pods(job, observed)
    return bool(pods) and all(pod.ended for pod in pods)


def get_creation_times(task: TaskJob) -> list[datetime]:
    """Return until when the Job's creation waits: it was refused, or created and lost again and again."""
    failure, last = task.create_failure, task.observed.diagnostics.created.get(task.name)
    moments = [failure.retry_at] if failure else []
    moments += [add_seconds(last.at, compute_creation_pause(last.count + 1))] if last else []
    return [moment for moment in moments if moment > task.observed.now]


def _look_into(task: TaskJob, job: JobView) -> tuple[Action, ...]:
    if job.finished:
        return () if job.uid in task.observed.diagnostics.searched else (ListPods(job),)
    waiting = task.waiting
    ask = waiting is not None and not job.suspended and _get_ask_time(waiting, task.observed) <= task.observed.now
    return (ListEvents(waiting),) if waiting and ask else ()


def _get_start(waiting: PodView | JobView) -> datetime:
    """Return since when it waits."""
    if isinstance(waiting, PodView):
        return waiting.scheduled_at or waiting.created_at
    return waiting.started_at or waiting.created_at


def _get_ask_time(waiting: PodView | JobView, observed: Observed) -> datetime:
    check = observed.diagnostics.mounts.get(waiting.uid)
    return check.next_at if check else add_seconds(_get_start(waiting), POD_START_GRACE_SECONDS)
