"""What Bluesky names is final, what it does not name passes: one test for each line of the table."""

from collections.abc import Iterator

import pytest

from builders.x import Clock
from tweetbot_contract import reasons
from tweetbot_contract.reasons import Reason
from tweetbot_fakes.remotes import bluesky as fake
from tweetbot_fakes.remotes.bluesky import Answer, FakeBluesky
from tweetbot_trainer.data.sources.bluesky.client import TABLE, BlueskyClient
from tweetbot_trainer.runtime.errors import SpecRefused, StageError, TemporaryError
from tweetbot_trainer.runtime.refusals import Meaning

GULL = "gull.example.com"


@pytest.fixture
def server() -> Iterator[FakeBluesky]:
    with FakeBluesky() as running:
        running.add_account(GULL)
        yield running


def failure(server: FakeBluesky, clock: Clock, *faults: Answer) -> StageError:
    """Return how asking for the profile fails."""
    server.faults = list(faults)
    with pytest.raises(StageError) as raised:
        BlueskyClient(GULL, base=server.url, retry_budget=clock.budget()).get_profile()
    return raised.value


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (fake.NOT_FOUND, reasons.ACCOUNT_NOT_FOUND),
        (fake.NO_HANDLE, reasons.ACCOUNT_NOT_FOUND),
        (fake.DEACTIVATED, reasons.ACCOUNT_NOT_FOUND),
        (fake.TAKEN_DOWN, reasons.ACCOUNT_SUSPENDED),
        (fake.BAD_CURSOR, reasons.SPEC_REFUSED),
        (fake.error(404, "XRPCNotSupported", "no such method"), reasons.SPEC_REFUSED),
        (fake.error(401, "AuthMissing"), reasons.SPEC_REFUSED),
    ],
)
def test_what_bluesky_names_ends_at_once(server: FakeBluesky, clock: Clock, answer: Answer, reason: Reason) -> None:
    failed = failure(server, clock, answer)
    assert (failed.reason, type(failed)) == (reason, SpecRefused)
    assert (len(server.requests), clock.waits) == (1, [])


UNNAMED = {
    "a server's error": fake.error(500, "InternalServerError"),
    "a server that is away": fake.error(502, "UpstreamFailure"),
    "a page for people": fake.plain(503, b"<html>"),
    "a bare 404": fake.plain(404, b""),
    "a 404 in HTML": fake.plain(404, b"<html>no such page"),
    "a firewall's 403": fake.plain(403, b"<html>Access denied"),
    "a gateway's 403": fake.error(403, "Forbidden"),
    "a gateway's 404": fake.plain(404, b'{"message": "Profile not found"}'),
    "a 401 without a name": fake.plain(401, b""),
    "a 400 without a name": fake.plain(400, b"{}"),
    "a 451 of a firewall": fake.plain(451, b"<html>"),
    "a list in place of an error": fake.plain(400, b'["InvalidRequest"]'),
    "a page in place of an answer": fake.plain(200, b"<html>"),
    "a list in place of an answer": fake.plain(200, b"[]"),
    "half an answer": fake.plain(200, b'{"did": "did:plc:'),
    "nothing": fake.plain(200, b""),
    "a body packed wrongly": Answer(200, b"{}", {"content-encoding": "gzip"}),
    "a redirect to an invalid address": Answer(302, b"", {"location": "http://[\xff"}),
    "an error in place of an answer": fake.plain(204, b""),
    "a cut connection": fake.CUT,
}


@pytest.mark.parametrize("name", UNNAMED)
def test_what_bluesky_does_not_name_is_waited_out(server: FakeBluesky, clock: Clock, name: str) -> None:
    server.faults = [UNNAMED[name]] * 2
    account = BlueskyClient(GULL, base=server.url, retry_budget=clock.budget()).get_profile()
    assert account["did"] == fake.DID
    assert clock.waits == [0.2, 0.4]


@pytest.mark.parametrize("name", ["a bare 404", "a firewall's 403", "a page in place of an answer"])
def test_what_bluesky_does_not_name_and_lasts_is_temporary(server: FakeBluesky, clock: Clock, name: str) -> None:
    failed = failure(server, clock, *[UNNAMED[name]] * 200)
    assert isinstance(failed, TemporaryError)
    assert failed.reason in (reasons.BLUESKY_UNAVAILABLE, reasons.BLUESKY_BAD_PAYLOAD)
    assert sum(clock.waits) <= 1800
    assert len(server.requests) < 60


def test_a_page_for_people_is_quoted(server: FakeBluesky, clock: Clock) -> None:
    failed = failure(server, clock, *[fake.plain(403, b"<html><p>Ask your  administrator.</p>")] * 200)
    assert f"Bluesky answered 403 for {GULL}: Ask your administrator." in failed.message
    assert "check spec.sources[].bluesky.apiBaseURL" in failed.message


LINES = [(meaning, name) for meaning in TABLE for name in meaning.names]


@pytest.mark.parametrize(("meaning", "name"), LINES, ids=[f"{name} {'/'.join(m.words)}" for m, name in LINES])
def test_every_line_of_the_table_is_reached(server: FakeBluesky, clock: Clock, meaning: Meaning, name: str) -> None:
    failed = failure(server, clock, fake.error(400, name, meaning.words[0] if meaning.words else "no"))
    assert (failed.reason, type(failed)) == (meaning.reason, meaning.error)
    assert (meaning.advice or meaning.reason.advice) in failed.message


@pytest.mark.parametrize(("meaning", "name"), LINES, ids=[f"{name} {'/'.join(m.words)}" for m, name in LINES])
def test_a_servers_error_passes_whatever_it_names(
    server: FakeBluesky, clock: Clock, meaning: Meaning, name: str
) -> None:
    server.faults = [fake.error(500, name, meaning.words[0] if meaning.words else "no")]
    assert BlueskyClient(GULL, base=server.url, retry_budget=clock.budget()).get_profile()["did"] == fake.DID
