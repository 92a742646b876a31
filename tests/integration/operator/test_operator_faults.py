"""Faults of the API server and of the way to it: the operator stays, and each run comes to the same end."""

import json
import os
import time
from itertools import cycle
from pathlib import Path

import pytest
from aiohttp import web

from harness.cutting_proxy import WRITES, CuttingProxy
from harness.operator_process import OperatorProcess, jobs_made, until
from harness.tenant import Tenant
from tweetbot_cluster.cluster import EmbeddedCluster

#: Lengths of outages in seconds; 0 is one that is just long enough for a leader of hasty times to stand down.
OUTAGES = [float(seconds) for seconds in os.environ.get("SOAK_OUTAGES", "0").split(",")]
#: Shares of a Lease of 60 s: the leader stands down after 2 s, and looks every half second.
HASTY = {"RENEW_SHARE": 1 / 30, "RETRY_SHARE": 1 / 120}
#: Watches of an operator that is bound to one namespace, that of classes included.
KINDS = 4
EXPIRED = json.dumps({"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old"}}).encode()


class Setup:
    """A tenant, and an operator of its own behind a proxy."""

    def __init__(
        self, home: EmbeddedCluster, folder: Path, constants: dict[str, float] | None = None, **env: str
    ) -> None:
        self.home, self.tenant = home, Tenant(home)
        self.proxy = CuttingProxy(home.operator_kubeconfig, folder)
        own = {"TWEETBOT_NAMESPACES": self.tenant.namespace, "TWEETBOT_LEASE_NAMESPACE": self.tenant.namespace}
        log = folder / "operator.log"
        self.operator = OperatorProcess(self.proxy.kubeconfig, log, own | env, constants=constants)

    def ends_well(self, name: str = "gull") -> None:
        """Wait for the end of the run, and look at what it took."""
        self.tenant.wait(name, "ModelReady", 240)
        assert jobs_made(self.home.audit_log, self.tenant.namespace)[name] == ["prepare", "train"]
        assert self.operator.alive
        assert self.operator.answer("/healthz") == 200


def watches(request: web.Request) -> bool:
    return request.query.get("watch") == "true"


def lists(request: web.Request) -> bool:
    return request.method == "GET" and not watches(request) and request.path.endswith("/tweetbots")


def refusal(status: int) -> web.Response:
    """Answer as an API server that is overloaded, broken, or has forgotten."""
    reason = {410: "Expired", 429: "TooManyRequests", 500: "InternalError"}[status]
    document = {"kind": "Status", "status": "Failure", "code": status, "reason": reason, "message": f"it says {reason}"}
    return web.json_response(document, status=status, headers={"Retry-After": "1"} if status == 429 else {})


def test_refused_writes_are_tried_again(home: EmbeddedCluster, tmp_path: Path) -> None:
    setup = Setup(home, tmp_path)
    with setup.proxy as proxy, setup.operator:
        until(lambda: setup.operator.leads, 120)
        wanted, answers = ("/tweetbots/", "/jobs"), cycle((429, 500))
        proxy.refuse = lambda request: (
            refusal(next(answers))
            if request.method in WRITES and any(part in request.path for part in wanted)
            else None
        )
        setup.tenant.apply("gull")
        until(lambda: proxy.refused >= 3, 120)
        proxy.refuse = lambda request: None
        setup.ends_well()


def test_refused_watches_are_opened_again(home: EmbeddedCluster, tmp_path: Path) -> None:
    setup = Setup(home, tmp_path)
    with setup.proxy as proxy, setup.operator:
        until(lambda: len(proxy.watches) == KINDS, 120)
        answers = cycle((429, 500))
        proxy.refuse = lambda request: refusal(next(answers)) if watches(request) else None
        proxy.end_watches()
        setup.tenant.apply("gull")
        until(lambda: proxy.refused >= 2 * KINDS, 120)
        proxy.refuse = lambda request: None
        setup.ends_well()


