"""The endpoint over the wire, and Hugging Face's own callback against it."""

import asyncio
import contextlib
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from transformers import TrainerControl, TrainerState
from transformers.integrations import KubeflowCallback

from builders.progress import Training, a_report
from tweetbot_cluster.kubernetes.certificates import Authority
from tweetbot_cluster.state import free_ports
from tweetbot_contract.handover import PROGRESS_CA_ENV, PROGRESS_TOKEN_ENV, PROGRESS_URL_ENV, build_progress_path
from tweetbot_fakes.kubernetes.token_keys import a_token
from tweetbot_operator.client.errors import NotFound
from tweetbot_operator.progress.errors import ReportRefused
from tweetbot_operator.progress.server import ProgressServer
from tweetbot_operator.progress.tls import ServingCertificate
from tweetbot_operator.telemetry.logs import ClientErrorFilter


class Served:
    """A training, and the address at which its progress is taken."""

    def __init__(self, training: Training, base: str) -> None:
        self.training, self.address = training, base.partition("://")[2]
        self.url = base + build_progress_path("team-a", training.run.bot, training.run.run)
        self.token = a_token(training.audience, training.pod.uid)

    async def post(self, body: bytes, token: str | None = None, url: str = "") -> tuple[int, str]:
        """Return status and message of the answer."""
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(url or self.url, data=body, headers=headers) as answer,
        ):
            return answer.status, (await answer.json())["message"] if answer.content_type.endswith("json") else ""

    async def send(self, text: str, *, dies: bool = False) -> str:
        """Send this text as it is, and return the answer unless the sender dies."""
        host, _, port = self.address.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(text.encode())
        await writer.drain()
        answer = b"" if dies else await reader.read(100)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        return answer.decode()

    def percent(self) -> int | None:
        live = self.training.board.get(self.training.run.key)
        return live.report.percent if live else None


@contextlib.asynccontextmanager
async def serving(name: str, certificate: ServingCertificate | None = None) -> AsyncIterator[Served]:
    training, (port,) = Training(name), free_ports(1)
    server = ProgressServer(training.desk())
    await server.start("127.0.0.1", port, certificate)
    try:
        yield Served(training, f"{'https' if certificate else 'http'}://127.0.0.1:{port}")
    finally:
        await server.stop()
        await training.forward.close()
        training.board.clear()


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving("served") as endpoint:
        yield endpoint


async def test_a_report_is_taken(served: Served) -> None:
    assert await served.post(a_report(42)) == (200, "ok")
    assert served.percent() == 42


async def test_without_a_token_nothing_is_read(served: Served) -> None:
    async with aiohttp.ClientSession() as session, session.post(served.url, data=a_report()) as answer:
        assert answer.status == 401


@pytest.mark.parametrize("token", ["", "x", a_token("tweetbot.dev/another", "pod-of-served")])
async def test_a_token_that_is_not_this_runs_is_refused(served: Served, token: str) -> None:
    assert (await served.post(a_report(), token))[0] == 401


async def test_a_pod_of_another_run_is_refused(served: Served) -> None:
    assert (await served.post(a_report(), a_token(served.training.audience, "a-neighbour")))[0] == 403


async def test_a_token_is_good_for_its_own_path_only(served: Served) -> None:
    assert (await served.post(a_report(), url=served.url.replace("team-a", "team-b")))[0] == 401
    assert (await served.post(a_report(), url=served.url + "/more"))[0] == 404


async def test_a_body_that_is_no_report_is_told_why(served: Served) -> None:
    status, message = await served.post(a_report(200))
    assert (status, message.startswith("trainerStatus.progressPercentage: ")) == (400, True)


async def test_a_body_without_end_is_cut_off(served: Served) -> None:
    assert (await served.post(b" " * (65 * 1024)))[0] == 413


