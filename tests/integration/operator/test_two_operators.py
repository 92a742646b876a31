"""Two operators, each killed and stopped in turn right after a write: one Job a stage, no lost result, the same end.

`make soak` plays fifty runs with the Lease's real times and stops of 90 s; here it is eight runs, and all is short.
"""

import json
import os
import time
from dataclasses import dataclass
from typing import Any

import pytest

from harness.operator_pair import Blow, OperatorPair
from harness.operator_process import jobs_made, timeless
from harness.tenant import Tenant
from tweetbot_cluster.cluster import EmbeddedCluster

RUNS = int(os.environ.get("SOAK_RUNS", "8"))
STOPPED_FOR = float(os.environ.get("SOAK_STOP_SECONDS", "3"))
BATCH = 2 if RUNS < 20 else 4
SOON = {"TWEETBOT_LEASE_SECONDS": "2"}
#: In this order each of the two is killed once and stopped once.
BLOWS: tuple[Blow, ...] = ("kill", "stop", "stop", "kill")


@dataclass(frozen=True)
class Played:
    """What all the runs left, and what one left that nobody disturbed."""

    undisturbed: dict[str, Any]
    statuses: dict[str, dict[str, Any]]
    jobs: dict[str, list[str]]
    failovers: list[float]


@pytest.fixture(scope="module")
def played(home: EmbeddedCluster, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Play all runs; finished Jobs go at once, so that a stale creation would not meet its forerunner."""
    tenant = Tenant(home)
    env = {"TWEETBOT_NAMESPACES": tenant.namespace, "TWEETBOT_LEASE_NAMESPACE": tenant.namespace}
    env |= {**(SOON if STOPPED_FOR < 20 else {}), "TWEETBOT_SUCCESS_TTL_SECONDS": "1"}
    with OperatorPair(home.operator_kubeconfig, tmp_path_factory.mktemp("pair"), env) as pair:
        tenant.apply("quiet")
        await_end(tenant, pair, ["quiet"])
        failovers = [play(tenant, pair, number) for number in range(-(-RUNS // BATCH))]
    return Played(
        shape(tenant, "quiet"),
        {name: shape(tenant, name) for name in (f"bot-{number}" for number in range(RUNS))},
        jobs_made(home.audit_log, tenant.namespace),
        failovers,
    )


def play(tenant: Tenant, pair: OperatorPair, number: int) -> float:
    """Play one batch of runs with one blow in their midst; answers the seconds until the other replica led."""
    blow = BLOWS[number % len(BLOWS)]
    names = [f"bot-{each}" for each in range(number * BATCH, min((number + 1) * BATCH, RUNS))]
    hits = pair.aim(blow, write=(1 + 3 * number) % (2 * BATCH))
    for name in names:
        tenant.apply(name)
    hit, seconds = pair.await_successor(hits)
    if blow == "stop":
        time.sleep(max(STOPPED_FOR - (time.monotonic() - hit.at), 0))
    pair.revive(hit.replica)
    await_end(tenant, pair, names)
    return seconds


def await_end(tenant: Tenant, pair: OperatorPair, names: list[str]) -> None:
    pair.until(lambda: {tenant.status(name)["phase"] for name in names} == {"Succeeded"} and tenant.jobs() == [])


def shape(tenant: Tenant, name: str) -> dict[str, Any]:
    """Return a status without what differs between any two runs."""
    status: dict[str, Any] = json.loads(json.dumps(timeless(tenant.status(name))).replace(f'"{name}-', '"bot-'))
    return status


def test_one_job_is_made_for_each_stage_of_each_run(played: Played) -> None:
    assert played.jobs == {name: ["prepare", "train"] for name in ("quiet", *played.statuses)}


def test_no_result_is_lost_and_the_end_is_that_of_an_undisturbed_run(played: Played) -> None:
    for status in played.statuses.values():
        assert status == played.undisturbed


def test_every_blow_was_followed_by_another_leader(played: Played) -> None:
    assert len(played.failovers) == -(-RUNS // BATCH)
    print(json.dumps({"runs": RUNS, "failover_seconds": [round(seconds, 1) for seconds in played.failovers]}))
