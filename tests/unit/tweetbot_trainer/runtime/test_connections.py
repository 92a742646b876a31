"""Addresses are checked when a connection is made: names that change, redirects, servers that name other servers."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from io import StringIO
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import requests
from huggingface_hub import close_session
from huggingface_hub.utils._runtime import is_xet_available

from builders.remote_clients import CLIENTS
from builders.stages import a_local_run
from tweetbot_contract import handover
from tweetbot_fakes.remotes.served import Served
from tweetbot_trainer.__main__ import run_command
from tweetbot_trainer.cli import cleanup as cli_cleanup
from tweetbot_trainer.cli import stage as cli_stage
from tweetbot_trainer.data.sources.http import download_picture
from tweetbot_trainer.learning.model import hub
from tweetbot_trainer.runtime.egress import ForbiddenAddress, guard_connections
from tweetbot_trainer.runtime.egress_proxy import serve_egress_proxy
from tweetbot_trainer.runtime.errors import SpecRefused, StageError
from tweetbot_trainer.runtime.log import Log

#: Two networks of this machine: one that is allowed, and one that stands for the cluster's.
ALLOWED = (ip_network("127.0.0.1/32"),)
INSIDE = "127.0.0.2"


@pytest.fixture(autouse=True)
def _fresh_sessions() -> Iterator[None]:
    close_session()
    yield
    close_session()


class Inside:
    """A server that nobody may reach: it counts the connections that it gets."""

    def __init__(self) -> None:
        self.socket = socket.create_server((INSIDE, 0))
        self.url = f"http://{INSIDE}:{self.socket.getsockname()[1]}"
        self.reached = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.reached += 1
            connection.close()


@pytest.fixture
def inside() -> Iterator[Inside]:
    server = Inside()
    yield server
    server.socket.close()


@contextmanager
def redirecting(target: str) -> Iterator[str]:
    """Serve redirects of everything to another server."""

    class Redirect(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(307)
            self.send_header("Location", f"{target}{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_HEAD = do_PUT = do_GET

        def log_message(self, *_: Any) -> None: ...

    with Served(Redirect) as server:
        yield server.url


def leading_to(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every name resolve to an address from now on."""
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, port, *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))],
    )


@pytest.mark.parametrize("client", CLIENTS)
def test_a_name_that_leads_inside_when_it_is_used_is_final(
    tmp_path: Path, client: str, inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It led elsewhere when the spec was checked; now no client connects, or waits."""
    leading_to(INSIDE, monkeypatch)
    with (
        guard_connections(ALLOWED, {}),
        pytest.raises(SpecRefused, match=r"forbidden address.*127\.0\.0\.2 is not a public"),
    ):
        CLIENTS[client](inside.url.replace(INSIDE, "rebound.example"), tmp_path)
    assert inside.reached == 0


@pytest.mark.parametrize("client", CLIENTS)
def test_no_client_follows_a_redirect_inside(tmp_path: Path, client: str, inside: Inside) -> None:
    with (
        guard_connections(ALLOWED, {}),
        redirecting(inside.url) as url,
        pytest.raises((StageError, AssertionError)),
    ):
        CLIENTS[client](url, tmp_path)
    assert inside.reached == 0


def test_the_hub_does_follow_redirects_where_they_lead_outside(tmp_path: Path) -> None:
    """So the test before this one says something about the hub's client."""
    asked: list[str] = []

    class Asked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: Any) -> None: ...

    with (
        Served(Asked) as last,
        redirecting(last.url) as first,
        guard_connections(ALLOWED, {}),
        pytest.raises((StageError, AssertionError)),
    ):
        CLIENTS["the Hub"](first, tmp_path)
    assert asked


def test_without_the_guard_they_would_be_reached(tmp_path: Path, inside: Inside) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get(inside.url, timeout=5)
    assert inside.reached == 1


