"""All points in memory."""

from functools import lru_cache

from tweetbot_faults.memory.points import plan_events, plan_writes
from tweetbot_faults.memory.points_outages import plan_outages
from tweetbot_faults.memory.points_schema import plan_schema
from tweetbot_faults.memory.points_users import plan_users
from tweetbot_faults.point import Point


@lru_cache
def plan_memory() -> tuple[Point, ...]:
    """Return every point in memory; a process plans once."""
    return (*plan_writes(), *plan_events(), *plan_users(), *plan_outages(), *plan_schema())
