"""A TweetBot that is being deleted and holds our finalizer → what erases its objects, or why it goes without.

Its Jobs end first, as they would write what is being erased; then the cleanup Job erases; then the finalizer goes. It
goes as well where erasing is impossible: nothing here may hold up a namespace's end for longer than a set time.
"""

from datetime import datetime

from tweetbot_contract.handover import ERASE_FINALIZER, build_cleanup_job_name
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.reasons import ERASING, ERASURE_GIVEN_UP
from tweetbot_contract.result import StageFailed, decode
from tweetbot_operator.decisions.conditions import Summary
from tweetbot_operator.decisions.plan import Plan, remove_finalizer
from tweetbot_operator.decisions.run import RETRY_SECONDS
from tweetbot_operator.decisions.status import set_summary
from tweetbot_operator.jobs.cleanup import CLEANUP_DEADLINE_SECONDS, build_cleanup_job
from tweetbot_operator.types.actions import Action, CreateJob, DeleteJob
from tweetbot_operator.types.objects import CreateFailure, InvalidTweetBot, JobView, Observed
from tweetbot_operator.types.times import add_seconds, get_earliest, parse_time, sanitize

#: Seconds that a cleanup which was given up has to end, before the finalizer goes all the same.
_LAST_GRACE = 600
#: Seconds that an operator has at least which was not there when the TweetBot was deleted: a stage's Pod may take two
#: minutes to end, and whatever kept the operator away may keep a webhook away for a while.
LATE_START_SECONDS = 600


def plan_deletion(observed: Observed) -> Plan:
    """Return what a TweetBot under deletion asks for; nothing where our finalizer is not on it."""
    bot = observed.bot
    if ERASE_FINALIZER not in bot.finalizers:
        return Plan(bot.status)
    if isinstance(bot, TweetBot) and bot.spec.deletion_policy == "Retain":
        return Plan(
            bot.status, (*_build_deletions(observed.cleanups), remove_finalizer(bot, "deletionPolicy is Retain"))
        )
    said = bot.status.find_condition("Progressing")
    if said and said.reason == ERASURE_GIVEN_UP.name:
        return _plan_release(observed)
    if isinstance(bot, InvalidTweetBot):
        return _give_up_erasure(observed, "its spec cannot be read")
    job = next((job for job in observed.cleanups if job.name == build_cleanup_job_name(bot.name, bot.uid)), None)
    if job and job.finished_condition == "Complete":
        return Plan(bot.status, (remove_finalizer(bot, "erased"),))
    if why := _find_give_up_reason(observed):
        return _give_up_erasure(observed, why)
    return _plan_erasure(bot, job, observed)


def _find_give_up_reason(observed: Observed) -> str | None:
    if observed.diagnostics.namespace_ending:
        return "its namespace is being deleted, so no Job can be created in it"
    tried = observed.cleanups or _find_create_failure(observed) or _has_active_stages(observed)
    if tried and observed.now >= _compute_deadline(observed):
        return f"that has not worked for {CLEANUP_DEADLINE_SECONDS} s{_format_last_error(observed)}"
    return None


def _compute_deadline(observed: Observed) -> datetime:
    """Where nobody was there to begin for all that time, a cleanup has as long from its own beginning.

    What comes before it, the end of the stages and the cleanup's creation, has `LATE_START_SECONDS`.
    """
    begun = [parse_time(observed.bot.deleted_at), *(job.created_at for job in observed.cleanups if not job.finished)]
    seen_at = observed.diagnostics.deletion_seen_at or max(begun)
    return max(add_seconds(max(begun), CLEANUP_DEADLINE_SECONDS), add_seconds(seen_at, LATE_START_SECONDS))


def _has_active_stages(observed: Observed) -> bool:
    """Whether a Job or Pod has not ended that may write what is to be erased."""
    own = {cleanup.uid for cleanup in observed.cleanups}
    jobs = any(not stage.finished for stage in observed.jobs)
    return jobs or any(not pod.ended for pod in observed.pods if pod.controller_uid not in own)


def _give_up_erasure(observed: Observed, why: str) -> Plan:
    """Say what is left before anything lets go of it."""
    bot = observed.bot
    location = (
        f"{bot.spec.output.s3.uri}/{bot.namespace}/{bot.name}" if isinstance(bot, TweetBot) else "What lies in S3"
    )
    message = f"{location} was not erased: {why}. {ERASURE_GIVEN_UP.advice}"
    summary = Summary(bot.status.phase, ERASURE_GIVEN_UP.name, message, progressing=False, stalled=True)
    return Plan(set_summary(bot, summary, observed.now), status_first=True)


def _plan_release(observed: Observed) -> Plan:
    """Let go once a cleanup that still runs has ended, or long after: a successor may write to the same place."""
    bot = observed.bot
    if ends := _build_deletions(observed.cleanups):
        return Plan(bot.status, ends)
    patience = add_seconds(_compute_deadline(observed), _LAST_GRACE)
    if any(not job.finished for job in observed.cleanups) and observed.now < patience:
        return Plan(bot.status, requeue_at=patience)
    return Plan(bot.status, (remove_finalizer(bot, "given up"),))


def _plan_erasure(bot: TweetBot, job: JobView | None, observed: Observed) -> Plan:
    summary = Summary(bot.status.phase, ERASING.name, f"{ERASING.meaning}{_format_last_error(observed)}")
    status = set_summary(bot, summary, observed.now)
    actions, due = _decide_actions(bot, job, observed)
    return Plan(status, actions, get_earliest(due, _compute_deadline(observed)))


def _decide_actions(
    bot: TweetBot, job: JobView | None, observed: Observed
) -> tuple[tuple[Action, ...], datetime | None]:
    """Return what to do now, and when something is due although nothing happens."""
    if ends := _build_deletions(observed.jobs):
        return ends, None
    if _has_active_stages(observed):
        return (), None
    if job is None:
        return _decide_creation(bot, observed)
    if job.finished_at is None or job.deleting:
        return (), None
    again = add_seconds(job.finished_at, RETRY_SECONDS)
    return ((DeleteJob(job, "failed"),), None) if observed.now >= again else ((), again)


def _decide_creation(bot: TweetBot, observed: Observed) -> tuple[tuple[Action, ...], datetime | None]:
    failure = _find_create_failure(observed)
    if failure and failure.retry_at > observed.now:
        return (), failure.retry_at
    return (CreateJob(build_cleanup_job(bot, observed.settings), ""),), None


def _build_deletions(jobs: tuple[JobView, ...]) -> tuple[Action, ...]:
    return tuple(DeleteJob(job, "erasure") for job in jobs if not job.finished and not job.deleting)


def _format_last_error(observed: Observed) -> str:
    """Return what stood in the way last, to go on after a sentence or a clause."""
    own = {cleanup.uid for cleanup in observed.cleanups}
    failure = _find_create_failure(observed)
    refused = [sanitize(failure.message, 600)] if failure else []
    said = refused + [
        words for pod in observed.pods if pod.controller_uid in own and (words := _parse_failure(pod.message))
    ]
    return f" ({said[-1]})" if said else ""


def _find_create_failure(observed: Observed) -> CreateFailure | None:
    """Return the refusal of the cleanup; what was said of a stage's Job stands in no erasure's way."""
    return observed.diagnostics.get_create_failure(build_cleanup_job_name(observed.bot.name, observed.bot.uid), "")


def _parse_failure(message: str) -> str:
    try:
        result = decode(message)
    except ValueError:
        return ""
    return f"{result.reason}: {sanitize(result.message, 600)}" if isinstance(result, StageFailed) else ""
