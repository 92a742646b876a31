"""Probes and metrics over HTTP."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from builders.certificates import a_certificate
from tweetbot_cluster.state import free_ports
from tweetbot_operator.informers.watches import CannotStart
from tweetbot_operator.manager import listen
from tweetbot_operator.settings import OperatorSettings
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


def a_tls_folder(folder: Path) -> Path:
    """Write what the Secret of a certificate that signs itself is mounted as, and return the folder."""
    pem = a_certificate(folder).read_bytes()
    for name in ("tls.crt", "tls.key", "ca.crt"):
        (folder / name).write_bytes(pem)
    return folder


@pytest.fixture
async def https(port: int, tmp_path: Path) -> AsyncIterator[str]:
    """A Health over HTTPS that asks for certificates; its address."""
    health = Health(lambda: True, lambda: True, asks_clients=True)
    settings = OperatorSettings(
        http_host="127.0.0.1", http_port=port, tls_folder=str(a_tls_folder(tmp_path)), metrics_client_certificate=True
    )
    await listen(health, settings)
    yield f"https://127.0.0.1:{port}"
    await health.stop()


def trusting(folder: Path, *, shows: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    if shows:
        context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return context


async def fetch(url: str, tls: ssl.SSLContext) -> tuple[int, str]:
    """Over a connection of its own."""
    async with aiohttp.ClientSession() as session, session.get(url, ssl=tls) as answer:
        return answer.status, await answer.text()


async def test_metrics_are_for_clients_with_a_certificate_and_probes_for_all(https: str, tmp_path: Path) -> None:
    nobody, prometheus = trusting(tmp_path), trusting(tmp_path, shows=True)
    assert [(await fetch(https + path, nobody))[0] for path in ("/healthz", "/readyz")] == [200, 200]
    assert await fetch(https + "/metrics", nobody) == (401, "metrics need a client certificate\n")
    assert (await fetch(https + "/metrics", prometheus))[0] == 200


async def test_a_stranger_s_certificate_opens_nothing(https: str, tmp_path: Path) -> None:
    (tmp_path / "stranger").mkdir()
    stranger = trusting(tmp_path)
    pem = a_certificate(tmp_path / "stranger")
    stranger.load_cert_chain(pem, pem)
    with pytest.raises((aiohttp.ClientError, ssl.SSLError)):
        await fetch(https + "/metrics", stranger)


async def test_a_renewed_certificate_is_served_without_a_restart(https: str, tmp_path: Path) -> None:
    before = trusting(tmp_path)
    a_tls_folder(tmp_path)
    assert (await fetch(https + "/healthz", trusting(tmp_path)))[0] == 200
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await fetch(https + "/healthz", before)


async def test_a_certificate_that_cannot_be_read_leaves_the_old_one(https: str, tmp_path: Path) -> None:
    before = trusting(tmp_path)
    (tmp_path / "tls.crt").write_text("cut off")
    assert (await fetch(https + "/healthz", before))[0] == 200
    (tmp_path / "tls.crt").unlink()
    assert (await fetch(https + "/healthz", before))[0] == 200


async def test_without_its_certificate_it_does_not_start(port: int, tmp_path: Path) -> None:
    settings = OperatorSettings(http_host="127.0.0.1", http_port=port, tls_folder=str(tmp_path))
    with pytest.raises(CannotStart, match=r"TWEETBOT_TLS_FOLDER: no certificate can be read in .*: .*No such file"):
        await listen(Health(lambda: True, lambda: True), settings)
