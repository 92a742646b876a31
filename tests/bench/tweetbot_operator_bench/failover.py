"""Two replicas: kill the leader, later terminate the next one; how long until the other creates a Job."""

import asyncio
import time
from collections.abc import Callable

from tweetbot_contract.handover import GROUP, PLURAL, VERSION
from tweetbot_operator_bench import fleet
from tweetbot_operator_bench.arithmetic import Figures
from tweetbot_operator_bench.operators import Operator
from tweetbot_operator_bench.phases import Fleet

_EVERY = 0.5  # seconds between two TweetBots that wait for a leader
_TIMEOUT = 300.0


async def measure_failover(here: Fleet) -> Figures:
    """Measure a leader's crash and its termination; the fleet's own operator must not run."""
    env = {"TWEETBOT_LEASE_NAMESPACE": fleet.NAMESPACE}
    folder = here.operator.log.parent
    pair = [Operator(here.cluster.operator_kubeconfig, folder / f"replica-{name}.log", env) for name in "ab"]
    try:
        for replica in pair:
            replica.start()
        for replica in pair:
            await asyncio.to_thread(replica.wait_until_ready)
        leader, standby = await _find_leader(pair)
        standby_rss = standby.read_usage().rss_mib
        killed = await _measure_outage(here, leader.kill)
        leader.start()
        await asyncio.to_thread(leader.wait_until_ready)
        terminated = await _measure_outage(here, standby.stop)
    finally:
        for replica in pair:
            replica.stop()
    return {
        "held": here.held,
        "seconds_after_a_kill": round(killed, 1),
        "seconds_after_sigterm": round(terminated, 1),
        "standby_rss_mib": round(standby_rss, 1),
    }


async def _find_leader(pair: list[Operator]) -> tuple[Operator, Operator]:
    deadline = time.monotonic() + _TIMEOUT
    while time.monotonic() < deadline:
        leading = [replica for replica in pair if replica.is_leader]
        if len(leading) == 1:
            return leading[0], next(replica for replica in pair if replica is not leading[0])
        await asyncio.sleep(0.2)
    raise TimeoutError("neither replica leads")


async def _measure_outage(here: Fleet, end_leader: Callable[[], None]) -> float:
    """End the leader, keep creating TweetBots, and return the seconds until the first Job of one of them."""
    seen: dict[str, float] = {}
    watching = asyncio.create_task(
        fleet.watch_first_jobs(here.api, seen, await here.api.get_resource_version(fleet.JOBS))
    )
    await asyncio.sleep(0.5)
    begun = time.monotonic()
    ending = asyncio.create_task(asyncio.to_thread(end_leader))
    mine: set[str] = set()
    try:
        while not mine & seen.keys():
            await asyncio.sleep(_EVERY)  # first of all: until it ends, the old leader would still serve the first one
            (name,) = here.reserve_names(1)
            mine.add(name)
            path = f"/apis/{GROUP}/{VERSION}/namespaces/{fleet.NAMESPACE}/{PLURAL}"
            await here.api.requests.post(path, fleet.build_bot(name))
        await ending
    finally:
        watching.cancel()
    return min(seen[name] for name in mine if name in seen) - begun
