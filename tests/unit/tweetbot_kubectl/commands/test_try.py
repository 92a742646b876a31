"""`kubectl tweetbot try`, with a kubectl and a page of the test's own."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tweetbot_fakes.kubernetes.api_requests import FakeApi
from tweetbot_fakes.plugin import a_model, a_stored_bot, a_stored_job, run_plugin

PODS = "/api/v1/namespaces/team-a/pods"


class Page(BaseHTTPRequestHandler):
    """Asks for a token."""

    def do_GET(self) -> None:
        self.send_error(401)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A kubectl that forwards to a page on this machine; the file has its arguments."""
    server = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    said = tmp_path / "arguments"
    script = (
        f'#!/bin/sh\necho "$@" > {said}\necho "Forwarding from 127.0.0.1:{server.server_port} -> 1"\nexec sleep 60\n'
    )
    (tmp_path / "kubectl").write_text(script)
    (tmp_path / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    yield said
    server.shutdown()
    server.server_close()


def a_trained(**more: Any) -> FakeApi:
    job = a_stored_job()
    job["metadata"]["labels"]["app.kubernetes.io/managed-by"] = "tweetbot-operator"
    job["spec"] = {"template": {"spec": {"containers": [{"name": "trainer", "image": "trainer:1"}]}}}
    return FakeApi(a_stored_bot(status={"model": a_model()}), job)


def play(api: FakeApi, *states: dict[str, Any]) -> Callable[[float], None]:
    """Have the Pod pass through states, one for each pause; after them somebody presses Ctrl-C."""
    left = iter(states)

    def pause(seconds: float) -> None:
        state = next(left, None)
        if state is None:
            raise KeyboardInterrupt
        (path,) = (each for each in api.documents if each.startswith(PODS))
        api.documents[path]["status"] = {"containerStatuses": [{"name": "trainer", "state": state}]}
        api.logs[path.rpartition("/")[2]] = ["starting", "tweetbot-trainer: StorageUnavailable: S3 does not answer"]

    return pause


def list_writes(api: FakeApi) -> list[str]:
    return [verb for verb, path, _ in api.sent if path.startswith(PODS)]


def test_a_page_is_served_until_ctrl_c_and_its_pod_is_deleted(kubectl: Path) -> None:
    api = a_trained()
    done = run_plugin(api, "try", "gull", "--no-browser", "-o", "json", sleep=play(api, {"running": {}}))
    served = json.loads(done.output)
    assert done.code == 0
    assert served["url"].startswith("http://127.0.0.1:")
    assert list_writes(api) == ["POST", "DELETE"]
    pod = api.sent[0][2]
    assert kubectl.read_text().startswith(f"--namespace team-a port-forward --address 127.0.0.1 pod/{served['pod']} :")
    assert pod["spec"]["containers"][0]["image"] == "trainer:1"
    token = served["url"].rpartition("=")[2]
    assert token in pod["metadata"]["annotations"].values()
    assert token not in kubectl.read_text()


@pytest.mark.usefixtures("kubectl")
def test_the_browser_is_opened_unless_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def open_page(address: str) -> None:
        opened.append(Path(address.removeprefix("file://")).read_text())

    monkeypatch.setattr("webbrowser.open", open_page)
    monkeypatch.setenv("DISPLAY", ":0")
    api = a_trained()
    assert "is at http://127.0.0.1:" in run_plugin(api, "try", "gull", sleep=play(api, {"running": {}})).output
    assert "url=http://127.0.0.1:" in opened[0]
    run_plugin(api, "try", "gull", "--no-browser", sleep=play(api, {"running": {}}))
    monkeypatch.delenv("DISPLAY")
    run_plugin(api, "try", "gull", sleep=play(api, {"running": {}}))
    assert len(opened) == 1


@pytest.mark.usefixtures("kubectl")
def test_a_server_that_ends_because_nobody_comes_ends_the_command_well() -> None:
    api = a_trained()
    states: tuple[dict[str, Any], ...] = ({"running": {}}, {"terminated": {"exitCode": 0}})
    done = run_plugin(api, "try", "gull", "--no-browser", sleep=play(api, *states))
    assert (done.code, "Nobody used the page" in done.notes) == (0, True)
    assert list_writes(api) == ["POST", "DELETE"]


@pytest.mark.usefixtures("kubectl")
def test_a_server_that_does_not_start_is_told_in_its_own_words_and_its_pod_is_deleted() -> None:
    api = a_trained()
    done = run_plugin(api, "try", "gull", "--no-browser", sleep=play(api, {"terminated": {"exitCode": 75}}))
    assert (done.code, "S3 does not answer" in done.notes) == (1, True)
    assert list_writes(api) == ["POST", "DELETE"]


@pytest.mark.usefixtures("kubectl")
def test_ctrl_c_while_it_starts_deletes_the_pod() -> None:
    api = a_trained()
    assert run_plugin(api, "try", "gull", sleep=play(api)).code == 0
    assert list_writes(api) == ["POST", "DELETE"]


@pytest.mark.usefixtures("kubectl")
def test_what_an_earlier_try_left_behind_is_deleted_first() -> None:
    api = a_trained()
    labels = {"app.kubernetes.io/managed-by": "kubectl-tweetbot", "app.kubernetes.io/component": "playground"}
    left = {
        "kind": "Pod",
        "metadata": {"name": "old", "namespace": "team-a", "labels": {**labels, "tweetbot.dev/bot": "gull"}},
    }
    api.add({**left, "status": {"phase": "Succeeded"}})
    pause = play(api)
    run_plugin(api, "try", "gull", sleep=pause)
    assert list_writes(api) == ["DELETE", "POST", "DELETE"]


@pytest.mark.usefixtures("kubectl")
def test_ctrl_c_while_the_pod_is_being_created_deletes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    api, create = a_trained(), FakeApi.post

    def post(self: FakeApi, path: str, body: dict[str, Any]) -> dict[str, Any]:
        create(self, path, body)
        raise KeyboardInterrupt

    monkeypatch.setattr(FakeApi, "post", post)
    assert run_plugin(api, "try", "gull").code == 130
    assert list_writes(api) == ["POST", "DELETE"]


@pytest.mark.usefixtures("kubectl")
def test_without_a_model_nothing_is_started() -> None:
    api = FakeApi(a_stored_bot())
    done = run_plugin(api, "try", "gull")
    assert (done.code, api.sent, "has no model yet" in done.notes) == (3, [], True)


@pytest.mark.usefixtures("kubectl")
def test_where_nothing_shows_the_image_it_is_asked_for() -> None:
    api = FakeApi(a_stored_bot(status={"model": a_model()}))
    api.forbid("list", "deployments")
    done = run_plugin(api, "try", "gull")
    assert (done.code, api.sent, "Name it with --image" in done.notes) == (1, [], True)


@pytest.mark.usefixtures("kubectl")
def test_who_may_not_create_pods_is_told() -> None:
    api = a_trained()
    api.forbid("create", "pods")
    done = run_plugin(api, "try", "gull")
    assert (done.code, "You may not create pods in namespace team-a" in done.notes) == (4, True)


def test_without_kubectl_nothing_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    api = a_trained()
    done = run_plugin(api, "try", "gull")
    assert (done.code, api.sent, "no kubectl on PATH" in done.notes) == (1, [], True)
