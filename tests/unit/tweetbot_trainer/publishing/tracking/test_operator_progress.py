"""Reports go out beside a training: they hold it up in nothing, fail it in nothing, and their estimate comes true."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tweetbot_contract.handover import PROGRESS_CA_ENV, PROGRESS_TOKEN_ENV, PROGRESS_URL_ENV
from tweetbot_trainer.learning.training.metrics import TrainingProgress
from tweetbot_trainer.publishing.tracking.operator_progress import (
    Estimate,
    ProgressEndpoint,
    ProgressReporter,
    build_body,
    report_progress,
)
from tweetbot_trainer.runtime.log import Log


def at_step(step: int, *, total: int = 100) -> TrainingProgress:
    return TrainingProgress(step, total, 0.5, train_loss=2.34567, eval_loss=None, eta_seconds=12.7)


def status_in(body: bytes) -> dict[str, Any]:
    status: dict[str, Any] = json.loads(body)["trainerStatus"]
    return status


class Post:
    """Where reports go; `holds` keeps them until the test lets go, `fault` is raised."""

    def __init__(self, *, fault: Exception | None = None, holds: bool = False) -> None:
        self.bodies: list[bytes] = []
        self.came, self.free, self.fault = threading.Event(), threading.Event(), fault
        if not holds:
            self.free.set()

    def __call__(self, body: bytes) -> None:
        self.came.set()
        self.free.wait()
        self.bodies.append(body)
        if self.fault:
            raise self.fault


def test_a_report_speaks_as_hugging_face_does() -> None:
    told = status_in(build_body(at_step(7), 93.4, False))
    metrics = {metric["name"]: metric["value"] for metric in told["metrics"]}
    assert (told["progressPercentage"], told["estimatedRemainingSeconds"]) == (7, 93)
    assert metrics == {"loss": "2.34567", "current_step": "7", "total_steps": "100", "current_epoch": "0.5"}
    assert all(isinstance(value, str) for value in metrics.values())


@pytest.mark.parametrize(("ended", "percent"), [(False, 99), (True, 100)])
def test_a_training_is_done_when_it_has_ended(ended: bool, percent: int) -> None:
    assert status_in(build_body(at_step(100), 0.0, ended))["progressPercentage"] == percent


def test_the_last_word_is_a_hundred_percent() -> None:
    post = Post()
    reporter = ProgressReporter(post, Log(StringIO()))
    reporter(at_step(42))
    assert post.came.wait(120)
    reporter.end(well=True)
    assert reporter._done.wait(120)
    assert [status_in(body)["progressPercentage"] for body in post.bodies] == [42, 100]
    steps = [each["value"] for each in status_in(post.bodies[-1])["metrics"] if each["name"] == "current_step"]
    assert steps == ["42"]  # it stopped early


def test_a_training_that_stops_reports_where_it_stopped() -> None:
    post = Post()
    reporter = ProgressReporter(post, Log(StringIO()))
    reporter(at_step(42))
    reporter.end(well=False)
    assert reporter._done.wait(120)
    assert status_in(post.bodies[-1])["progressPercentage"] == 42


def test_a_training_without_a_step_reports_nothing() -> None:
    post = Post()
    reporter = ProgressReporter(post, Log(StringIO()))
    reporter.end(well=True)
    assert reporter._done.wait(120)
    assert post.bodies == []


def test_no_step_waits_for_an_operator_that_does_not_answer() -> None:
    """The post hangs until the steps are done: a reporter that waited for it would never get there."""
    post = Post(holds=True)
    reporter = ProgressReporter(post, Log(StringIO()))
    for step in range(1, 1001):
        reporter(at_step(step, total=1000))
    assert post.bodies == []
    post.free.set()
    reporter.end(well=True)
    assert reporter._done.wait(120)
    assert status_in(post.bodies[-1])["progressPercentage"] == 100


@pytest.mark.parametrize("fault", [OSError("no route"), ValueError("bad URL"), RuntimeError("anything")])
def test_no_training_fails_by_its_reports_and_one_line_says_so(fault: Exception) -> None:
    stream, post = StringIO(), Post(fault=fault)
    reporter = ProgressReporter(post, Log(stream))
    reporter(at_step(1))
    assert post.came.wait(120)
    reporter.end(well=True)
    assert reporter._done.wait(120)
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["progress.not_taken"]


# ---- the estimate


def estimates(seconds_of: Callable[[int], float], *, steps: int = 200) -> list[float]:
    """Return the error of each estimate as a share of the whole training, for steps of these lengths."""
    now = [0.0]
    estimate, ends = Estimate(clock=lambda: now[0]), sum(seconds_of(step) for step in range(1, steps + 1))
    errors = []
    for step in range(1, steps + 1):
        now[0] += seconds_of(step)
        left = estimate.estimate_seconds_left(at_step(step, total=steps))
        if left is not None:
            errors.append(abs(now[0] + left - ends) / ends)
    return errors


PACES: dict[str, Callable[[int], float]] = {
    "steady": lambda step: 1.0,
    "warm-up": lambda step: 60.0 if step == 1 else 1.0,
    "evaluations": lambda step: 21.0 if step % 50 == 0 else 1.0,
    "uneven": lambda step: 0.5 + (step * 7919 % 11) / 10,
    "slower": lambda step: 1.0 if step < 100 else 2.0,
}


@pytest.mark.parametrize("pace", PACES)
def test_the_estimate_converges(pace: str) -> None:
    errors = estimates(PACES[pace])
    assert errors[-1] < 1e-9
    assert max(errors[-20:]) < 0.1
    assert sum(errors[100:]) < sum(errors[:100]) + 1e-6


def test_a_warm_up_does_not_spoil_the_estimate() -> None:
    assert max(estimates(PACES["warm-up"])) < 1e-9


def test_nothing_is_estimated_from_one_step() -> None:
    assert Estimate().estimate_seconds_left(at_step(1)) is None


# ---- over the wire


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.seen.append((self.path, self.headers["Authorization"], body))
        if b'"progressPercentage": 100' in body:
            server.heard_the_end.set()
        self.send_response(server.status)
        if server.status == 307:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


class _Server(HTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[str, str, bytes]] = []
        self.heard_the_end = threading.Event()
        self.status = 200


@pytest.fixture
def server() -> Iterator[_Server]:
    server = _Server()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def place(server: _Server, folder: Path) -> ProgressEndpoint:
    (folder / "token").write_text("first\n")
    env = {
        PROGRESS_URL_ENV: f"http://127.0.0.1:{server.server_port}/apis/x",
        PROGRESS_TOKEN_ENV: str(folder / "token"),
    }
    found = ProgressEndpoint.from_env(env)
    assert found is not None
    return found


def test_a_token_that_the_kubelet_renewed_is_used(server: _Server, tmp_path: Path) -> None:
    place(server, tmp_path).post(b"{}")
    (tmp_path / "token").write_text("second")
    ProgressEndpoint(f"http://127.0.0.1:{server.server_port}/apis/x", tmp_path / "token", None).post(b"{}")
    assert [token for _, token, _ in server.seen] == ["Bearer first", "Bearer second"]


def test_no_redirect_carries_the_token_elsewhere(server: _Server, tmp_path: Path) -> None:
    server.status = 307
    with pytest.raises(OSError, match="307"):
        place(server, tmp_path).post(b"{}")
    assert [path for path, _, _ in server.seen] == ["/apis/x"]


def test_no_proxy_sees_the_token(server: _Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    place(server, tmp_path).post(b"{}")
    assert len(server.seen) == 1


def test_a_whole_training_over_the_wire(server: _Server, tmp_path: Path) -> None:
    with report_progress(place(server, tmp_path), Log(StringIO())) as report:
        report(at_step(1))
    assert server.heard_the_end.wait(120)


@pytest.mark.parametrize("missing", [PROGRESS_URL_ENV, PROGRESS_TOKEN_ENV])
def test_where_nobody_asks_nothing_is_reported(missing: str) -> None:
    env = {PROGRESS_URL_ENV: "https://x", PROGRESS_TOKEN_ENV: "/t", PROGRESS_CA_ENV: "/ca"}
    assert ProgressEndpoint.from_env({name: value for name, value in env.items() if name != missing}) is None
    with report_progress(None, Log(StringIO())) as report:
        report(at_step(1))
