"""Play a workload in memory: without a fault, once, as the reference, and with one to be judged beside it."""

import asyncio
from functools import lru_cache

from tweetbot_faults.evidence import Evidence
from tweetbot_faults.memory.faulty_cluster import WriteFault
from tweetbot_faults.memory.watch import WatchFault
from tweetbot_faults.memory.workloads import WORKLOADS, Workload
from tweetbot_faults.memory.world import World
from tweetbot_faults.oracles import judge
from tweetbot_faults.point import Violation

#: What is judged wherever a workload must end as without a fault.
SAME_END = ("O1", "O2", "O3", "O4", "O5", "O6", "O7", "O9", "O10", "O13")
#: What is judged where the world itself takes another course.
SOUND = ("O3", "O4", "O5", "O6", "O7", "O9", "O10")


@lru_cache
def learn(workload: str) -> World:
    """Play a workload without a fault; its writes and events are what faults are planned at."""
    world = World()
    asyncio.run(_finish(world, WORKLOADS[workload]))
    return world


async def _finish(world: World, workload: Workload) -> Evidence:
    await workload(world)
    return await world.close()


def play(world: World, workload: Workload) -> Evidence:
    """Play a workload in a world of one's own making."""
    return asyncio.run(_finish(world, workload))


def play_write_fault(workload: str, at: int, name: str) -> list[Violation]:
    """Strike at one write. A fault that never struck judges nothing, which is a fault of the harness."""
    reference, world = learn(workload), World(WriteFault(at, name))
    seen = play(world, WORKLOADS[workload])
    if not world.faulty.struck:
        return [Violation("harness", f"write {at} never came")]
    return judge(seen, reference.evidence, SAME_END)


def play_watch_fault(workload: str, fault: WatchFault) -> list[Violation]:
    """Strike at one event of the watch, or at an interval."""
    reference, world = learn(workload), World(watch=fault)
    seen = play(world, WORKLOADS[workload])
    if world.watch.seen <= fault.at:
        return [Violation("harness", f"event {fault.at} never came")]
    return judge(seen, reference.evidence, SAME_END)