def test_an_expired_version_that_ends_kopf_ends_nothing_else(home: EmbeddedCluster, tmp_path: Path) -> None:
    """A 410 before a stream begins, then for a list: the leader opens its watches again."""
    setup = Setup(home, tmp_path)
    with setup.proxy as proxy, setup.operator:
        for last, refused in ((None, watches), (EXPIRED, lists)):
            until(lambda: len(proxy.watches) == KINDS and setup.operator.leads, 120)
            proxy.refused = 0
            proxy.refuse = lambda request, refused=refused: refusal(410) if refused(request) else None  # type: ignore[misc]
            proxy.end_watches(last)
            until(lambda: proxy.refused >= 1, 120)
            proxy.refuse = lambda request: None
        setup.tenant.apply("gull")
        setup.ends_well()
        log = setup.operator.log.read_text()
        assert log.count("the watches ended, and are opened again") >= 2  # more where the fault is taken back late
        assert log.count('"leading"') == 1


def test_watches_that_end_lose_nothing(home: EmbeddedCluster, tmp_path: Path) -> None:
    setup = Setup(home, tmp_path)
    with setup.proxy as proxy, setup.operator:
        for made, name, last in ((0, "gull", None), (2, "tern", EXPIRED)):
            until(lambda: len(proxy.watches) == KINDS, 120)
            proxy.end_watches(last)
            setup.tenant.apply(name)
            until(lambda made=made: len(setup.tenant.jobs()) > made, 120)  # type: ignore[misc]
            proxy.end_watches(last)
            setup.ends_well(name)


def test_a_silent_watch_is_given_up(home: EmbeddedCluster, tmp_path: Path) -> None:
    setup = Setup(home, tmp_path, {"WATCH_INACTIVITY_TIMEOUT_SECONDS": 3})
    with setup.proxy as proxy, setup.operator:
        until(lambda: len(proxy.watches) == KINDS, 120)
        deaf = set(proxy.watches)
        proxy.swallow = lambda watch, line: watch in deaf
        setup.tenant.apply("gull")
        until(lambda: proxy.swallowed >= 1, 120)
        setup.ends_well()


def test_a_lost_deletion_is_found_while_the_run_waits_for_it(home: EmbeddedCluster, tmp_path: Path) -> None:
    setup = Setup(home, tmp_path, {"JOB_RESYNC_SECONDS": 4})
    with setup.proxy as proxy, setup.operator:
        setup.tenant.apply("gull", "slow")
        until(lambda: setup.tenant.pod_phases("gull") == ["Running"], 120)
        proxy.swallow = lambda watch, line: b'"DELETED"' in line or b'"deletionTimestamp"' in line
        (before,) = setup.tenant.uids()
        setup.tenant("delete", "job", "--all", "--wait=false")
        until(lambda: proxy.swallowed >= 1, 120)
        until(lambda: any(uid != before for uid in setup.tenant.uids()), 240)
        assert "the watches had lost something" in setup.operator.log.read_text()
        assert setup.tenant.status("gull")["currentRun"]["number"] == 1


@pytest.mark.parametrize("seconds", OUTAGES)
def test_an_outage_stands_the_leader_down_and_ends_nobody(
    home: EmbeddedCluster, tmp_path: Path, seconds: float
) -> None:
    setup = Setup(home, tmp_path) if seconds else Setup(home, tmp_path, HASTY, TWEETBOT_LEASE_SECONDS="60")
    with setup.proxy as proxy, setup.operator:
        until(lambda: setup.operator.leads, 120)
        proxy.refuse = lambda request: refusal(500)
        proxy.end_watches()
        began = time.monotonic()
        setup.tenant.apply("gull")
        until(lambda: not setup.operator.leads, 120)
        until(lambda: time.monotonic() - began >= seconds, 3600)
        assert setup.operator.answer("/readyz") == 200
        refused, proxy.refused = proxy.refused, 0
        proxy.refuse = lambda request: None
        ended = time.monotonic()
        setup.ends_well()
        assert setup.operator.leads
        assert setup.operator.log.read_text().count('"started"') == 1
        figures = {"outage_seconds": round(ended - began), "requests": refused}
        print(json.dumps(figures | {"model_after_seconds": round(time.monotonic() - ended, 1)}))
