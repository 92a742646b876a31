"""A TweetBot that is being deleted and holds our finalizer → what erases its objects, or why it goes without.

Its Jobs end first, as they would write what is being erased; then the cleanup Job erases; then the finalizer goes. It
goes as well where erasing is impossible: nothing here may hold up a namespace's end for longer than a set time.
"""

from datetime import datetime

from tweetbot_contract.handover import ERASE_FINALIZER, cleanup_name
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.reasons import ERASING, ERASURE_GIVEN_UP
from tweetbot_contract.result import StageFailed, decode
from tweetbot_operator.decisions.finalizers import release
from tweetbot_operator.decisions.plan import Plan
from tweetbot_operator.decisions.status import status_saying
from tweetbot_operator.jobs.cleanup import cleanup_for
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.actions import Action, CreateJob, DeleteJob
from tweetbot_operator.types.diagnostics import Refusal
from tweetbot_operator.types.objects import JobView
from tweetbot_operator.types.observed import World
from tweetbot_operator.types.summary import Standing
from tweetbot_operator.types.times import after, clause, earliest, moment_of
from tweetbot_operator.types.tweetbot import UnreadableBot

#: Seconds that a cleanup which was given up has to end, before the finalizer goes all the same.
_LAST_GRACE = 600
#: Seconds that an operator has at least which was not there when the TweetBot was deleted: a stage's Pod may take two
#: minutes to end, and whatever kept the operator away may keep a webhook away for a while.
_LATE_START = 600


def plan_deletion(world: World, settings: OperatorSettings) -> Plan:
    """Return what a TweetBot under deletion asks for; nothing where our finalizer is not on it."""
    bot = world.bot
    if ERASE_FINALIZER not in bot.finalizers:
        return Plan(bot.status)
    if isinstance(bot, TweetBot) and bot.spec.deletion_policy == "Retain":
        return Plan(bot.status, (*_ends_of(world.cleanups), release(bot, "deletionPolicy is Retain")))
    said = bot.status.condition("Progressing")
    if said and said.reason == ERASURE_GIVEN_UP.name:
        return _letting_go(world, settings)
    if isinstance(bot, UnreadableBot):
        return _given_up(world, "its spec cannot be read")
    job = next((job for job in world.cleanups if job.name == cleanup_name(bot.name, bot.uid)), None)
    if job and job.verdict == "Complete":
        return Plan(bot.status, (release(bot, "erased"),))
    if why := _hopeless(world, settings):
        return _given_up(world, why)
    return _erasing(bot, job, world, settings)


def _hopeless(world: World, settings: OperatorSettings) -> str | None:
    if world.findings.namespace_ending:
        return "its namespace is being deleted, so no Job can be created in it"
    tried = world.cleanups or _refusal(world) or _stages_go_on(world)
    if tried and world.now >= _deadline(world, settings):
        return f"that has not worked for {settings.erasure_seconds} s{_last_words(world)}"
    return None


def _deadline(world: World, settings: OperatorSettings) -> datetime:
    """Where nobody was there to begin for all that time, a cleanup has as long from its own beginning.

    What comes before it, the end of the stages and the cleanup's creation, has `_LATE_START`.
    """
    begun = [moment_of(world.bot.deleted_at), *(job.created_at for job in world.cleanups if not job.finished)]
    seen_at = world.findings.deletion_seen_at or max(begun)
    return max(after(max(begun), settings.erasure_seconds), after(seen_at, min(settings.erasure_seconds, _LATE_START)))


def _stages_go_on(world: World) -> bool:
    """Whether a Job or Pod has not ended that may write what is to be erased."""
    own = {cleanup.uid for cleanup in world.cleanups}
    jobs = any(not stage.finished for stage in world.jobs)
    return jobs or any(not pod.ended for pod in world.pods if pod.job not in own)


def _given_up(world: World, why: str) -> Plan:
    """Say what is left before anything lets go of it."""
    bot = world.bot
    place = f"{bot.spec.output.s3.uri}/{bot.namespace}/{bot.name}" if isinstance(bot, TweetBot) else "What lies in S3"
    message = f"{place} was not erased: {why}. {ERASURE_GIVEN_UP.advice}"
    standing = Standing(bot.status.phase, ERASURE_GIVEN_UP.name, message, progressing=False, stalled=True)
    return Plan(status_saying(bot, standing, world.now), records=True)


def _letting_go(world: World, settings: OperatorSettings) -> Plan:
    """Let go once a cleanup that still runs has ended, or long after: a successor may write to the same place."""
    bot = world.bot
    if ends := _ends_of(world.cleanups):
        return Plan(bot.status, ends)
    patience = after(_deadline(world, settings), _LAST_GRACE)
    if any(not job.finished for job in world.cleanups) and world.now < patience:
        return Plan(bot.status, wake_at=patience)
    return Plan(bot.status, (release(bot, "given up"),))


def _erasing(bot: TweetBot, job: JobView | None, world: World, settings: OperatorSettings) -> Plan:
    standing = Standing(bot.status.phase, ERASING.name, f"{ERASING.meaning}{_last_words(world)}")
    status = status_saying(bot, standing, world.now)
    actions, due = _steps(bot, job, world, settings)
    return Plan(status, actions, earliest(due, _deadline(world, settings)))


def _steps(
    bot: TweetBot, job: JobView | None, world: World, settings: OperatorSettings
) -> tuple[tuple[Action, ...], datetime | None]:
    """Return what to do now, and when something is due although nothing happens."""
    if ends := _ends_of(world.jobs):
        return ends, None
    if _stages_go_on(world):
        return (), None
    if job is None:
        return _creation(bot, world, settings)
    if job.finished_at is None or job.deleting:
        return (), None
    again = after(job.finished_at, settings.retry_seconds)
    return ((DeleteJob(job, "failed"),), None) if world.now >= again else ((), again)


def _creation(bot: TweetBot, world: World, settings: OperatorSettings) -> tuple[tuple[Action, ...], datetime | None]:
    refusal = _refusal(world)
    if refusal and refusal.retry_at > world.now:
        return (), refusal.retry_at
    return (CreateJob(cleanup_for(bot, settings), ""),), None


def _ends_of(jobs: tuple[JobView, ...]) -> tuple[Action, ...]:
    return tuple(DeleteJob(job, "erasure") for job in jobs if not job.finished and not job.deleting)


def _last_words(world: World) -> str:
    """Return what stood in the way last, to go on after a sentence or a clause."""
    own = {cleanup.uid for cleanup in world.cleanups}
    refusal = _refusal(world)
    refused = [clause(refusal.message, 600)] if refusal else []
    said = refused + [words for pod in world.pods if pod.job in own and (words := _said(pod.message))]
    return f" ({said[-1]})" if said else ""


def _refusal(world: World) -> Refusal | None:
    """Return the refusal of the cleanup; what was said of a stage's Job stands in no erasure's way."""
    return world.findings.refusal_of(cleanup_name(world.bot.name, world.bot.uid), "")


def _said(message: str) -> str:
    try:
        result = decode(message)
    except ValueError:
        return ""
    return f"{result.reason}: {clause(result.message, 600)}" if isinstance(result, StageFailed) else ""
