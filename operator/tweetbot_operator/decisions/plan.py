"""The decision: one TweetBot, its Jobs and Pods, what was found out, the time → what to do and what to say.

Two rules order everything. A run is recorded as it stands before anything is done for it, so nothing is created or
deleted that the status does not explain. And where the run stays as it is, actions come first and the status after
them, so that it tells what came of them in one write.
"""

from dataclasses import dataclass
from datetime import datetime

from tweetbot_contract.status import TweetBotStatus
from tweetbot_operator.decisions.actions import Situation, actions, blockage, place, waits, wake_at
from tweetbot_operator.decisions.finalizers import guard
from tweetbot_operator.decisions.progress import due_at, with_progress
from tweetbot_operator.decisions.run import run_for, trigger_of, turn_after
from tweetbot_operator.decisions.stage import Scene, outcome_of
from tweetbot_operator.decisions.status import invalid_spec_status, status_after
from tweetbot_operator.decisions.summary import Circumstances, standing_of
from tweetbot_operator.decisions.usage import with_usage
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.actions import Action, ForgetStatus
from tweetbot_operator.types.observed import World
from tweetbot_operator.types.schedule import timetable_of
from tweetbot_operator.types.stage_state import NoJob
from tweetbot_operator.types.summary import queued_standing
from tweetbot_operator.types.times import earliest
from tweetbot_operator.types.tweetbot import UnreadableBot


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, then what to say, and when to look again although nothing happens."""

    status: TweetBotStatus
    actions: tuple[Action, ...] = ()
    wake_at: datetime | None = None
    records: bool = False
    """Whether the status must be written before anything else is planned: the run is not recorded as it stands."""


def plan(world: World, settings: OperatorSettings) -> Plan:
    """Return what the state asks for. The same state gives the same plan, and its execution leaves nothing to plan."""
    bot = world.bot
    if bot.status.uid not in (None, bot.uid):
        return Plan(bot.status, (ForgetStatus(),))
    if isinstance(bot, UnreadableBot):
        return Plan(invalid_spec_status(bot, world.now))
    if finalizers := guard(bot):
        return Plan(bot.status, (finalizers,))
    timetable = timetable_of(bot, world.now, settings)
    run = run_for(bot, trigger_of(bot, timetable.due), world.now)
    job = next((job for job in world.jobs if job.name == run.job_name), None)
    own = tuple(pod for pod in world.pods if job and pod.job == job.uid)
    scene = Scene(run, bot.spec.run, job, own, world.findings, world.now, settings)
    outcome = NoJob() if run.outcome else outcome_of(scene)
    counted = run if job is None or job.execution != run.execution else with_usage(run, own, outcome, world.now)
    turn = with_progress(bot.status.current_run, turn_after(bot, counted, outcome, world.now, settings), world)
    if turn.run.stage != run.stage:
        job, outcome = None, NoJob()  # what they speak of is the stage before
    here = Situation(bot, turn.run, job, outcome, world, settings)
    around = Circumstances(bot.spec.suspend, waits(here), outcome, blockage(here), world.now)
    standing = standing_of(turn.run, around)
    if (waiting := place(here)) and not around.blockage:
        standing = queued_standing(waiting, bot.status.condition("Progressing"))
    status = status_after(bot, turn, standing, timetable=timetable, now=world.now)
    if turn.run != bot.status.current_run:
        return Plan(status, records=True)
    return Plan(status, actions(here), earliest(wake_at(here), due_at(turn.run, world), timetable.coming))
