"""Who may ask the server."""

import pytest

from tweetbot_trainer.serving.access import Access, Asked, LoggedIn, Refused, build_access, decide_access, is_loopback

TOKEN = "0123456789abcdef0123456789abcdef"
LOCAL, OPEN = build_access("127.0.0.1", None), build_access("0.0.0.0", TOKEN)


def a_request(path: str = "/", query: str = "", *, cookie: str = "", method: str = "GET", **headers: str) -> Asked:
    return Asked(method, path, query, {"host": "localhost:8080", **headers}, cookie)


def outcome(access: Access, asked: Asked) -> int | str | None:
    match decide_access(access, asked):
        case Refused(status, _):
            return status
        case LoggedIn(location):
            return location
    return None


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080", "LOCALHOST"])
def test_this_machine_is_answered_under_its_own_names(host: str) -> None:
    assert outcome(LOCAL, a_request(host=host)) is None


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io:8080", "", "[", "10.0.0.1"]
)
def test_a_name_that_was_moved_to_this_machine_is_refused(host: str) -> None:
    assert outcome(LOCAL, a_request(host=host)) == 421


def test_a_page_of_another_site_may_not_ask() -> None:
    assert outcome(LOCAL, a_request(method="POST", origin="https://evil.example")) == 403
    assert outcome(LOCAL, a_request(method="POST", origin="null")) == 403
    assert outcome(LOCAL, a_request(method="POST", origin="http://localhost:8080")) is None


def test_without_the_token_nobody_elsewhere_is_let_in_but_probes() -> None:
    assert outcome(OPEN, a_request()) == 401
    assert outcome(OPEN, a_request("/healthz")) is None
    assert outcome(OPEN, a_request(authorization=f"Bearer {TOKEN}")) is None
    assert outcome(OPEN, a_request(authorization=f"Bearer {TOKEN[:-1]}")) == 401
    assert outcome(OPEN, a_request(authorization=f"Basic {TOKEN}")) == 401


def test_the_token_in_an_address_becomes_a_cookie() -> None:
    assert outcome(OPEN, a_request("/docs", f"token={TOKEN}&a=1")) == "/docs?a=1"
    assert outcome(OPEN, a_request("//evil.example/", f"token={TOKEN}")) == "/evil.example/"
    assert outcome(OPEN, a_request(query="token=wrong")) == 401
    assert outcome(OPEN, a_request(method="POST", query=f"token={TOKEN}")) == 401
    assert outcome(OPEN, a_request(cookie=OPEN.cookie)) is None
    assert outcome(OPEN, a_request(cookie=TOKEN)) == 401


def test_a_token_is_asked_for_on_this_machine_too_where_it_is_given() -> None:
    assert outcome(build_access("127.0.0.1", TOKEN), a_request()) == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "example.org"])
def test_others_are_not_let_in_without_a_token(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(ValueError, match="--token-file, or by TWEETBOT_SERVE_TOKEN"):
        build_access(host, None)


def test_a_token_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter than 16 characters"):
        build_access("0.0.0.0", "secret")
