"""The certificate that is shown is the one in the files, also after cert-manager has renewed it."""

import shutil
import socket
import ssl
import threading
from pathlib import Path

import pytest

from tweetbot_cluster.kubernetes.certificates import Authority
from tweetbot_operator.progress.tls import ServingCertificate


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    (tmp_path / "ca").mkdir()
    return Authority(tmp_path / "ca")


def put(files: tuple[Path, Path], folder: Path) -> tuple[Path, Path]:
    places = folder / "tls.crt", folder / "tls.key"
    for file, place in zip(files, places, strict=True):
        shutil.copy(file, place)
    return places


def name_shown(serving: ServingCertificate, authority: Authority) -> str:
    """Shake hands once and return the common name of the certificate that was shown."""
    ours, theirs = socket.socketpair()

    def answer() -> None:
        with serving.context.wrap_socket(theirs, server_side=True) as server:
            server.recv(1)

    thread = threading.Thread(target=answer)
    thread.start()
    client = ssl.create_default_context(cafile=str(authority.certificate_file))
    with client.wrap_socket(ours, server_hostname="localhost") as connection:
        certificate = connection.getpeercert()
        connection.send(b"x")
    thread.join()
    assert certificate is not None
    return str(dict(pair[0] for pair in certificate["subject"])["commonName"])  # type: ignore[misc]


def test_a_renewed_certificate_is_shown_without_a_restart(authority: Authority, tmp_path: Path) -> None:
    serving = ServingCertificate(*put(authority.server("old", ("127.0.0.1",)), tmp_path))
    assert name_shown(serving, authority) == "old"
    put(authority.server("new", ("127.0.0.1",)), tmp_path)
    serving.look()
    assert name_shown(serving, authority) == "new"


@pytest.mark.parametrize("damage", ["half", "mismatch", "gone"])
def test_files_that_do_not_fit_leave_the_old_one_in_place(authority: Authority, tmp_path: Path, damage: str) -> None:
    certificate, key = put(authority.server("old", ("127.0.0.1",)), tmp_path)
    serving = ServingCertificate(certificate, key)
    other, _ = authority.server("new", ("127.0.0.1",))
    match damage:
        case "half":
            certificate.write_text("-----BEGIN CERTIFICATE-----\n")
        case "mismatch":
            shutil.copy(other, certificate)
        case _:
            key.unlink()
    serving.look()
    assert name_shown(serving, authority) == "old"


def test_files_that_cannot_be_used_are_told_of_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"tls\.crt"):
        ServingCertificate(tmp_path / "tls.crt", tmp_path / "tls.key")
