"""The first stage over the X API: every fault ends in its reason, for a known number of requests and a known price."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from builders.stages import a_context, a_local_run
from builders.trainer import many_posts
from tweetbot_contract.result import PrepareSucceeded
from tweetbot_fakes.remotes import x_api_answers as answers
from tweetbot_fakes.remotes.x_api import POST_PRICE, USER_PRICE, FakeX, tweet
from tweetbot_fakes.remotes.x_api_answers import Answer
from tweetbot_fakes.storage import Killed, WatchedStore
from tweetbot_trainer.publishing.registry.run_record import drop_page_records, find_record
from tweetbot_trainer.runtime.errors import StageError
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.runtime.termination import describe_failure
from tweetbot_trainer.stages.prepare import prepare
from tweetbot_trainer.store.folder import FolderStore

STORE = FolderStore()
#: As many posts as the original's gate asks for, and three pages.
POSTS = 220
WHOLE = USER_PRICE + POSTS * POST_PRICE


class Hurried(StopRequest):
    """Lets no time pass while a stage waits."""

    def pause(self, seconds: float) -> None:
        """Wait no longer than it takes to notice a request to end."""
        self.check()


@pytest.fixture
def x() -> Iterator[FakeX]:
    with FakeX() as server:
        posts = reversed(list(enumerate(many_posts(POSTS), start=1)))
        server.add_account("harbour_gull").posts = [tweet(number, post.text) for number, post in posts]
        yield server


def prepared(
    folder: Path, x: FakeX, *, store: Any = STORE, run_id: str = "0123456789abcdef", **spec: Any
) -> PrepareSucceeded:
    """Return what one attempt of a run gives; keywords change spec.sources[0].x."""
    secrets = folder / "secrets" / "x-0"
    secrets.mkdir(parents=True, exist_ok=True)
    (secrets / "token").write_text(x.token, encoding="ascii")
    values = {"handle": "harbour_gull", "tokenSecret": {"name": "x", "key": "t"}, "acceptTerms": True}
    source = {"x": {**values, "apiBaseURL": x.url, **spec}}
    run = a_local_run(folder, spec={"sources": [source]}, run_id=run_id)
    return prepare(a_context(folder, run, store=store, stop=Hurried()))


def test_an_account_becomes_a_dataset(tmp_path: Path, x: FakeX) -> None:
    result = prepared(tmp_path, x)
    assert (result.dataset.table.downloaded, result.billed) == (POSTS, {"x": POSTS})
    assert (len(x.requests), x.cost) == (5, WHOLE)  # the account, three pages, the picture


def test_no_hash_of_a_page_is_for_the_manifest(tmp_path: Path, x: FakeX) -> None:
    prepared(tmp_path, x)
    record = find_record(STORE, f"file://{tmp_path}/bucket/team-a/gull", "0123456789abcdef")
    assert record is not None
    (source,), (published,) = record.sources, drop_page_records(record.sources)
    hashes = {one.sha256 for one in source.objects}
    assert len(hashes) > 3
    assert not [sha256 for sha256 in hashes if str(sha256) in published.model_dump_json()]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (answers.NOT_FOUND, "AccountNotFound"),
        (answers.SUSPENDED, "AccountSuspended"),
        (answers.PROTECTED, "AccountProtected"),
        (answers.PROTECTED_403, "AccountProtected"),
        (answers.BAD_REQUEST, "SpecRefused"),
        (answers.UNAUTHORIZED, "XNotAuthorized"),
        (answers.CREDITS_DEPLETED, "CreditsDepleted"),
        (answers.FORBIDDEN, "XForbidden"),
        (answers.USAGE_CAPPED, "UsageCapped"),
        (answers.rate_limited("99999999999"), "RateLimited"),
        (answers.said({"data": "?"}), "XBadPayload"),
    ],
)
@pytest.mark.parametrize("page", [0, 1, 2])
def test_a_refusal_ends_the_run_and_what_was_paid_for_is_not_paid_for_again(
    tmp_path: Path, x: FakeX, answer: Answer, reason: str, page: int
) -> None:
    x.fault(answer, on="timeline", after=page)
    with pytest.raises(StageError) as failed:
        prepared(tmp_path, x)
    assert failed.value.reason.name == reason
    assert (len(x.requests), x.cost) == (2 + page, USER_PRICE + 100 * page * POST_PRICE)
    assert prepared(tmp_path, x).dataset.table.downloaded == POSTS
    assert (len(x.requests), x.cost) == (6, WHOLE)


@pytest.mark.parametrize("name", answers.AWAY | answers.UNREADABLE)
def test_a_fault_that_passes_costs_requests_and_no_money(tmp_path: Path, x: FakeX, name: str) -> None:
    x.fault((answers.AWAY | answers.UNREADABLE)[name], on="timeline", after=1)
    assert prepared(tmp_path, x).dataset.table.downloaded == POSTS
    assert (len(x.requests), x.cost) == (6, WHOLE)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (answers.html(503), "XUnavailable"),
        (Answer(end="closed"), "XUnavailable"),
        (answers.html(200), "XBadPayload"),
        (answers.rate_limited(None), "RateLimited"),
    ],
)
def test_a_fault_that_lasts_ends_the_attempt_after_a_known_number_of_requests(
    tmp_path: Path, x: FakeX, answer: Answer, reason: str
) -> None:
    x.fault(answer, on="timeline", after=1, times=1000)
    with pytest.raises(StageError) as failed:
        prepared(tmp_path, x)
    assert failed.value.reason.name == reason
    assert 30 < len(x.requests) < 60
    assert x.cost == USER_PRICE + 100 * POST_PRICE
    assert describe_failure(failed.value)[0].billed == {"x": 100}


def test_a_bill_above_the_ceiling_is_refused_for_the_price_of_the_lookup(tmp_path: Path, x: FakeX) -> None:
    with pytest.raises(StageError, match="SpendLimitReached"):
        prepared(tmp_path, x, maxSpendUSD=1)
    assert (len(x.requests), x.cost) == (1, USER_PRICE)


@pytest.mark.parametrize("phase", ["before", "after"])
def test_killed_at_any_request_to_the_store_it_pays_for_one_page_at_most_again(
    tmp_path: Path, x: FakeX, phase: Literal["before", "after"]
) -> None:
    counting = WatchedStore(STORE)
    whole = prepared(tmp_path / "counted", x, store=counting)
    for index in range(len(counting.requests)):
        home, before = tmp_path / str(index), x.cost
        with pytest.raises(Killed):
            prepared(home, x, store=WatchedStore(STORE, die_at=index, phase=phase))
        assert prepared(home, x).dataset.digest == whole.dataset.digest
        again = x.cost - before - WHOLE
        saving = counting.requests[index][0].startswith("put") and phase == "before"
        assert again in ((0, USER_PRICE, 100 * POST_PRICE, 20 * POST_PRICE) if saving else (0,))


def test_a_retry_after_a_late_failure_asks_x_for_nothing_but_the_picture(tmp_path: Path, x: FakeX) -> None:
    whole = prepared(tmp_path / "counted", x)
    x.requests.clear()
    x.cost = 0
    counting = WatchedStore(STORE)
    prepared(tmp_path / "again", x, store=counting)
    late = next(index for index, (_, uri) in enumerate(counting.requests) if "/datasets/" in uri)
    with pytest.raises(Killed):
        prepared(tmp_path / "late", x, store=WatchedStore(STORE, die_at=late))
    x.requests.clear()
    x.billed.clear()
    assert prepared(tmp_path / "late", x).dataset.digest == whole.dataset.digest
    assert [request.place for request in x.requests] == ["picture"]
    assert not x.billed


def test_a_later_run_reads_the_rest_from_the_bots_folder(tmp_path: Path, x: FakeX) -> None:
    prepared(tmp_path, x)
    x.accounts["harbour_gull"].posts[:0] = [tweet(POSTS + 1, "the ferry came home with 9001 lanterns on its deck")]
    x.cost = 0
    assert prepared(tmp_path, x, run_id="fedcba9876543210").dataset.table.downloaded == POSTS + 1
    assert x.cost == USER_PRICE + POST_PRICE
    kept = [info.uri.split("/raw/x/")[1] for info in STORE.list(f"file://{tmp_path}/bucket/team-a/gull/raw/")]
    assert {name.split("/")[0] for name in kept} == {"harbour_gull"}
    assert len([name for name in kept if "/runs/" not in name]) == 4


def test_the_dataset_says_what_x_claims_and_what_was_left_out(tmp_path: Path, x: FakeX) -> None:
    x.accounts["harbour_gull"].more = {"public_metrics": {"tweet_count": POSTS + 4}}
    table = prepared(tmp_path, x).dataset.table
    assert (table.claimed, table.downloaded, table.missing) == (POSTS + 4, POSTS, 4)
    assert prepared(tmp_path / "fewer", x, maxPosts=215).dataset.table.older == 9


def test_an_end_that_x_denies_is_a_reason_and_not_a_matter_of_filters(tmp_path: Path, x: FakeX) -> None:
    x.fault_pages("end")
    x.fault_pages("empty end", times=1000)
    with pytest.raises(StageError, match=r"PostsMissing.*120 of 220") as failed:
        prepared(tmp_path, x)
    assert "filter" not in failed.value.message
    assert (len(x.requests), x.cost) == (6, USER_PRICE + 100 * POST_PRICE)
    x.page_faults.clear()
    assert prepared(tmp_path, x, run_id="fedcba9876543210").dataset.table.downloaded == POSTS