async def test_what_a_sender_breaks_is_answered_and_no_fault_of_ours(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    """A body that is not what its header says, a Pod that dies in the middle of one, and what is no HTTP at all."""
    caplog.handler.addFilter(ClientErrorFilter())
    post = f"POST {urlsplit(served.url).path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {served.token}\r\n"
    answers = [
        await served.send(f"{post}Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"),
        await served.send(f"{post}Content-Length: 500\r\n\r\nhello", dies=True),
        await served.send("no HTTP\r\n\r\n"),
    ]
    assert [answer.split(" ")[1:2] for answer in answers] == [["400"], [], ["400"]]
    assert await served.post(a_report(42)) == (200, "ok")
    assert caplog.records == []


async def test_a_step_back_is_a_conflict(served: Served) -> None:
    await served.post(a_report(42))
    assert (await served.post(a_report(41)))[0] == 409


async def test_a_flood_is_answered_with_a_pause(served: Served) -> None:
    statuses = [(await served.post(a_report(42)))[0] for _ in range(5)]
    assert statuses == [200, 200, 200, 200, 429]


async def test_a_standby_hands_a_report_on_to_the_leader(served: Served) -> None:
    async with serving("served") as leader:
        await served.post(a_report(41))
        served.training.leads, served.training.leader = False, leader.address
        assert await served.post(a_report(42)) == (200, "ok")
        assert (leader.percent(), served.percent()) == (42, None)
        assert (await served.post(a_report(40)))[0] == 409


async def test_a_standby_checks_before_it_hands_on(served: Served) -> None:
    async with serving("served") as leader:
        served.training.leads, served.training.leader = False, leader.address
        assert (await served.post(a_report(42), "no token"))[0] == 401
        assert leader.training.keys.looks == 0


@pytest.mark.parametrize("leader", ["", "127.0.0.1:1"], ids=["unknown", "gone"])
async def test_a_standby_that_reaches_no_leader_asks_to_come_back(served: Served, leader: str) -> None:
    served.training.leads, served.training.leader = False, leader
    assert (await served.post(a_report(42)))[0] == 503
    assert served.percent() is None


async def test_no_report_goes_round_between_two_standbys(served: Served) -> None:
    async with serving("served") as other:
        served.training.leads = other.training.leads = False
        served.training.leader, other.training.leader = other.address, served.address
        status, message = await served.post(a_report(42))
        assert (status, "neither" in message) == (503, True)


async def test_where_nobody_can_judge_a_token_the_sender_comes_back(served: Served) -> None:
    served.training.keys.fault = NotFound("404")
    served.training.keys.verdict = NotFound("404")
    assert (await served.post(a_report(42)))[0] == 503


def test_each_refusal_has_a_status_of_its_own() -> None:
    kinds = ReportRefused.__subclasses__()
    assert len({kind.status for kind in kinds}) == len(kinds) == 6


# ---- Hugging Face's own callback


@pytest.fixture
def reporting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """What the operator puts into a Pod, but for the address."""
    (tmp_path / "ca").mkdir()
    authority = Authority(tmp_path / "ca")
    monkeypatch.setenv(PROGRESS_CA_ENV, str(authority.certificate_file))
    monkeypatch.setenv(PROGRESS_TOKEN_ENV, str(tmp_path / "token"))
    monkeypatch.setenv("no_proxy", "*")
    patient = partial(urllib.request.urlopen, timeout=120)  # the callback's own 5 s would fail on a busy machine
    monkeypatch.setattr(urllib.request, "urlopen", lambda request, timeout, context: patient(request, context=context))
    return authority


def trained(steps: int) -> None:
    """Walk the callback through a training as Trainer does; no step waits for the clock."""
    callback: Any = KubeflowCallback()
    callback._MIN_UPDATE_INTERVAL = 0.0
    state, control = TrainerState(max_steps=steps, is_world_process_zero=True), TrainerControl()
    callback.on_train_begin(None, state, control)
    for step in range(1, steps + 1):
        state = replace(state, global_step=step, epoch=step / steps)
        callback.on_log(None, state, control, logs={"loss": 3.0 - step / 10, "learning_rate": 1e-4})
        callback.on_step_end(None, state, control)
    callback.on_train_end(None, state, control)


async def test_hugging_faces_callback_reports_unchanged(
    reporting: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = ServingCertificate(*reporting.server("operator", ("127.0.0.1",)))
    async with serving("kubeflow", certificate) as served:
        (tmp_path / "token").write_text(served.token)
        monkeypatch.setenv(PROGRESS_URL_ENV, served.url)
        await asyncio.to_thread(trained, 2)
        live = served.training.board.get(served.training.run.key)
    assert live is not None
    assert (live.report.percent, live.report.step, live.report.total_steps) == (100, 2, 2)
    assert (live.report.train_loss, live.report.eta_seconds) == (2.8, 0)


async def test_a_callback_that_does_not_know_the_certificate_sends_nothing(
    reporting: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    certificate = ServingCertificate(*Authority(tmp_path / "other").server("operator", ("127.0.0.1",)))
    async with serving("kubeflow", certificate) as served:
        (tmp_path / "token").write_text(served.token)
        monkeypatch.setenv(PROGRESS_URL_ENV, served.url)
        await asyncio.to_thread(trained, 2)
        assert served.percent() is None
