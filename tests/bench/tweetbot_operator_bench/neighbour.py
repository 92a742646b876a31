"""A burst in one namespace, and beside it a neighbour's launches and a bare client's, as they are and as they were.

The bare client shows what of it is the machine, and the API server itself: they slow down every client.
"""

import asyncio
import itertools
from typing import Any

from tweetbot_operator_bench import fleet
from tweetbot_operator_bench.api import Api
from tweetbot_operator_bench.arithmetic import Span, summarize_neighbour

NEIGHBOUR, BARE = "neighbour", "bare-client"
#: TweetBots, and bare Jobs, per second: few enough that the neighbour is no burst itself.
_RATE = 2.0
#: Launches of each kind while nothing else happens.
QUIET = 20

Launches = tuple[dict[str, Span], dict[str, Span]]


async def launch_neighbour(api: Api, label: str, count: int | None, until: asyncio.Event | None = None) -> Launches:
    """Launch TweetBots and bare Jobs in namespaces of their own, in turn, `count` of each or until the end."""
    bots, jobs = ((f"{label}-{each}" for each in itertools.islice(itertools.count(), count)) for _ in range(2))
    launching = asyncio.create_task(fleet.launch_bots(api, bots, _RATE, NEIGHBOUR, until=until))
    await asyncio.sleep(0.5 / _RATE)
    launched_jobs = await fleet.launch_bare_jobs(api, jobs, _RATE, BARE, until=until)
    return await launching, launched_jobs


def compare_neighbour(quiet: Launches, beside: Launches, applied_at: float) -> dict[str, Any]:
    """Return figures of both kinds; the burst's last TweetBot was created at `applied_at`."""
    return {
        kind: summarize_neighbour(before.values(), during.values(), applied_at)
        for kind, before, during in zip(("tweetbots", "bare_jobs"), quiet, beside, strict=True)
    }
