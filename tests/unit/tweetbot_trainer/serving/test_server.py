"""The server on a socket of this machine: what it serves, and how it ends."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from builders.published import a_dataset
from builders.serving.client import a_served_model, a_server
from builders.stages import a_local_run, a_version
from tweetbot_contract.data_table import DataTable
from tweetbot_contract.result import DatasetResult
from tweetbot_trainer.__main__ import run_command
from tweetbot_trainer.publishing.registry.publish import publish
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.serving.command import ServeOptions, run_serve
from tweetbot_trainer.serving.drafting.served import share_cores
from tweetbot_trainer.serving.server import open_listener, run_server
from tweetbot_trainer.store.folder import FolderStore


@contextmanager
def in_thread(serve: Any, stop: StopRequest) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        stop.request()
        thread.join(20)
        assert not thread.is_alive()


def ask(port: int, path: str, body: Any = None) -> Any:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST" if body else "GET", path, json.dumps(body) if body else None)
    answer = connection.getresponse().read()
    connection.close()
    return json.loads(answer)


@pytest.fixture
def published(folder: Path, tmp_path: Path) -> tuple[str, str]:
    """The address of a published version, and the one post that its model wrote and learned from."""
    run, store = a_local_run(tmp_path), FolderStore()
    copied = "My dream is to be a post that is copied to the letter by a model that learned it by heart"
    dataset = a_dataset(tmp_path, [copied])
    result = DatasetResult(digest=dataset[-64:], uri="s3://elsewhere/d", table=DataTable(downloaded=1, kept=1))
    manifest = a_version(folder.parent, run, dataset=result)
    publish(store, run, folder.parent, manifest)
    return f"{run.prefix}/models/{manifest.version}", manifest.version


@pytest.mark.parametrize("kind", ["address", "folder", "folder of the model"])
def test_a_published_version_is_served_with_its_dataset(published: tuple[str, str], kind: str) -> None:
    uri, version = published
    path = uri.removeprefix("file://")
    model = {"address": uri, "folder": path, "folder of the model": f"{path}/model"}[kind]
    stop, port = StopRequest(), find_free_port()
    options = ServeOptions((model, model), "127.0.0.1", port, None, None, None)
    with in_thread(lambda: run_serve(options, lambda _: lambda _: FolderStore(), stop), stop):
        first, second = wait_for(lambda: ask(port, "/api/models"))
        posts = ask(port, "/api/posts", {"prompt": "My dream is", "count": 1})["posts"]
    assert (first["version"], second["version"]) == (version, version)
    assert (first["name"], second["name"]) == (version, f"{version}-2")
    assert first["copiesChecked"]
    assert len(posts) == 1


def find_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_for(look: Any) -> Any:
    deadline = time.monotonic() + 30
    while True:
        try:
            return look()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_request_to_stop_ends_the_server_while_a_post_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stop, listener = StopRequest(), open_listener("127.0.0.1", 0)
    port = listener.getsockname()[1]
    app = a_server(a_served_model(folder))
    with in_thread(lambda: run_server(app, listener, stop), stop):  # type: ignore[arg-type]
        connection = HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("POST", "/api/posts", b'{"count": 20, "temperature": 2}', {"Accept": "text/event-stream"})
        assert connection.getresponse().status == 200
        stop.request()
    connection.close()
    assert re.search(rf"Open http://127\.0\.0\.1:{port}/", capsys.readouterr().err)


def test_a_server_that_nobody_asks_ends_by_itself(folder: Path) -> None:
    stop, listener = StopRequest(), open_listener("127.0.0.1", 0)
    app = a_server(a_served_model(folder))
    run_server(app, listener, stop, idle_seconds=0.01)  # type: ignore[arg-type]
    assert not stop.requested


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SpecRefused, match="another --port"):
        open_listener("127.0.0.1", taken.getsockname()[1])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--host", "0.0.0.0"), "TWEETBOT_SERVE_TOKEN"),
        (("--token-file", "/nowhere"), "--token-file /nowhere"),
        (("--port", "0"), "--model: there is no model in"),
    ],
)
def test_what_cannot_be_served_is_refused_with_what_to_do(
    tmp_path: Path, options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["serve", "--model", str(tmp_path), *options]) == 10
    assert said in capsys.readouterr().err


def test_the_token_comes_from_the_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TWEETBOT_SERVE_TOKEN", "0123456789abcdef")
    (tmp_path / "token").write_text("short\n")
    given = ["serve", "--model", str(tmp_path), "--host", "127.0.0.1", "--port", "0"]
    assert (run_command(given), "there is no model" in capsys.readouterr().err) == (10, True)
    assert run_command([*given, "--token-file", str(tmp_path / "token")]) == 10
    assert "shorter than 16 characters" in capsys.readouterr().err


def test_the_widest_model_chooses_the_threads(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr("torch.set_num_threads", asked.append)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    share_cores([a_served_model(folder)])
    monkeypatch.delenv("OMP_NUM_THREADS")
    share_cores([a_served_model(folder)])
    assert asked == [3, 1]


@pytest.mark.parametrize("before", [b"", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"])
def test_a_connection_without_a_whole_request_is_closed(
    folder: Path, before: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tweetbot_trainer.serving.server.HEAD_SECONDS", 0.05)
    stop, listener = StopRequest(), open_listener("127.0.0.1", 0)
    port, app = listener.getsockname()[1], a_server(a_served_model(folder))
    server = in_thread(lambda: run_server(app, listener, stop), stop)  # type: ignore[arg-type]
    with server, socket.create_connection(("127.0.0.1", port), timeout=20) as slow:
        slow.sendall(before + b"GET / HTTP/1.1\r\nHost: local")
        received = b""
        while chunk := slow.recv(4096):
            received += chunk
    assert received.startswith(b"HTTP/1.1 200" if before else b"")


def test_a_client_that_closes_its_connection_frees_its_place(folder: Path) -> None:
    stop, listener = StopRequest(), open_listener("127.0.0.1", 0)
    port, app = listener.getsockname()[1], a_server(a_served_model(folder))
    body = json.dumps({"count": 20, "temperature": 2}).encode()
    with in_thread(lambda: run_server(app, listener, stop), stop):  # type: ignore[arg-type]
        for _ in range(12):  # more than may wait
            leaving = HTTPConnection("127.0.0.1", port, timeout=20)
            leaving.request("POST", "/api/posts", body, {"Accept": "text/event-stream"})
            assert leaving.getresponse().status == 200
            leaving.close()
        assert len(ask(port, "/api/posts", {"count": 1})["posts"]) == 1
