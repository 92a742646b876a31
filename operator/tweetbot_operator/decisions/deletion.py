"""Plan the deletion of a TweetBot with our finalizer: erase its objects, or say why they stay.

Its Jobs end first, as they would write what is being erased; then the cleanup Job erases; then the finalizer goes. It
also goes where erasing is impossible: nothing here may hold up a namespace's end for longer than a set time.
"""

from datetime import datetime

from tweetbot_contract.handover import ERASE_FINALIZER, build_cleanup_job_name
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.reasons import ERASING, ERASURE_GIVEN_UP, PREFIX_OWNED
from tweetbot_contract.result import CleanupSucceeded, StageFailed
from tweetbot_operator.decisions.actions import find_jobs_to_follow, get_follow_times
from tweetbot_operator.decisions.failures import explain_end, parse_message
from tweetbot_operator.decisions.plan import Plan, remove_finalizer
from tweetbot_operator.decisions.pod_problems import find_pod_problem, find_start_step, get_start_times
from tweetbot_operator.decisions.progress import find_task_problem
from tweetbot_operator.decisions.run import RETRY_SECONDS, compute_creation_pause
from tweetbot_operator.decisions.status import semantically_equal, set_summary
from tweetbot_operator.jobs.cleanup import CLEANUP_DEADLINE_SECONDS, build_cleanup_job
from tweetbot_operator.types.actions import Action, CreateJob, DeleteJob, ListPods
from tweetbot_operator.types.creations import CreateFailure
from tweetbot_operator.types.objects import InvalidTweetBot, JobView, Observed, PodView
from tweetbot_operator.types.stage_state import StartProblem, Summary
from tweetbot_operator.types.times import add_seconds, get_earliest, parse_time, sanitize

#: Seconds that an abandoned cleanup has to end before the finalizer goes all the same.
_LAST_GRACE = 600
#: Seconds at least for an operator that was down when the TweetBot was deleted: a stage's Pod may take two minutes to
#: end, and what took the operator down may keep a webhook down for a while.
LATE_START_SECONDS = 600


def plan_deletion(observed: Observed) -> Plan:
    """Plan the next step of a deletion; none where our finalizer is not on the TweetBot."""
    bot = observed.bot
    if ERASE_FINALIZER not in bot.finalizers:
        return Plan(bot.status)
    if unwatched := find_jobs_to_follow(observed):
        return Plan(bot.status, unwatched)
    if isinstance(bot, TweetBot) and bot.spec.deletion_policy == "Retain":
        removal = remove_finalizer(bot, "deletionPolicy is Retain")
        return Plan(bot.status, (*_build_deletions(observed.cleanups), removal))
    progressing = bot.status.find_condition("Progressing")
    if progressing and progressing.reason == ERASURE_GIVEN_UP.name:
        return _plan_release(observed)
    if isinstance(bot, InvalidTweetBot):
        return _give_up_erasure(observed, "its spec cannot be read")
    job = next((job for job in observed.cleanups if job.name == build_cleanup_job_name(bot.name, bot.uid)), None)
    if job and (end := _plan_end(bot, job, observed)):
        return end
    if why := _find_give_up_reason(observed):
        return _give_up_erasure(observed, why)
    return _plan_erasure(bot, job, observed)


def _plan_end(bot: TweetBot, job: JobView, observed: Observed) -> Plan | None:
    """Plan what follows the end of the cleanup: report to whom it left the objects, then remove the finalizer."""
    if owner := _find_other_owner(job, observed):
        return _leave_to_owner(bot, job, owner, observed.now)
    pods = _list_pods(job, observed)
    if not (job.finished_condition == "Complete" or any(pod.done for pod in pods)):
        return None
    if not any(pod.ended for pod in pods) and job.uid not in observed.diagnostics.searched:
        return Plan(bot.status, (ListPods(job),))
    return Plan(bot.status, (*_build_deletions((job,)), remove_finalizer(bot, "erased")))


def _find_other_owner(job: JobView, observed: Observed) -> str | None:
    """Return to whom the cleanup left the objects, in the trainer's words; None if it erased them or has not ended."""
    for pod in _list_pods(job, observed):
        match parse_message(pod.message):
            case CleanupSucceeded(prefix_owned=str(message)) | StageFailed(reason=PREFIX_OWNED.name, message=message):
                return message
            case _:
                continue
    return None


def _leave_to_owner(bot: TweetBot, job: JobView, owner: str, now: datetime) -> Plan:
    """Report whose the objects are, then remove the finalizer."""
    status = set_summary(bot, Summary(bot.status.phase, PREFIX_OWNED.name, owner, progressing=False), now)
    if not semantically_equal(status, bot.status):
        return Plan(status, status_first=True)
    return Plan(bot.status, (*_build_deletions((job,)), remove_finalizer(bot, "left to another TweetBot")))


def _find_give_up_reason(observed: Observed) -> str | None:
    if observed.diagnostics.namespace_ending:
        return "its namespace is being deleted, so no Job can be created in it"
    tried = observed.cleanups or _find_create_failure(observed) or _has_active_stages(observed)
    if tried and observed.now >= _compute_deadline(observed):
        return f"that has not worked for {CLEANUP_DEADLINE_SECONDS} s{_format_last_error(observed)}"
    return None


def _compute_deadline(observed: Observed) -> datetime:
    """Return when the erasure is given up: the deadline counts from the deletion, or from the cleanup's creation.

    What comes before the creation, such as the end of the stages, has at least `LATE_START_SECONDS`.
    """
    begun = [parse_time(observed.bot.deleted_at), *(job.created_at for job in observed.cleanups if not job.finished)]
    seen_at = observed.diagnostics.deletion_seen_at or max(begun)
    return max(add_seconds(max(begun), CLEANUP_DEADLINE_SECONDS), add_seconds(seen_at, LATE_START_SECONDS))


