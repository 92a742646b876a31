"""What X names is final, what it does not name passes: one test for each line of the table, on both endpoints."""

import json
from typing import Any

import pytest

from builders.x import SECRET, Clock, failure, read
from tweetbot_contract import reasons
from tweetbot_contract.reasons import Reason
from tweetbot_fakes.remotes import x_api as fake
from tweetbot_fakes.remotes import x_api_answers as answers
from tweetbot_fakes.remotes.x_api import FakeX
from tweetbot_fakes.remotes.x_api_answers import PROBLEMS, Answer
from tweetbot_trainer.data.sources.x_api.errors import TABLE, parse_problem
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused, StageError, TemporaryError
from tweetbot_trainer.runtime.refusals import Meaning

NAMED = [
    (answers.NOT_FOUND, reasons.ACCOUNT_NOT_FOUND, SpecRefused),
    (answers.partial_error("resource-not-found", "Not Found Error", "no user", status=404), reasons.ACCOUNT_NOT_FOUND,
     SpecRefused),
    (answers.SUSPENDED, reasons.ACCOUNT_SUSPENDED, SpecRefused),
    (answers.PROTECTED, reasons.ACCOUNT_PROTECTED, SpecRefused),
    (answers.PROTECTED_403, reasons.ACCOUNT_PROTECTED, SpecRefused),
    (answers.invalid("username", "a b"), reasons.SPEC_REFUSED, SpecRefused),
    (answers.UNAUTHORIZED, reasons.X_NOT_AUTHORIZED, NotAuthorized),
    (answers.FORBIDDEN, reasons.X_FORBIDDEN, NotAuthorized),
    (answers.CREDITS_DEPLETED, reasons.CREDITS_DEPLETED, SpecRefused),
    (answers.USAGE_CAPPED, reasons.USAGE_CAPPED, SpecRefused),
]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "reason", "kind"), NAMED, ids=lambda value: value.name if isinstance(value, Reason) else None
)
@pytest.mark.parametrize("when", ["user", "timeline"])
def test_what_x_names_has_its_reason_and_is_asked_once(
    x: FakeX, clock: Clock, answer: Answer, reason: Reason, kind: type[StageError], when: Any
) -> None:
    x.fault(answer, on=when)
    failed = failure(x, clock)
    assert (failed.reason, type(failed)) == (reason, kind)
    assert "@Harbour_Gull" in failed.message
    assert len(x.requests) == (1 if when == "user" else 2)
    assert x.cost == (0 if when == "user" else fake.USER_PRICE)
    assert clock.waits == []


@pytest.mark.parametrize("when", ["user", "timeline"])
@pytest.mark.parametrize("name", answers.UNNAMED)
def test_what_x_does_not_name_is_waited_out(x: FakeX, clock: Clock, name: str, when: Any) -> None:
    """X once answered 404 to every timeline for eight hours, right after lookups that worked (September 2025)."""
    x.fault(answers.UNNAMED[name], on=when, times=2)
    assert len(read(x, clock)) == 250
    assert clock.waits == [0.2, 0.4]
    assert max(x.billed.values()) == 1


@pytest.mark.parametrize("name", ["a 404 without a body", "a firewall's 403", "a post that was not found"])
def test_what_x_does_not_name_and_lasts_is_told_in_its_words(x: FakeX, clock: Clock, name: str) -> None:
    x.fault(answers.UNNAMED[name], on="timeline", times=1000)
    failed = failure(x, clock)
    assert (failed.reason, type(failed)) == (reasons.X_UNAVAILABLE, TemporaryError)
    assert f"X answered {answers.UNNAMED[name].status} for @Harbour_Gull" in failed.message
    assert "if it lasts, check" in failed.message
    assert (len(x.requests) < 50, x.cost) == (True, fake.USER_PRICE)


LINES = [(meaning, name) for meaning in TABLE for name in meaning.names]


@pytest.mark.parametrize(("meaning", "name"), LINES, ids=[f"{name} {'/'.join(m.words)}" for m, name in LINES])
@pytest.mark.parametrize("host", ["api.twitter.com", "api.x.com"])
def test_every_line_of_the_table_is_reached(meaning: Meaning, name: str, host: str) -> None:
    kind, _, status = name.partition(" ")
    address = kind if status else f"https://{host}/2/problems/{kind}"
    body = {"type": address, "title": meaning.words[0] if meaning.words else "No"}
    error = parse_problem(int(status or 403), body, about="@gull", secret=SECRET)
    assert (error.reason, type(error)) == (meaning.reason, meaning.error)
    assert (meaning.advice or meaning.reason.advice) in error.message


@pytest.mark.parametrize(("meaning", "name"), LINES, ids=[f"{name} {'/'.join(m.words)}" for m, name in LINES])
def test_a_servers_error_passes_whatever_it_names(meaning: Meaning, name: str) -> None:
    body = {"type": f"{PROBLEMS}/{name}", "title": meaning.words[0] if meaning.words else "No"}
    assert isinstance(parse_problem(503, body, about="@gull", secret=SECRET), TemporaryError)


def test_a_page_for_people_is_quoted_without_its_markup(x: FakeX, clock: Clock) -> None:
    blocked = b"<html><title>Access denied</title><script>track(1)</script><p>Ask your  administrator.</p>"
    x.fault(Answer(403, blocked, {"content-type": "text/html"}), times=1000)
    assert "403 for @Harbour_Gull: Access denied Ask your administrator." in failure(x, clock).message


@pytest.mark.parametrize("body", [f"<p>{SECRET}".encode(), json.dumps({"error": f"bad token {SECRET}"}).encode()])
def test_the_token_is_taken_out_of_what_a_proxy_says(x: FakeX, clock: Clock, body: bytes) -> None:
    x.fault(Answer(403, body), times=1000)
    assert SECRET not in failure(x, clock).message


def test_a_reason_in_a_message_is_told(x: FakeX, clock: Clock) -> None:
    x.fault(answers.invalid("username", "a b"))
    assert "query parameter value [a b] is not valid" in failure(x, clock).message


def test_the_first_problem_that_is_known_counts() -> None:
    post = {"type": f"{PROBLEMS}/resource-not-found", "resource_type": "tweet", "title": "Not Found Error"}
    protected = {"type": f"{PROBLEMS}/not-authorized-for-resource", "resource_type": "user", "title": "Authorization"}
    error = parse_problem(200, {"errors": [post, protected]}, about="@gull", secret=SECRET)
    assert error.reason is reasons.ACCOUNT_PROTECTED
