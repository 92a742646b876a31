"""A stage shows how far it is to anyone who asks, and no one who asks can fail it or hold it up."""

import itertools
import json
import os
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from builders.stages import a_local_run
from tweetbot_contract.progress import PROGRESS_PORT, REPORT_LIMIT, parse_report
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.progress import StageProgress, serve_progress

RUN = a_local_run(Path("/nowhere"))
#: Loopback addresses that no other test binds.
FREE_IPS = (f"127.77.{os.getpid() % 250}.{number}" for number in itertools.count(1))


class ServedProgress(StageProgress):
    """The progress of a stage that is served at an address of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.address = (next(FREE_IPS), PROGRESS_PORT)


@pytest.fixture
def progress() -> Iterator[ServedProgress]:
    """The progress of a stage that is served."""
    progress = ServedProgress()
    with serve_progress(progress, RUN, "uid-of-the-pod", progress.address[0], Log(StringIO())):
        yield progress


def ask(progress: ServedProgress, path: str = "/progress", method: str = "GET") -> tuple[int, bytes]:
    host, port = progress.address
    request = urllib.request.Request(f"http://{host}:{port}{path}", method=method)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, b""


def test_a_stage_that_has_just_started_says_who_it_is(progress: ServedProgress) -> None:
    status, body = ask(progress)
    expected = {"schemaVersion": 1, "runId": RUN.run_id, "stage": "Prepare", "podUid": "uid-of-the-pod"}
    assert (status, json.loads(body)) == (200, expected)


def test_it_says_how_far_it_is(progress: ServedProgress) -> None:
    progress.update(percent=41, step=41, total_steps=100, eta_seconds=754, train_loss=2.3456789, eval_loss=None)
    report = parse_report(ask(progress)[1])
    assert (report.percent, report.step, report.eta_seconds) == (41, 41, 754)
    assert (report.train_loss, report.eval_loss) == (2.3457, None)


def test_it_says_why_tracking_does_less_whatever_else_it_does(progress: ServedProgress) -> None:
    progress.note_degraded_tracking("the Secret wandb has no key key: create it" + "x" * 9999)
    progress.update(percent=41)
    report = parse_report(ask(progress)[1])
    assert (report.percent, len(report.tracking_degraded or "")) == (41, 256)


def test_it_says_what_it_waits_for_and_since_when(progress: ServedProgress) -> None:
    progress.begin_wait("StorageUnavailable", "S3 does not answer")
    first = parse_report(ask(progress)[1]).waiting
    progress.begin_wait("StorageUnavailable", "S3 answered 503 " + "x" * 9999)
    second = parse_report(ask(progress)[1]).waiting
    assert first is not None
    assert second is not None
    assert (first.reason, first.message) == ("StorageUnavailable", "S3 does not answer")
    assert (second.since, len(second.message)) == (first.since, 256)
    progress.end_wait()
    assert parse_report(ask(progress)[1]).waiting is None


def test_of_two_threads_that_wait_it_names_the_one_that_began_first() -> None:
    progress = StageProgress()
    thread = threading.Thread(target=progress.begin_wait, args=("HubUnavailable", "the hub answered 502"))
    progress.begin_wait("StorageUnavailable", "S3 does not answer")
    thread.start()
    thread.join()
    waiting = progress.build_report(RUN, "uid").waiting
    assert waiting is not None
    assert waiting.reason == "StorageUnavailable"
    progress.end_wait()
    waiting = progress.build_report(RUN, "uid").waiting
    assert waiting is not None
    assert waiting.reason == "HubUnavailable"


def test_of_two_waits_it_names_the_one_that_holds_up_the_stage() -> None:
    progress = StageProgress()
    beside = threading.Thread(
        target=progress.begin_wait, args=("StorageUnavailable", "S3 does not answer"), kwargs={"beside": True}
    )
    beside.start()
    beside.join()
    waiting = progress.build_report(RUN, "uid").waiting
    assert waiting is not None
    assert waiting.beside
    progress.begin_wait("HubUnavailable", "the hub answered 502")
    waiting = progress.build_report(RUN, "uid").waiting
    assert waiting is not None
    assert (waiting.reason, waiting.beside) == ("HubUnavailable", False)


@pytest.mark.parametrize(("path", "method", "status"), [("/", "GET", 404), ("/progress", "POST", 501)])
def test_it_answers_nothing_else(progress: ServedProgress, path: str, method: str, status: int) -> None:
    assert ask(progress, path, method)[0] == status


def test_the_longest_report_fits_what_the_operator_reads() -> None:
    progress = StageProgress()
    progress.update(percent=100, step=2**53 - 1, total_steps=2**53 - 1, eta_seconds=10**8, train_loss=-1.2345e-300)
    progress.begin_wait("R" * 64, "é" * 9999)
    assert len(progress.build_report(RUN, "u" * 64).encode()) < REPORT_LIMIT


def test_a_silent_client_is_hung_up_on(progress: ServedProgress) -> None:
    with socket.create_connection(progress.address, timeout=60) as silent:
        assert silent.recv(1) == b""
    assert ask(progress)[0] == 200


def test_a_client_that_goes_away_leaves_no_trace(progress: ServedProgress, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(5):
        with socket.create_connection(progress.address, timeout=60) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # end by a reset
            client.sendall(b"GET /progress HTTP/1.1\r\n\r\n")
    assert ask(progress)[0] == 200
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("figures", [{"train_loss": float("nan")}, {"eta_seconds": float("inf")}, {"percent": 101}])
def test_a_figure_out_of_bounds_fails_the_answer_alone(progress: ServedProgress, figures: dict[str, float]) -> None:
    progress.update(**figures)
    progress.begin_wait("no word", "not \udc80 UTF-8")
    with pytest.raises(OSError, match=r"."):
        ask(progress)
    progress.update(train_loss=1.5)
    progress.end_wait()
    assert ask(progress)[0] == 200


def test_a_stage_whose_port_is_taken_goes_on_and_says_so(progress: ServedProgress) -> None:
    assert events_of_a_stage_at(progress.address[0]) == ["progress.not_served"]


def test_a_stage_whose_address_is_unknown_here_goes_on_and_says_so() -> None:
    assert events_of_a_stage_at("192.0.2.1") == ["progress.not_served"]


def events_of_a_stage_at(address: str) -> list[str]:
    stream = StringIO()
    with serve_progress(StageProgress(), RUN, "uid", address, Log(stream)):
        pass
    return [json.loads(line)["event"] for line in stream.getvalue().splitlines()]


def test_no_update_waits_for_a_client(progress: ServedProgress, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand steps while a client that is never hung up on holds the server's thread."""
    monkeypatch.setattr("tweetbot_trainer.runtime.progress._Handler.timeout", 3600.0)
    with socket.create_connection(progress.address, timeout=60):
        steps = threading.Thread(target=take_a_thousand_steps, args=(progress,))
        steps.start()
        steps.join(60)
        assert not steps.is_alive()


def take_a_thousand_steps(progress: StageProgress) -> None:
    for step in range(1000):
        progress.update(percent=1, step=step)


def test_updates_replace_each_other_as_a_whole() -> None:
    progress: Any = StageProgress()
    progress.update(percent=1, eta_seconds=60)
    progress.update(percent=2)
    assert progress.build_report(RUN, "uid").eta_seconds is None


def test_a_stage_outside_a_pod_listens_nowhere() -> None:
    before, stream = set(threading.enumerate()), StringIO()
    with serve_progress(StageProgress(), RUN, "", "", Log(stream)):
        assert set(threading.enumerate()) <= before
    assert stream.getvalue() == ""