@pytest.mark.parametrize("address", ["127.0.0.2", "::ffff:127.0.0.2", "169.254.169.254", "10.96.0.1", "0.0.0.0"])
def test_every_way_to_connect_is_checked(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with guard_connections(ALLOWED, {}), socket.socket(family) as one:
        for connect in (one.connect, one.connect_ex):
            with pytest.raises(ForbiddenAddress):
                connect((address, 9))
    with guard_connections(ALLOWED, {}), socket.socket() as one, pytest.raises(ForbiddenAddress, match="is no IP"):
        one.connect(("localhost", 9))


def test_servers_that_the_platform_chose_may_be_anywhere(inside: Inside) -> None:
    port = inside.url.rpartition(":")[2]
    for env in ({"https_proxy": f"{INSIDE}:{port}"}, {"HF_ENDPOINT": inside.url}):
        with guard_connections((), env):
            socket.create_connection((INSIDE, int(port)), 5).close()
            with pytest.raises(ForbiddenAddress):
                socket.create_connection((INSIDE, int(port) + 1), 5)
    with guard_connections(
        (), {"AWS_ENDPOINT_URL": f"http://s3.internal:{port}"}, resolve=lambda _: [ip_address(INSIDE)]
    ):
        socket.create_connection((INSIDE, int(port)), 5).close()


def test_pipes_of_this_machine_are_no_network(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "pipe"))
        server.listen()
        with guard_connections((), {}):
            client.connect(str(tmp_path / "pipe"))


class Echo(BaseHTTPRequestHandler):
    """Answers with what it got."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        seen = json.dumps({"path": self.path, "headers": dict(self.headers), "body": body.decode()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(seen)))
        self.end_headers()
        self.wfile.write(seen)

    do_GET = do_PUT

    def log_message(self, *_: Any) -> None: ...


def test_the_proxy_passes_on_what_is_allowed_and_nothing_else(inside: Inside) -> None:
    lines = StringIO()
    with guard_connections(ALLOWED, {}), serve_egress_proxy({}, Log(lines)) as proxy, Served(Echo) as server:
        assert proxy is not None
        with requests.Session() as session:
            session.trust_env, session.proxies = False, {"http": proxy, "https": proxy}
            seen = session.put(f"{server.url}/a?b=c", data="x" * 100_000, timeout=10).json()
            assert (seen["path"], len(seen["body"])) == ("/a?b=c", 100_000)
            assert session.put(f"{server.url}/again", data="y", timeout=10).json()["body"] == "y"
            assert session.get(f"{inside.url}/secret", timeout=10).status_code == 502
            with pytest.raises(requests.ConnectionError):
                session.get(inside.url.replace("http:", "https:"), timeout=10)
    assert inside.reached == 0
    assert "127.0.0.2 is not a public address" in lines.getvalue()


def test_a_proxy_of_the_platform_is_used_instead() -> None:
    with serve_egress_proxy({"HTTPS_PROXY": "http://proxy.example:3128"}, Log(StringIO())) as proxy:
        assert proxy is None


@pytest.mark.parametrize(
    "address", ["http://127.0.0.2:9/a.png", "https://other.example/a.png", "ftp://cdn.example/a", "a"]
)
def test_a_picture_of_any_other_host_is_left_out(address: str) -> None:
    lines = StringIO()
    found = download_picture(address, hosts=("https://cdn.example",), event="x.avatar", log=Log(lines))
    assert (found, "another host" in lines.getvalue()) == (None, True)


@pytest.fixture
def pod(tmp_path: Path, inside: Inside, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Return a function that runs a stage whose endpoint lies inside, and returns what it leaves."""
    monkeypatch.setenv(handover.TERMINATION_LOG_ENV, str(tmp_path / "termination-log"))
    monkeypatch.setenv(handover.WORK_DIR_ENV, str(tmp_path / "work"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv(handover.ALLOWED_NETWORKS_ENV, raising=False)

    def end(stage: str) -> str:
        s3 = {"uri": "s3://team-a/models", "endpoint": inside.url, "region": "us-east-1"}
        run = a_local_run(tmp_path, spec={"output": {"s3": s3}}, stage=stage.capitalize(), dataset="d" * 64)
        monkeypatch.setenv(handover.RUN_ENV, run.encode())
        assert (run_command([stage]), inside.reached) == (10, 0)
        return (tmp_path / "termination-log").read_text(encoding="utf-8")

    return end


@pytest.mark.parametrize("stage", ["prepare", "train", "cleanup"])
def test_every_stage_asks_whether_an_endpoint_is_allowed(stage: str, pod: Callable[[str], str]) -> None:
    assert "output.s3.endpoint" in pod(stage)


@pytest.mark.parametrize("stage", ["prepare", "train", "cleanup"])
def test_every_stage_checks_connections_when_they_are_made(
    stage: str, pod: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the first check says is not believed: the name may lead elsewhere by now."""
    for module in (cli_stage, cli_cleanup):
        monkeypatch.setattr(module, "check_endpoints", lambda *_: None)
    assert "led to a forbidden address" in pod(stage)


def test_the_hubs_client_in_rust_is_switched_off() -> None:
    """It would connect past the check."""
    assert callable(hub.resolve_commit)
    assert not is_xet_available()
