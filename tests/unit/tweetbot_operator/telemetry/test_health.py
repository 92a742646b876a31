"""Probes and metrics over HTTP."""

import aiohttp
import pytest

from tweetbot_cluster.state import free_ports
from tweetbot_operator.telemetry import metrics
from tweetbot_operator.telemetry.health import Health


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture
def no_active_run() -> None:
    """Forget the series of runs that other tests left active in this process."""
    for gauge in (
        metrics.RUN_PERCENT,
        metrics.RUN_ETA_SECONDS,
        metrics.RUN_STEP,
        metrics.RUN_TRAIN_LOSS,
        metrics.RUN_EVAL_LOSS,
    ):
        gauge.clear()


async def answers(port: int, *, alive: bool, ready: bool) -> dict[str, tuple[int, str]]:
    health = Health(lambda: alive, lambda: ready)
    await health.start("127.0.0.1", port)
    found = {}
    async with aiohttp.ClientSession() as session:
        for path in ("/healthz", "/readyz", "/metrics"):
            async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
                found[path] = (answer.status, await answer.text())
    await health.stop()
    return found


async def test_all_is_well(port: int) -> None:
    found = await answers(port, alive=True, ready=True)
    assert (found["/healthz"][0], found["/readyz"][0]) == (200, 200)


async def test_dead_watches_fail_the_liveness_probe(port: int) -> None:
    found = await answers(port, alive=False, ready=True)
    assert found["/healthz"] == (503, "the watches are dead, or the last resync was long ago\n")


async def test_unfilled_caches_fail_the_readiness_probe_only(port: int) -> None:
    found = await answers(port, alive=True, ready=False)
    assert (found["/healthz"][0], found["/readyz"][0]) == (200, 503)


@pytest.mark.usefixtures("no_active_run")
async def test_metrics_carry_no_bots_name(port: int) -> None:
    assert metrics.QUEUE_DEPTH  # a Health alone exports none of ours
    figures = (await answers(port, alive=True, ready=True))["/metrics"][1]
    assert "tweetbot_workqueue_depth" in figures
    assert "gull" not in figures
