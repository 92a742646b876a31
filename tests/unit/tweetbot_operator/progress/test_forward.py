"""Between replicas: the leader is known by its address in the Lease, and by the certificate of the Service's name."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from builders.operator import NOON
from tweetbot_cluster.kubernetes.certificates import Authority
from tweetbot_cluster.state import free_ports
from tweetbot_fakes.kubernetes.lease import FakeLease
from tweetbot_operator.client.leader_election import LeaderElectionConfig, LeaderElector, Leadership
from tweetbot_operator.client.lease import Lease
from tweetbot_operator.progress.errors import NotNow
from tweetbot_operator.progress.forward import FORWARDED, Forwarder
from tweetbot_operator.progress.tls import ServingCertificate
from tweetbot_operator.settings import OperatorSettings, Pem

Answer = Callable[[web.Request], web.Response]


def ok(request: web.Request) -> web.Response:
    return web.json_response({"message": f"ok {request.headers['Authorization']} {request.headers[FORWARDED]}"})


async def handed_on(tmp_path: Path, answer: Answer, *, name: str = "localhost") -> tuple[int, str]:
    """Hand a report on to a leader on the loopback, known by this name."""
    (tmp_path / "ca").mkdir()
    authority = Authority(tmp_path / "ca")
    (port,) = free_ports(1)
    certificate = ServingCertificate(*authority.server("leader", ()))

    async def handle(request: web.Request) -> web.Response:
        return answer(request)

    app = web.Application()
    app.router.add_post("/x", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=certificate.context).start()
    pem = Pem(authority.certificate_file.read_text())
    settings = OperatorSettings.model_construct(progress_url=f"https://{name}:8443", progress_ca=pem)
    forward = Forwarder(settings, lambda: f"127.0.0.1:{port}")
    try:
        return await forward("/x", "Bearer token", b"{}")
    finally:
        await forward.close()
        await runner.cleanup()


async def test_the_leader_is_reached_by_address_and_known_by_name(tmp_path: Path) -> None:
    assert await handed_on(tmp_path, ok) == (200, "ok Bearer token 1")


async def test_a_stranger_at_the_leaders_address_gets_no_token(tmp_path: Path) -> None:
    seen: list[web.Request] = []

    def noted(request: web.Request) -> web.Response:
        seen.append(request)
        return ok(request)

    with pytest.raises(NotNow):
        await handed_on(tmp_path, noted, name="tweetbot-operator.ops.svc")
    assert seen == []


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: web.Response(text="<html>"),
        lambda request: web.json_response({"no": "message"}),
        lambda request: web.Response(status=307, headers={"Location": "/elsewhere"}),
    ],
    ids=["a page", "another's JSON", "a redirect"],
)
async def test_an_answer_that_is_not_the_operators_is_none(tmp_path: Path, answer: Answer) -> None:
    with pytest.raises(NotNow):
        await handed_on(tmp_path, answer)


def an_elector(door: FakeLease, name: str) -> LeaderElector:
    return LeaderElector(door, LeaderElectionConfig(name, address=f"{name}:8443"), lambda: 0.0, lambda: NOON)


async def test_the_standbys_read_the_leaders_address_in_the_lease() -> None:
    door = FakeLease()
    first, second = an_elector(door, "first"), an_elector(door, "second")
    for elector in (first, second):
        await elector.try_acquire_or_renew()
    assert (first.get_leader_address(), second.get_leader_address()) == ("", "first:8443")
    await first.release()
    await second.try_acquire_or_renew()
    assert (second.leading.is_set(), second.get_leader_address()) == (True, "")


async def test_a_leader_of_another_version_that_tells_no_address_has_none() -> None:
    door = FakeLease(lease=Lease("old", 15, resource_version="1"))
    standby = an_elector(door, "new")
    await standby.try_acquire_or_renew()
    assert standby.get_leader_address() == ""
    assert door.lease == replace(Lease("old", 15), resource_version="1")


def test_without_an_election_there_is_no_other() -> None:
    assert Leadership().get_leader_address() == ""
