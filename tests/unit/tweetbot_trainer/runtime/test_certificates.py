"""A certificate that does not verify ends every client's request at once, and the message says what helps."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import close_session

from builders.certificates import a_certificate
from builders.remote_clients import CLIENTS
from tweetbot_contract.handover import ExitCode
from tweetbot_fakes.remotes.served import Served
from tweetbot_trainer.__main__ import run_command
from tweetbot_trainer.runtime.certificates import trust_ca_bundle
from tweetbot_trainer.runtime.errors import SpecRefused, StageError


class NothingHere(BaseHTTPRequestHandler):
    """Answers everything with 404."""

    def do_GET(self) -> None:
        self.send_error(404)

    do_POST = do_HEAD = do_GET

    def log_message(self, *_: Any) -> None: ...


CERTIFICATES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "of an unknown CA": ({}, ("not trusted", "spec.caBundle")),
    "for another address": ({"address": "192.0.2.1"}, ("for another ", "write a name")),
    "of yesterday": ({"starts": -3, "ends": -1}, ("has expired", "renewed")),
    "of tomorrow": ({"starts": 1, "ends": 3}, ("not valid yet", "clock")),
}


@pytest.fixture(autouse=True)
def _fresh_sessions() -> Iterator[None]:
    close_session()  # the Hub's client keeps its connections, and with them which CAs it trusts
    yield
    close_session()


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Trust a file of CAs as the program does, until the test ends."""

    with ExitStack() as trusted:

        def trust(path: Path) -> None:
            env = {"TWEETBOT_CA_BUNDLE": str(path)}
            trusted.enter_context(trust_ca_bundle(env))
            for name, value in env.items():
                monkeypatch.setenv(name, value)

        yield trust


@pytest.mark.parametrize("certificate", CERTIFICATES)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_certificate_that_does_not_verify_is_final(
    tmp_path: Path, client: str, certificate: str, trusting: Callable[[Path], None]
) -> None:
    """Each was waited for, for half an hour, as if the server were away."""
    how, words = CERTIFICATES[certificate]
    path = a_certificate(tmp_path, **how)
    if how:
        trusting(path)  # else its unknown CA is what a client complains of
    with Served(NothingHere).serve_tls(path) as server, pytest.raises(SpecRefused) as failed:
        CLIENTS[client](server.url, tmp_path)
    assert failed.value.reason.name == "ServerNotTrusted"
    assert [word for word in words if word not in failed.value.message] == []


@pytest.mark.parametrize("client", CLIENTS)
def test_a_server_without_tls_is_final(tmp_path: Path, client: str) -> None:
    with Served(NothingHere) as server, pytest.raises(SpecRefused) as failed:
        CLIENTS[client](server.url.replace("http:", "https:"), tmp_path)
    assert failed.value.reason.name == "ServerNotTrusted"
    assert "write http://" in failed.value.message


@pytest.mark.parametrize("client", CLIENTS)
def test_a_ca_that_is_given_is_trusted_by_every_client(
    tmp_path: Path, client: str, trusting: Callable[[Path], None]
) -> None:
    path = a_certificate(tmp_path)
    trusting(path)
    with Served(NothingHere).serve_tls(path) as server, pytest.raises((StageError, AssertionError)) as failed:
        CLIENTS[client](server.url, tmp_path)
    assert "certificate of" not in str(failed.value)


def test_public_cas_stay_trusted(tmp_path: Path) -> None:
    env = {"TWEETBOT_CA_BUNDLE": str(a_certificate(tmp_path))}
    names = {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE"}
    with trust_ca_bundle(env):
        assert {Path(env[name]).read_text(encoding="utf-8").count("BEGIN CERTIFICATE") > 50 for name in names} == {True}


def test_the_cas_of_both_files_are_trusted(tmp_path: Path) -> None:
    """The TweetBot's and its class's, as the operator names them."""
    (tmp_path / "class").mkdir()
    paths = [a_certificate(tmp_path), a_certificate(tmp_path / "class")]
    env = {"TWEETBOT_CA_BUNDLE": ":".join(map(str, paths))}
    with trust_ca_bundle(env):
        joined = Path(env["SSL_CERT_FILE"]).read_text(encoding="utf-8")
    blocks = [path.read_text(encoding="ascii").partition("-----BEGIN CERTIFICATE")[2] for path in paths]
    assert all(block.split("-----END")[0] in joined for block in blocks)


def test_the_joined_list_goes_with_the_command(tmp_path: Path) -> None:
    """Each command left a file of 230 kB in /tmp."""
    env = {"TWEETBOT_CA_BUNDLE": str(a_certificate(tmp_path))}
    with trust_ca_bundle(env):
        pass
    assert not Path(env["SSL_CERT_FILE"]).parent.exists()


def test_without_a_bundle_nothing_changes() -> None:
    env: dict[str, str] = {}
    with trust_ca_bundle(env):
        assert env == {}


@pytest.mark.parametrize(("content", "words"), [(None, "cannot be read"), ("no certificate", "holds no certificate")])
def test_a_bundle_that_is_none_names_the_field(tmp_path: Path, content: str | None, words: str) -> None:
    if content:
        (tmp_path / "ca.crt").write_text(content, encoding="ascii")
    with (
        pytest.raises(SpecRefused, match=f"caBundle: .*{words}"),
        trust_ca_bundle({"TWEETBOT_CA_BUNDLE": os.fspath(tmp_path / "ca.crt")}),
    ):
        pass


def test_every_command_reads_the_bundle_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TWEETBOT_CA_BUNDLE", "/nowhere/ca.crt")
    assert run_command(["verify", "--model", "file:///nowhere"]) == ExitCode.REFUSED
    assert "caBundle: /nowhere/ca.crt cannot be read" in capsys.readouterr().err