def _has_active_stages(observed: Observed) -> bool:
    """Whether an active Job or Pod may still write what is to be erased."""
    own = {cleanup.uid for cleanup in observed.cleanups}
    jobs = any(not job.finished for job in (*observed.jobs, *observed.tasks))
    return jobs or any(not pod.ended for pod in observed.pods if pod.controller_uid not in own)


def _give_up_erasure(observed: Observed, why: str) -> Plan:
    """Report what is left in S3 before the finalizer goes."""
    bot, location = observed.bot, "What is in S3"
    if isinstance(bot, TweetBot):
        location = f"{bot.spec.output.s3.uri}/{bot.namespace}/{bot.name}"
    message = f"{location} was not erased: {why}. {ERASURE_GIVEN_UP.advice}"
    summary = Summary(bot.status.phase, ERASURE_GIVEN_UP.name, message, progressing=False, stalled=True)
    return Plan(set_summary(bot, summary, observed.now), status_first=True)


def _plan_release(observed: Observed) -> Plan:
    """Remove the finalizer once a running cleanup has ended, or long after: a successor may write to the same place."""
    bot = observed.bot
    if ends := _build_deletions(observed.cleanups):
        return Plan(bot.status, ends)
    latest = add_seconds(_compute_deadline(observed), _LAST_GRACE)
    if any(not job.finished for job in observed.cleanups) and observed.now < latest:
        return Plan(bot.status, requeue_at=latest)
    return Plan(bot.status, (remove_finalizer(bot, "given up"),))


def _plan_erasure(bot: TweetBot, job: JobView | None, observed: Observed) -> Plan:
    live = [pod for pod in _list_pods(job, observed) if not pod.ended] if job else []
    waiting = live[-1] if live and live[-1].started_at is None else None
    problem = _find_problem(bot, waiting, observed)
    more = f" {problem.message}" if problem else _format_last_error(observed)
    summary = Summary(bot.status.phase, problem.reason if problem else ERASING.name, f"{ERASING.meaning}{more}")
    status = set_summary(bot, summary, observed.now)
    actions, due = _decide_actions(bot, job, observed)
    moments = [_compute_deadline(observed), *get_follow_times(observed).values()]
    if waiting:
        moments += [moment for moment in get_start_times(waiting) if moment > observed.now]
    return Plan(status, actions, get_earliest(due, *moments))


def _find_problem(bot: TweetBot, waiting: PodView | None, observed: Observed) -> StartProblem | None:
    """Return what keeps the cleanup's Pod from starting, or what its trainer waits for."""
    if waiting is None:
        return find_task_problem("Cleanup", observed)
    now, spec = observed.now, bot.spec
    return find_pod_problem(waiting, observed.diagnostics, now, spec) or find_start_step(waiting, now)


#: What to do now, and when something is due although nothing happens.
Step = tuple[tuple[Action, ...], datetime | None]


def _decide_actions(bot: TweetBot, job: JobView | None, observed: Observed) -> Step:
    if ends := _build_deletions((*observed.jobs, *observed.tasks)):
        return ends, None
    if _has_active_stages(observed):
        return (), None
    if job is None:
        return _decide_creation(bot, observed)
    held = [pod.finished_at for pod in _list_pods(job, observed) if pod.held_by]  # others keep it: the Job does not end
    ended_at = job.finished_at or (held[-1] if held else None)
    if ended_at is None or job.deleting:
        return (), None
    retry_at = add_seconds(ended_at, RETRY_SECONDS)
    return ((DeleteJob(job, "failed"),), None) if observed.now >= retry_at else ((), retry_at)


def _decide_creation(bot: TweetBot, observed: Observed) -> Step:
    failure = _find_create_failure(observed)
    if failure and failure.retry_at > observed.now:
        return (), failure.retry_at
    last = observed.diagnostics.created.get(build_cleanup_job_name(bot.name, bot.uid))
    count = last.count + 1 if last else 1
    if last and (due := add_seconds(last.at, compute_creation_pause(count))) > observed.now:
        return (), due
    return (CreateJob(build_cleanup_job(bot, observed.settings), "", count),), None


def _list_pods(job: JobView, observed: Observed) -> list[PodView]:
    return [pod for pod in observed.pods if pod.controller_uid == job.uid]


def _build_deletions(jobs: tuple[JobView, ...]) -> tuple[Action, ...]:
    return tuple(DeleteJob(job, "erasure") for job in jobs if not job.finished and not job.deleting)


def _format_last_error(observed: Observed) -> str:
    """Return the last error of the erasure in brackets, to follow a sentence; empty without one."""
    own = {cleanup.uid for cleanup in observed.cleanups}
    refused = _find_create_failure(observed)
    errors = [sanitize(refused.message, 600)] if refused else []
    broken = [pod for pod in observed.pods if pod.controller_uid in own and (pod.phase == "Failed" or pod.exit_code)]
    causes = [explain_end(pod, "Cleanup") for pod in broken if not pod.done]
    errors += [f"{cause.reason}: {sanitize(cause.message, 600)}" for cause in causes]
    return f" ({errors[-1]})" if errors else ""


def _find_create_failure(observed: Observed) -> CreateFailure | None:
    """Return why the cleanup could not be created; a stage's Job is another matter."""
    return observed.diagnostics.get_create_failure(build_cleanup_job_name(observed.bot.name, observed.bot.uid), "")
