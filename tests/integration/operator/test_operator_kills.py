"""`kill -9` of the operator right after each write of a run, before it hears of it: same Jobs, same end."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.cutting_proxy import CuttingProxy
from harness.operator_process import OperatorProcess, jobs_made, timeless, until
from harness.tenant import Tenant
from tweetbot_cluster.cluster import EmbeddedCluster

#: Finished Jobs go at once, so that their deletions are among the writes; the train stage does not need them.
TIDY = {"TWEETBOT_SUCCESS_TTL_SECONDS": "1", "TWEETBOT_LOG_LEVEL": "INFO"}
#: A run's writes: three statuses, two creations, two deletions.
WRITES = 7


@dataclass(frozen=True)
class Played:
    """What one run left: its writes, the Jobs that ever were, and the status without times and uids."""

    writes: list[str]
    jobs: list[str]
    status: dict[str, Any]


@pytest.fixture(scope="module")
def played(home: EmbeddedCluster, tmp_path_factory: pytest.TempPathFactory) -> dict[int | None, Played]:
    """Play one run for each write, killed at it, and one without a kill (None), each by its own operator."""
    numbers: list[int | None] = [None, *range(WRITES)]
    folders = [tmp_path_factory.mktemp(f"kill-{number}") for number in numbers]
    with ThreadPoolExecutor(4) as pool:
        return dict(
            zip(numbers, pool.map(lambda pair: play(home, *pair), zip(numbers, folders, strict=True)), strict=True)
        )


def play(home: EmbeddedCluster, at: int | None, folder: Path) -> Played:
    """Play a run in a namespace of its own, from apply to the end of its Jobs."""
    tenant = Tenant(home)
    env = {"TWEETBOT_NAMESPACES": tenant.namespace, **TIDY}
    with CuttingProxy(home.operator_kubeconfig, folder) as proxy:
        operator = OperatorProcess(proxy.kubeconfig, folder / "operator.log", env)
        proxy.at, proxy.cut = at, operator.kill
        with operator:
            tenant.apply("gull")
            if at is not None:
                until(lambda: not operator.alive, 120)
                operator.start()
            until(lambda: tenant.jobs() == [] and tenant.status("gull")["phase"] == "Succeeded", 120)
        jobs = jobs_made(home.audit_log, tenant.namespace)["gull"]
        return Played(shape_of(proxy.trace), jobs, timeless(tenant.status("gull")))


def shape_of(trace: list[str]) -> list[str]:
    """Return the writes without the namespace that differs from run to run."""
    return [f"{line.split()[0]} {line.split('/', 1)[1]}" for line in trace]


def test_the_run_without_a_kill_makes_seven_writes(played: dict[int | None, Played]) -> None:
    verbs = [line.split()[0] for line in played[None].writes]
    assert (len(verbs), verbs.count("PATCH"), verbs.count("POST"), verbs.count("DELETE")) == (WRITES, 3, 2, 2)


@pytest.mark.parametrize("at", range(WRITES))
def test_a_kill_right_after_a_write_leads_to_the_same_end(played: dict[int | None, Played], at: int) -> None:
    assert played[at].jobs == ["prepare", "train"]
    assert played[at].status == played[None].status


@pytest.mark.parametrize("at", range(WRITES))
def test_a_kill_right_after_a_write_repeats_no_write(played: dict[int | None, Played], at: int) -> None:
    assert sorted(played[at].writes) == sorted(played[None].writes)
